"""cohort.sql: how the baseline covariates are coded, and chronic low back pain at baseline."""

from __future__ import annotations

import pytest

from tests.sql.tables import answer, drawn

STRICT = {"study.mode": "strict"}
NO_RECORDINGS = "person | status"


def coded(column: str, **cells: str) -> str:
    """One covariate of one person who gave these answers."""
    given = " | ".join(["person", *cells]) + "\n" + " | ".join(["P1", *cells.values()])
    ((cell,),) = answer("cohort", column, baseline_questionnaire=given, recordings=NO_RECORDINGS)
    return cell


@pytest.mark.parametrize(("score", "depression"), [("0", "no"), ("6", "no"), ("7", "yes"), ("21", "yes"), ("-", "-")])
def test_depression_is_a_score_of_7_or_more(score: str, depression: str) -> None:
    assert coded("depression", depression_score=score) == depression


def test_the_protocol_names_the_depression_cut() -> None:
    people = "person | depression_score\nP1 | 7\nP2 | 8"
    expected = "person | depression\nP1 | no\nP2 | yes"
    values = {"covariates.cuts": {"depression": 8}}
    assert answer("cohort", expected, values, baseline_questionnaire=people, recordings=NO_RECORDINGS) == drawn(
        expected
    )


@pytest.mark.parametrize(("age", "older"), [("64.9", "false"), ("65", "true"), ("80", "true"), ("-", "-")])
def test_older_is_65_or_more(age: str, older: str) -> None:
    assert coded("older", age=age) == older


@pytest.mark.parametrize(
    ("clinic", "home", "bmi"), [("25", "27", "25"), ("-", "27", "27"), ("25", "-", "25"), ("-", "-", "-")]
)
def test_body_mass_index_is_the_clinics_else_that_taken_at_home(clinic: str, home: str, bmi: str) -> None:
    assert coded("bmi", bmi_clinic=clinic, bmi_home=home) == bmi


@pytest.mark.parametrize(
    ("employment", "delivered", "work_type"),
    [
        ("employed", "heavy manual", "heavy manual"),
        ("employed", "-", "none"),
        ("non-employed", "heavy manual", "none"),
        ("non-employed", "-", "none"),
        ("-", "much walking", "much walking"),
        ("-", "-", "none"),
    ],
)
def test_work_type_is_none_when_not_employed_or_not_answered(employment: str, delivered: str, work_type: str) -> None:
    assert coded("work_type", employment=employment, work_type=delivered) == work_type


DISEASES = ["diabetes", "cancer", "angina", "infarction", "heart_failure", "atrial_fibrillation", "stroke"]
ALL_NO = dict.fromkeys(DISEASES, "no")


@pytest.mark.parametrize("disease", DISEASES)
def test_any_disease_is_a_yes_even_when_the_others_are_missing(disease: str) -> None:
    assert coded("other_disease", **{disease: "yes"}) == "yes"
    assert coded("other_disease", **ALL_NO | {disease: "yes"}) == "yes"


@pytest.mark.parametrize("disease", DISEASES)
def test_no_disease_needs_all_seven_to_be_no(disease: str) -> None:
    assert coded("other_disease", **ALL_NO) == "no"
    assert coded("other_disease", **ALL_NO | {disease: "-"}) == "-"


@pytest.mark.parametrize(
    ("screen", "box", "published", "strict", "flag"),
    [
        ("yes", "true", "yes", "yes", "false"),
        ("yes", "false", "no", "no", "false"),
        ("no", "true", "yes", "no", "true"),
        ("no", "false", "no", "no", "false"),
        ("-", "false", "-", "-", "false"),
        ("-", "true", "-", "-", "-"),
    ],
)
def test_low_back_pain_is_screen_then_box(screen: str, box: str, published: str, strict: str, flag: str) -> None:
    people = f"person | pain_screen | low_back_box\nP1 | {screen} | {box}"
    given = {"baseline_questionnaire": people, "recordings": NO_RECORDINGS}
    columns = "low_back_pain | box_against_screen"
    assert answer("cohort", columns, **given) == [(published, flag)]
    assert answer("cohort", columns, STRICT, **given) == [(strict, flag)]


def test_a_recording_counts_once_it_is_accepted() -> None:
    people = "person\nnobody\nrefused\ntwice\nother"
    recordings = """
        batch | person  | status
        north | refused | refused
        north | twice   | accepted
        south | twice   | accepted
        north | twice   | superseded
        north | unknown | accepted
        """
    expected = """
        person  | has_recording
        nobody  | false
        refused | false
        twice   | true
        other   | false
        """
    assert answer("cohort", expected, baseline_questionnaire=people, recordings=recordings) == drawn(expected)


def test_the_other_answers_are_taken_as_they_are() -> None:
    people = """
        person | baseline_date | sex    | age  | education | income | employment | smoking | self_rated_health | pain_last_4_weeks | exercise_frequency | pain_screen
        P1     | 2018-03-01    | female | 55.5 | primary   | low    | employed   | former  | good              | mild              | never              | no
        """
    given = {"baseline_questionnaire": people, "recordings": NO_RECORDINGS}
    assert answer("cohort", people, **given) == drawn(people)
