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
SCREEN = '{ source = ["MSPaLY_NT4BLQ2"], '
OUTCOME, BOX = "[outcomes.low_back_pain]", 'box = "low_back_box"'
SCORE = f"""[questionnaire.columns.bothersome]
source = ["Bother"]
type = "number"
range = [0, 10]

[outcomes.bother]
label = "Bother"
label_nb = "Plage"
kind = "score"
source = "bothersome"
at_least = 12

{OUTCOME}"""
# What contradicts the exposures: keys of one that is not there, categories that are not, and the order of waves.
EXPOSURE_CASES = [
    (
        "protocol.toml",
        "met_slow = 2.8\n",
        "",
        r"exposures: there is no exposures\.met_slow, and exposures\.walking_met is there",
    ),
    (
        "protocol.toml",
        '"no_valid_walking_day",\n',
        "\n",
        r"exclusions\.order: it lacks no_valid_walking_day: people without an exposure",
    ),
    (
        "protocol.toml",
        '    "baseline_screen_missing",\n    "baseline_low_back_pain",\n    "followup_screen_missing",\n',
        '    "followup_screen_missing",\n    "baseline_screen_missing",\n    "baseline_low_back_pain",\n',
        r"exclusions\.order: who is eligible is known at baseline, so this is the order: no_accelerometer_day, "
        r"no_valid_walking_day, baseline_screen_missing, baseline_low_back_pain, followup_screen_missing, covariate",
    ),
    (
        "protocol.toml",
        "published_lower_bounds = [78, 101, 125]",
        "published_lower_bounds = [78, 101]",
        r"exposures\.categories: sample_quartiles are four groups, and walking_minutes has 3; there are: sample_quant",
    ),
    (
        "protocol.toml",
        'categories = "sample_quartiles"\n\n[exposures.walking_minutes]\nname = "Walking volume"\nunit = "min/day"\n'
        "published_lower_bounds = [78, 101, 125]",
        'categories = "fixed_published"\n\n[exposures.walking_minutes]\nname = "Walking volume"\nunit = "min/day"\n'
        "groups = 4",
        r"exposures\.walking_minutes: there are no published_lower_bounds, which fixed_published needs; .* sample_",
    ),
    (
        "protocol.toml",
        "low_categories = 1",
        "low_categories = 4",
        r"additive_interaction\.low_categories: 4 of 4 categories leave none that is high; there are: 1, 2, 3",
    ),
    (
        "protocol.toml",
        "[histogram.walking_met]\nlowest = 2.80\nhighest = 3.90\nwidth = 0.05\n",
        "",
        r"histogram: there is no histogram\.walking_met, and exposures\.walking_met is there",
    ),
    (
        "protocol.toml",
        "controls = []",
        'controls = [{ column = "walking_pace", role = "exposure" }]',
        r"negative_controls\.controls\.column: there is no column 'walking_pace'; there are: sex, age",
    ),
    (
        "claims.toml",
        '\n[categories.walking_met]\nlevels = ["<3.00", "3.00-3.11", "3.12-3.26", ">=3.27"]\ntolerance = 0.05\n',
        '\n[[claim]]\nname = "x"\nsource = "paper"\nstatement = "x"\nrule = "lower"\nexposure = "walking_met"\n'
        "ranks = [5]\n",
        r"claims\.toml: x\.ranks: there is no category 5; there are 1 to 4",
    ),
]
WHERE, ADD = '"bmi", known = true }]', 'add = ["bmi"]'
SEVERE = 'outcome = "severe_low_back_pain_strict"'
GROUP = 'other_disease = { rule = "any_yes", source = ["diabetes", '
PRIMARY, GOOD, AGE = 'primary = ["primary"]', '["no", "very mild", "mild"]', 'age = ["age"]'


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
            SCREEN,
            SCREEN + ROLE,
            r"pain_screen\.covariate: pain_screen has a role",
        ),
        (
            "codebook.toml",
            EXERCISE,
            EXERCISE + ROLE.replace("label_nb", "norsk"),
            r"norsk: unknown key; there are: label",
        ),
        ("codebook.toml", '{ source = ["MSPaLum_NT4BLQ2"], ', '{ source = ["B"], ' + ROLE, r"of type code or number"),
        ("protocol.toml", AGE, 'age = ["aeg"]', r"models\.age: there is no covariate 'aeg'; there are: sex, age"),
        ("protocol.toml", AGE, 'age = ["age", "age"]', r"models\.age: age is there twice"),
        ("protocol.toml", PRIMARY, "primary = []", r"no group has the level 'primary' of codebook"),
        (
            "protocol.toml",
            PRIMARY,
            'primary = ["primary", "none"]',
            r"groups\.education\.primary: there is no level 'none'",
        ),
        ("protocol.toml", "depression = 7", "depression = 22", r"cuts\.depression: depression_score runs from 0 to 21"),
        ("protocol.toml", "depression = 7", "mood = 7", r"cuts: there is no column of rule at_least 'mood'"),
        ("codebook.toml", GROUP, GROUP + '"smoking", ', r"derived\.other_disease\.source: smoking: there is no level"),
        ("codebook.toml", GROUP, GROUP + '"gout", ', r"source: there is no column of participants 'gout'; there are"),
        ("codebook.toml", "\nage = {", "\nyears = {", r"participants\.columns: there is no column 'age'"),
        ("codebook.toml", '1 = "male"', '1 = "man"', r"sex has the levels female and male"),
        ("protocol.toml", 'squared = ["age"]', 'squared = ["aeg"]', r"squared: there is no covariate 'aeg'"),
        ("protocol.toml", 'further = ["bmi"', 'further = ["bmo"', r"further: there is no column 'bmo'"),
        (
            "protocol.toml",
            GOOD,
            '["fine"]',
            r"little_pain\.where\.pain_last_4_weeks: there is no level 'fine'; there are: no",
        ),
        (
            "protocol.toml",
            WHERE,
            '"weight", known = true }]',
            r"bmi\.where\.column: there is no column 'weight'; there are: sex",
        ),
        ("protocol.toml", ADD, 'add = ["work_type"]', r"bmi\.add: there is no number or covariate 'work_type'"),
        ("protocol.toml", 'name = "no_pain"', 'name = "little_pain"', r"little_pain: there are two of that name"),
        ("protocol.toml", SEVERE, 'outcome = "death"', r"severe_pain\.outcome: there is no outcome 'death'; there are"),
        (
            "protocol.toml",
            "older_from_age = 65",
            "older_from_age = 65\nadditional = {x = {}}",
            r"add a covariate in code",
        ),
        (
            "codebook.toml",
            BOX,
            'box = "back_box"',
            r"outcomes\.low_back_pain: there is no column of questionnaire 'back_box'",
        ),
        (
            "codebook.toml",
            BOX,
            'box = "pain_screen"',
            r"low_back_pain: pain_screen is of type code; a screen needs tick",
        ),
        (
            "codebook.toml",
            "primary = true",
            "primary = false",
            r"low_back_pain: .*limited belongs to the primary outcome",
        ),
        ("codebook.toml", OUTCOME, SCORE.replace("= 12", "= 5\nprimary = true"), r"outcomes: one of them .* not 2"),
        *EXPOSURE_CASES,
        ("codebook.toml", 'kind = "screen"', 'kind = "tick"', r"low_back_pain: .*box belongs to the kind screen"),
        ("codebook.toml", OUTCOME, SCORE, r"outcomes\.bother\.at_least: bothersome runs from 0 to 10"),
        (
            "codebook.toml",
            OUTCOME,
            SCORE.replace("= 12", '= 5\nbox = "x"'),
            r"bother: .*box belongs to the kind screen",
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


# What a study of volume alone leaves out (the first words of a block, or words in it), and what is said of the rest.
INTENSITY = [
    (
        "protocol.toml",
        "[exposures.walking_met]",
        r"exposures\.met_slow: there is no exposure 'walking_met'; there are: w",
    ),
    ("protocol.toml", "met_", r"spline\.walking_met: there is no exposure 'walking_met'; there are: walking_minutes"),
    ("protocol.toml", "[spline.walking_met]", r"histogram\.walking_met: there is no exposure 'walking_met'; there are"),
    ("protocol.toml", "[histogram.walking_met]", r"claims\.toml: categories\.walking_met: there is no exposure"),
    (
        "claims.toml",
        "[categories.walking_met]",
        r"volume_holds_beside_intensity\.analysis: mutual is about two exposures",
    ),
    ("claims.toml", 'analysis = "mutual"', r"intensity_above_3_met\.exposure: .*; there are: walking_minutes"),
    (
        "claims.toml",
        'exposure = "walking_met"',
        r"estimates\.secondary\.2\.exposure: there is no exposure 'walking_met'; th",
    ),
    ("protocol.toml", "[estimates]", ""),
]


def without(text: str, words: str) -> str:
    """A file without the lines that begin with words, or the blocks that have them."""
    if words == "met_":
        return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(words))
    return "\n\n".join(block for block in text.split("\n\n") if words not in block)


