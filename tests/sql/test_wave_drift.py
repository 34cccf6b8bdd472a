"""wave_drift.sql: how a wave differs from all earlier waves together."""

from __future__ import annotations

from tests.sql.tables import answer, drawn

ANSWERS = """
    wave | person | pain_screen | follow_up_years
    A    | P1     | yes         | 1
    A    | P2     | no          | 1
    A    | P3     | no          | 2
    A    | P4     | -           | 2
    B    | P1     | yes         | 4
    B    | P2     | -           | 4
    """
ELIGIBLE = """
    wave | person | answered | low_back_pain | sex    | age | walking_minutes
    A    | P1     | true     | 1             | female | 41  | 20
    A    | P2     | true     | 0             | male   | 42  | 77.9
    A    | P3     | true     | 0             | male   | 51  | 78
    A    | P4     | false    | -             | male   | 90  | 200
    B    | P1     | true     | 1             | female | 41  | 20
    B    | P2     | false    | -             | male   | 42  | 77.9
    B    | P3     | false    | -             | male   | 51  | 78
    B    | P4     | false    | -             | male   | 90  | 200
    """


def test_the_first_wave_has_nothing_to_differ_from() -> None:
    expected = """
        wave | earlier_waves | answers_ratio | response_difference | age_distance | follow_up_years_difference
        A    | 0             | -             | -                   | -            | -
        """
    found = answer("wave_drift", expected, outcome_questionnaire=ANSWERS, eligible_people=ELIGIBLE)
    assert found[0] == drawn(expected)[0]


def test_a_later_wave_is_compared_with_those_before() -> None:
    expected = """
        wave | earlier_waves | answers_ratio | response_difference | prevalence_difference | screen_missing_difference
        B    | 1             | 0.5           | -0.5                | 0.6666666666666667    | 0.25
        """
    found = answer("wave_drift", expected, outcome_questionnaire=ANSWERS, eligible_people=ELIGIBLE)
    assert found[1] == drawn(expected)[0]
    expected = """
        wave | women_difference   | mean_age_difference | age_distance       | walking_distance   | follow_up_years_difference
        B    | 0.6666666666666667 | -3.6666666666666643 | 0.3333333333333333 | 0.3333333333333333 | 2.5
        """
    found = answer("wave_drift", expected, outcome_questionnaire=ANSWERS, eligible_people=ELIGIBLE)
    assert found[1] == drawn(expected)[0]


def test_a_third_wave_is_compared_with_both_before_it() -> None:
    third = ANSWERS + "C | P1 | no | 8\n    C | P2 | no | 8\n    C | P3 | no | 8\n    "
    people = ELIGIBLE + "C | P1 | true | 0 | female | 41 | 20\n    "
    expected = """
        wave | earlier_waves | answers_ratio | response_difference | prevalence_difference
        C    | 2             | 1             | 0.5                 | -0.5
        """
    found = answer("wave_drift", expected, outcome_questionnaire=third, eligible_people=people)
    assert found[2] == drawn(expected)[0]
