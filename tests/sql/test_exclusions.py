"""exclusions.sql, then attrition.sql: who is left out, by which rule first, and how many that makes."""

from __future__ import annotations

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from stegvis.sql import sql_text
from tests.sizes import examples
from tests.sql.tables import WAVE, answer, create, database, drawn
from tests.study import PROTOCOL

COVARIATES = "sex | age | education | income | employment | smoking | depression"
KNOWN = "female | 50 | primary | low | employed | never | no"


def cohort(rows: str) -> str:
    """A cohort with all covariates known, from ``person | pain_screen | low_back_pain`` rows."""
    header, *lines = rows.strip().splitlines()
    return "\n".join([f"{header} | {COVARIATES}", *(f"{line} | {KNOWN}" for line in lines)])


WALKERS = "person | recorded_days | valid_days\n" + "\n".join(f"P{i} | 6 | 5" for i in range(1, 10))
ANSWERED = "wave | person | low_back_pain\n" + "\n".join(f"{WAVE} | P{i} | 0" for i in range(1, 10))


def test_each_rule_takes_those_it_is_about() -> None:
    people = cohort("""
        person | pain_screen | low_back_pain
        P1     | no          | no
        P2     | no          | no
        P3     | no          | no
        P4     | -           | -
        P5     | yes         | yes
        P6     | yes         | no
        P7     | no          | no
        P8     | no          | no
        """)
    exposures = """
        person | recorded_days | valid_days
        P1     | 0             | 0
        P3     | 6             | 0
        P4     | 6             | 1
        P5     | 6             | 5
        P6     | 6             | 5
        P7     | 6             | 5
        P8     | 6             | 5
        """
    answers = f"""
        wave    | person | low_back_pain
        {WAVE}  | P6     | 1
        {WAVE}  | P7     | -
        another | P8     | 0
        """
    expected = f"""
        wave   | person | reason                  | step
        {WAVE} | P1     | no_accelerometer_day    | 1
        {WAVE} | P2     | no_accelerometer_day    | 1
        {WAVE} | P3     | no_valid_walking_day    | 2
        {WAVE} | P4     | baseline_screen_missing | 3
        {WAVE} | P5     | baseline_low_back_pain  | 4
        {WAVE} | P6     | -                       | -
        {WAVE} | P7     | followup_screen_missing | 5
        {WAVE} | P8     | followup_screen_missing | 5
        """
    tables = {"cohort": people, "walking_exposures": exposures, "outcome_questionnaire": answers}
    assert answer("exclusions", expected, **tables) == drawn(expected)


def test_a_person_with_several_reasons_carries_the_first() -> None:
    people = """
        person | pain_screen | low_back_pain | sex
        P1     | -           | -             | -
        P2     | -           | -             | -
        P3     | -           | -             | -
        P4     | yes         | yes           | -
        P5     | no          | no            | -
        P6     | no          | no            | -
        """
    exposures = """
        person | recorded_days | valid_days
        P2     | 6             | 0
        P3     | 6             | 5
        P4     | 6             | 5
        P5     | 6             | 5
        P6     | 6             | 5
        """
    answers = f"wave | person | low_back_pain\n{WAVE} | P6 | 1"
    expected = """
        person | reason                  | step
        P1     | no_accelerometer_day    | 1
        P2     | no_valid_walking_day    | 2
        P3     | baseline_screen_missing | 3
        P4     | baseline_low_back_pain  | 4
        P5     | followup_screen_missing | 5
        P6     | covariate_missing       | 6
        """
    tables = {"cohort": people, "walking_exposures": exposures, "outcome_questionnaire": answers}
    assert answer("exclusions", expected, **tables) == drawn(expected)


def test_the_protocol_gives_the_order_and_its_steps() -> None:
    people = cohort("person | pain_screen | low_back_pain\nP1 | - | -\nP2 | no | no")
    values = {"exclusions.order": ["followup_screen_missing", "baseline_screen_missing"]}
    nobody = {"walking_exposures": "person | recorded_days", "outcome_questionnaire": "wave | person"}
    expected = """
        person | reason                  | step
        P1     | followup_screen_missing | 1
        P2     | followup_screen_missing | 1
        """
    assert answer("exclusions", expected, values, cohort=people, **nobody) == drawn(expected)


def test_each_of_the_seven_covariates_must_be_known() -> None:
    people = f"""
        person | pain_screen | low_back_pain | bmi | {COVARIATES}
        P1     | no          | no            | 25  | -      | 50 | primary | low | employed | never | no
        P2     | no          | no            | 25  | female | -  | primary | low | employed | never | no
        P3     | no          | no            | 25  | female | 50 | -       | low | employed | never | no
        P4     | no          | no            | 25  | female | 50 | primary | -   | employed | never | no
        P5     | no          | no            | 25  | female | 50 | primary | low | -        | never | no
        P6     | no          | no            | 25  | female | 50 | primary | low | employed | -     | no
        P7     | no          | no            | 25  | female | 50 | primary | low | employed | never | -
        P8     | no          | no            | -   | female | 50 | primary | low | employed | never | no
        """
    missing = "\n".join(f"P{i} | covariate_missing" for i in range(1, 8))
    expected = f"person | reason\n{missing}\nP8 | -"
    tables = {"cohort": people, "walking_exposures": WALKERS, "outcome_questionnaire": ANSWERED}
    assert answer("exclusions", expected, **tables) == drawn(expected)