def test_a_study_of_volume_alone_says_nothing_of_intensity(tmp_path: Path) -> None:
    folder = home_with_study(tmp_path).study
    for file, words, message in INTENSITY:
        text = (folder / file).read_text(encoding="utf-8")
        (folder / file).write_text(without(text, words), encoding="utf-8")
        if message:
            with pytest.raises(ContradictionError, match=message):
                Study.of(tmp_path)
    study = Study.of(tmp_path)
    assert study.protocol.exposures.names == ("walking_minutes",)
    assert study.protocol.exposures.mets is None
    assert {claim.exposure for claim in study.claims.claim} == {"walking_minutes"}
    for section in (study.protocol.exposures, study.protocol.spline, study.protocol.histogram):
        with pytest.raises(KeyError, match="no exposure walking_met"):
            section.scale("walking_met")


def test_a_value_that_is_not_given_is_recorded_and_compared_as_such(tmp_path: Path) -> None:
    """A table that asked for it must become stale when it is given, and not before."""
    study = Study.of(home_with_study(tmp_path).root).recording()
    assert study.protocol.exposures.scale("walking_minutes").groups is None
    name = "protocol exposures.walking_minutes.groups"
    assert study.reads[name] == study.current(name) == "null"
    assert study.current("protocol exposures.walking_minutes.group") is None
