"""Covariates that a codebook adds, and contradictions between the files of a study."""

from __future__ import annotations

from pathlib import Path

import pytest

from stegvis.statistics.levels import covariate_levels
from stegvis.study.agreement import ContradictionError
from stegvis.study.codebook import CodebookError
from stegvis.study.study import Study
from tests.study import PROTOCOL, home_with_study

EXERCISE = 'exercise_frequency = { source = ["ExeF_NT4BLQ1"], type = "code", '
ROLE = 'covariate = { label = "Exercise", label_nb = "Mosjon" }, '
SEX = 'source = ["Sex"], '
PRIMARY, GOOD, AGE = 'primary = ["primary"]', '["good", "very good"]', 'age = ["age"]'


def edited(root: Path, file: str, old: str, new: str) -> Study:
    path = home_with_study(root).study / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    return Study.of(root)


def test_a_covariate_is_one_entry_of_the_codebook(tmp_path: Path) -> None:
    study = edited(tmp_path, "codebook.toml", EXERCISE, EXERCISE + ROLE)
    assert study.protocol.models.adjusted == (*PROTOCOL.models.adjusted, "exercise_frequency")
    assert study.protocol.models.age == PROTOCOL.models.age
    assert study.protocol.exclusions.complete_case[-1] == "exercise_frequency"
    assert study.protocol.covariates.additional == {"exercise_frequency": {"en": "Exercise", "nb": "Mosjon"}}
    assert covariate_levels(study.codebook)["exercise_frequency"][0] == "never"


def test_a_covariate_may_be_in_both_models_and_need_not_be_known(tmp_path: Path) -> None:
    role = ROLE.replace(" }", ', models = ["age", "adjusted"], complete_case = false }')
    study = edited(tmp_path, "codebook.toml", EXERCISE, EXERCISE + role)
    assert study.protocol.models.age == ("age", "exercise_frequency")
    assert study.protocol.exclusions == PROTOCOL.exclusions


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "codebook.toml",
            'source = ["Sex"], ',
            f'source = ["Sex"], {ROLE}',
            r"columns\.sex\.covariate: sex has a role",
        ),
        (
            "codebook.toml",
            EXERCISE,
            EXERCISE + ROLE.replace("label_nb", "norsk"),
            r"norsk: unknown key; there are: label",
        ),
        ("codebook.toml", '{ source = ["MSPaLum_NT4BLQ2"], ', '{ source = ["B"], ' + ROLE, r"of type code or number"),
        ("protocol.toml", AGE, 'age = ["aeg"]', r"models\.age: there is no covariate 'aeg'; there are: age, sex"),
        ("protocol.toml", AGE, 'age = ["age", "age"]', r"models\.age: age is there twice"),
        ("protocol.toml", PRIMARY, "primary = []", r"no group has the level 'primary' of codebook"),
        (
            "protocol.toml",
            PRIMARY,
            'primary = ["primary", "none"]',
            r"groups\.primary: there is no level 'none'",
        ),
        ("protocol.toml", GOOD, '["fine"]', r"good_health: there is no level 'fine'; there are: poor"),
        (
            "protocol.toml",
            "older_from_age = 65",
            "older_from_age = 65\nadditional = {x = {}}",
            r"add a covariate in code",
        ),
        ("claims.toml", "ranks = [3]\nvalue = 0.77", "ranks = [5]\nvalue = 0.77", r"ranks: there is no category 5"),
    ],
)
def test_a_contradiction_names_file_and_key_and_what_there_is(
    tmp_path: Path, file: str, old: str, new: str, message: str
) -> None:
    with pytest.raises((ContradictionError, CodebookError), match=message) as raised:
        edited(tmp_path, file, old, new)
    assert str(raised.value).startswith(file)
    assert "\n" not in str(raised.value)