def test_the_protocol_names_the_complete_case_covariates() -> None:
    people = """
        person | pain_screen | low_back_pain | sex    | age
        P1     | no          | no            | female | -
        P2     | no          | no            | -      | 50
        """
    values = {"exclusions.complete_case": ["sex"]}
    tables = {"cohort": people, "walking_exposures": WALKERS, "outcome_questionnaire": ANSWERED}
    expected = "person | reason\nP1 | -\nP2 | covariate_missing"
    assert answer("exclusions", expected, values, **tables) == drawn(expected)


def test_without_complete_case_covariates_nobody_is_left_out_for_one() -> None:
    people = "person | pain_screen | low_back_pain | sex | age\nP1 | no | no | - | -"
    tables = {"cohort": people, "walking_exposures": WALKERS, "outcome_questionnaire": ANSWERED}
    expected = "person | reason\nP1 | -"
    assert answer("exclusions", expected, {"exclusions.complete_case": []}, **tables) == drawn(expected)


def test_the_protocol_names_the_fewest_valid_days() -> None:
    people = cohort("person | pain_screen | low_back_pain\nP1 | no | no\nP2 | no | no")
    exposures = "person | recorded_days | valid_days\nP1 | 6 | 3\nP2 | 6 | 4"
    values = {"exposures.minimum_valid_days": 4}
    tables = {"cohort": people, "walking_exposures": exposures, "outcome_questionnaire": ANSWERED}
    expected = "person | reason\nP1 | no_valid_walking_day\nP2 | -"
    assert answer("exclusions", expected, values, **tables) == drawn(expected)


def test_an_answer_from_outside_the_cohort_adds_nobody() -> None:
    people = cohort("person | pain_screen | low_back_pain\nP1 | no | no")
    expected = "person | reason\nP1 | -"
    tables = {"cohort": people, "walking_exposures": WALKERS, "outcome_questionnaire": ANSWERED}
    assert answer("exclusions", expected, **tables) == drawn(expected)


PERSON = st.fixed_dictionaries(
    {
        "recorded_days": st.sampled_from([None, 0, 5]),
        "valid_days": st.sampled_from([0, 1, 5]),
        "pain_screen": st.sampled_from([None, "no", "yes"]),
        "low_back_box": st.booleans(),
        "answered": st.booleans(),
        "outcome": st.sampled_from([None, 0, 1]),
        "sex": st.sampled_from([None, "female", "male"]),
        "age": st.sampled_from([None, 50.0]),
        "depression": st.sampled_from([None, "no", "yes"]),
    }
)


def oracle(people: pd.DataFrame) -> list[tuple[str, int, int]]:
    """The published order as a funnel, in plain pandas: rule, how many it takes, how many remain."""
    keep = {
        "no_accelerometer_day": people["recorded_days"].fillna(0) > 0,
        "no_valid_walking_day": people["recorded_days"].notna() & (people["valid_days"] >= 1),
        "baseline_screen_missing": people["pain_screen"].notna(),
        "baseline_low_back_pain": ~people["low_back_box"],
        "followup_screen_missing": people["answered"] & people["outcome"].notna(),
        "covariate_missing": people[["sex", "age", "depression"]].notna().all(axis=1),
    }
    left, steps = people, [("cohort", 0, len(people))]
    for rule, kept in keep.items():
        after = left[kept[left.index]]
        steps.append((rule, len(left) - len(after), len(after)))
        left = after
    return steps


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(PERSON, min_size=1, max_size=25))
def test_cohort_to_attrition_equals_a_funnel_in_plain_pandas(drawn_people: list[dict[str, object]]) -> None:
    people = pd.DataFrame(drawn_people)
    people.insert(0, "person", [f"P{i}" for i in range(len(people))])
    known = dict.fromkeys(["education", "income", "employment", "smoking"], "known")
    back_pain = people["low_back_box"].map({True: "yes", False: "no"}).where(people["pain_screen"].notna())
    worn = people[people["recorded_days"].notna()][["person", "recorded_days", "valid_days"]]
    answers = people[people["answered"]].assign(wave=WAVE, low_back_pain=people["outcome"])
    with database(
        "exclusions",
        cohort=people.assign(low_back_pain=back_pain, **known),
        walking_exposures=worn,
        outcome_questionnaire=answers[["wave", "person", "low_back_pain"]],
    ) as connection:
        create(connection, "exclusions", connection.execute(sql_text("exclusions")).df())
        found = connection.execute(f"select rule, excluded, remaining from ({sql_text('attrition')}) order by step")
        assert found.fetchall() == oracle(people)


def test_the_oracle_knows_the_order_of_the_protocol() -> None:
    everyone = pd.DataFrame([dict.fromkeys(["sex", "age", "depression", "pain_screen", "outcome"])])
    everyone = everyone.assign(recorded_days=None, valid_days=0, low_back_box=False, answered=False)
    assert [rule for rule, _, _ in oracle(everyone)[1:]] == list(PROTOCOL.exclusions.order)
