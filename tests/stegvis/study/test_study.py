"""A study records what is read of it."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from stegvis.study.settings import SettingsError
from stegvis.study.study import Study, StudyError
from tests.study import CODEBOOK, PROTOCOL, STUDY, home_with_study


@pytest.fixture
def study() -> Study:
    return STUDY.recording()


def test_a_value_is_recorded_by_its_name(study: Study) -> None:
    assert study.protocol.covariates.older_from_age == PROTOCOL.covariates.older_from_age
    assert study.reads == {"protocol covariates.older_from_age": str(PROTOCOL.covariates.older_from_age)}


def test_a_dotted_name_records_the_same(study: Study) -> None:
    study.protocol.value("covariates.older_from_age")
    assert list(study.reads) == ["protocol covariates.older_from_age"]


def test_a_layout_of_the_codebook_counts_as_one_value(study: Study) -> None:
    assert study.codebook["participants"].columns["age"].type == "number"
    assert list(study.reads) == ["codebook participants"]


@pytest.mark.parametrize("use", [lambda s: s.model_dump(), hash, pickle.dumps, lambda s: s == s, list])
def test_a_section_that_is_used_as_a_whole_is_recorded_as_a_whole(study: Study, use) -> None:
    use(study.protocol.models)
    assert list(study.reads) == ["protocol models"]


def test_a_changed_copy_records_what_it_did_not_change(study: Study) -> None:
    changed = study.protocol.exposures.model_copy(update={"categories": "fixed_published"})
    assert changed.categories == "fixed_published"
    assert study.reads == {}
    assert changed.met_slow == PROTOCOL.exposures.met_slow
    assert list(study.reads) == ["protocol exposures.met_slow"]


def test_a_changed_copy_of_a_layout_records_the_layout_as_it_is(study: Study) -> None:
    layout = study.codebook["days"]
    changed = layout.model_copy(update={"grain": "another"})
    assert changed.grain == "another"
    assert study.reads == {"codebook days": STUDY.current("codebook days")}


def test_a_recorded_study_is_equal_to_the_study(study: Study) -> None:
    assert study.protocol == PROTOCOL
    assert isinstance(study.protocol, type(PROTOCOL))
    assert copy.copy(study.protocol.models) == PROTOCOL.models


def test_a_study_is_read_from_the_folder_of_its_home(tmp_path: Path) -> None:
    home = home_with_study(tmp_path)
    (home.study / "claims.toml").unlink()
    (home.study / "published.toml").unlink()
    found = Study.of(home.root)
    assert (found.protocol, found.codebook, found.about) == (PROTOCOL, CODEBOOK, STUDY.about)
    assert (found.claims.claim, found.published.numbers) == ((), None)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "en",
            'people = "adults"',
            'peple = "adults"',
            "texts/en.toml: cohort.people: Field required; cohort.peple: unknown",
        ),
        ("nb", 'short = "ryggsmerter"\n', "", "texts/nb.toml: outcome.short: Field required"),
        (
            "nb",
            "{days.days_per_recording:words}",
            "{days.weeks}",
            "texts/nb.toml: cohort.measured: {days.weeks} is no number",
        ),
        (
            "en",
            "{days.days_per_recording:words}",
            "{study.title}",
            "texts/en.toml: cohort.measured: {study.title} is no",
        ),
    ],
)
def test_an_error_in_the_texts_is_one_line_with_file_and_key(tmp_path: Path, file, old, new, said) -> None:
    folder = home_with_study(tmp_path).study
    text = folder / "texts" / f"{file}.toml"
    before = text.read_text(encoding="utf-8")
    assert old in before
    text.write_text(before.replace(old, new), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        Study.read(folder)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
    text.unlink()
    with pytest.raises(SettingsError, match=rf"^texts/{file}.toml cannot be opened"):
        Study.read(folder)


def test_the_error_of_a_home_without_a_study_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"no study folder: run 'stegvis init .* --study NAME' with one of .*hunt4_w"):
        Study.of(tmp_path)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "study.toml",
            "contact =",
            "contct =",
            r"study\.toml: contact: Field required; contct: unknown key; there are",
        ),
        ("study.toml", None, "næme = 1", r"study\.toml is not in UTF-8"),
        ("claims.toml", 'rule = "lower"', 'rule = "smaller"', r"claims\.toml: claim\.0\.rule: Input should be 'lower'"),
        ("claims.toml", "volume_23_percent_lower", "volume_over_100_minutes", r"two claims are called volume_over"),
        ("claims.toml", "source =", "sorce =", r"sorce: unknown key; there are: name, source"),
        ("published.toml", 'ratios = ["0.87 (0.77 to 0.98)", ', "ratios = [", r"walking_minutes: .*not equally many"),
        ("codebook.toml", "unit =", "unite =", r"unite: unknown key; there are: source, type"),
        ("protocol.toml", "met_slow =", "met_slo =", r"met_slo: unknown key; there are: met_slow"),
    ],
)
def test_a_file_that_breaks_its_rules_is_refused_with_its_key_and_the_choices(
    tmp_path: Path, file: str, old: str | None, new: str, message: str
) -> None:
    path = home_with_study(tmp_path).study / file
    if old is None:
        path.write_bytes(new.encode("latin-1"))
    else:
        path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(SettingsError, match=message) as raised:
        Study.of(tmp_path)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (home_with_study(tmp_path).study / "study.toml").unlink()
    with pytest.raises(StudyError, match=r"study\.toml cannot be opened: no such file"):
        Study.of(tmp_path)


def test_every_part_records_what_is_read_of_it(study: Study) -> None:
    assert study.claims.claim
    assert study.published.numbers
    assert study.about.contact
    assert set(study.reads) == {"claims", "published", "about contact"}
    assert {name: STUDY.current(name) for name in study.reads} == study.reads


def test_the_current_value_of_a_recorded_name(study: Study) -> None:
    assert study.protocol.covariates.older_from_age
    assert study.codebook["participants"].columns
    shipped = STUDY
    assert {name: shipped.current(name) for name in study.reads} == study.reads
    assert shipped.current("protocol covariates.unknown") is None
