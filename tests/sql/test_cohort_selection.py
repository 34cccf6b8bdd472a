"""cohort_selection.sql: everyone at baseline, with the steps to a wave's analysis that each person passed."""

from __future__ import annotations

from tests.sql.tables import WAVE, answer, columns_of, drawn

COHORT = """
    person | sex    | age | education | income | employment | smoking | depression | pain_screen | low_back_pain
    P1     | female | 50  | primary   | low    | employed   | never   | no         | no          | no
    P2     | male   | 70  | -         | low    | employed   | former  | no         | yes         | no
    P3     | male   | 60  | primary   | low    | employed   | never   | no         | yes         | yes
    P4     | male   | 60  | primary   | low    | employed   | never   | -          | -           | -
    P5     | male   | -   | primary   | low    | employed   | never   | no         | no          | no
    """
EXPOSURES = """
    person | recorded_days | valid_days | walking_minutes | walking_met
    P1     | 6             | 5          | 100             | 3.1
    P2     | 7             | 0          | -               | -
    P3     | 7             | 7          | 90              | 3.2
    P5     | 3             | 1          | 80              | -
    """
OUTCOME = f"""
    wave    | person | low_back_pain
    {WAVE}  | P1     | 1
    another | P2     | 0
    {WAVE}  | P3     | -
    {WAVE}  | P4     | 0
    """
TABLES = {"cohort": COHORT, "walking_exposures": EXPOSURES, "outcome_questionnaire": OUTCOME}


def test_everyone_at_baseline_has_the_steps_they_passed_whatever_the_others() -> None:
    expected = """
        person | baseline_answered | had_outcome | recorded | answered | walking_minutes | walking_met
        P1     | true              | false       | true     | true     | 100             | 3.1
        P2     | true              | false       | false    | false    | -               | -
        P3     | true              | true        | true     | false    | 90              | 3.2
        P4     | false             | -           | false    | true     | -               | -
        P5     | true              | false       | true     | false    | 80              | -
        """
    assert answer("cohort_selection", expected, **TABLES) == drawn(expected)


def test_the_answers_that_the_models_use_come_with_it_and_no_others() -> None:
    expected = """
        person | age | education | depression
        P1     | 50  | primary   | no
        P2     | 70  | -         | no
        P3     | 60  | primary   | no
        P4     | 60  | primary   | -
        P5     | -   | primary   | no
        """
    assert answer("cohort_selection", expected, **TABLES) == drawn(expected)
    assert {"bmi", "work_type", "low_back_pain", "pain_screen"}.isdisjoint(columns_of("cohort_selection"))


def test_the_fewest_valid_days_are_those_of_the_protocol() -> None:
    expected = """
        person | recorded
        P1     | true
        P2     | false
        P3     | true
        P4     | false
        P5     | false
        """
    values = {"exposures.minimum_valid_days": 4}
    assert answer("cohort_selection", expected, values, **TABLES) == drawn(expected)
