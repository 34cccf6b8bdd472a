"""outcome_questionnaire.sql: chronic low back pain at follow-up by the two-step question."""

from __future__ import annotations

from tests.sql.tables import answer, drawn

STRICT = {"study.mode": "strict"}
NOBODY = "person | baseline_date"
ANSWERS = """
    wave      | person   | pain_screen | low_back_box
    2021-2023 | pain     | yes         | true
    2021-2023 | no_box   | yes         | false
    2021-2023 | against  | no          | true
    2021-2023 | no_pain  | no          | false
    2021-2023 | unasked  | -           | false
    2021-2023 | box_only | -           | true
    """


def test_screen_then_box_decide_and_a_missing_screen_is_a_missing_outcome() -> None:
    expected = """
        person   | low_back_pain | box_against_screen
        pain     | 1             | false
        no_box   | 0             | false
        against  | 1             | true
        no_pain  | 0             | false
        unasked  | -             | false
        box_only | -             | -
        """
    assert answer("outcome_questionnaire", expected, followup_questionnaire=ANSWERS, cohort=NOBODY) == drawn(expected)


def test_strict_a_screen_answered_no_overrules_the_box_and_is_still_flagged() -> None:
    expected = """
        person   | low_back_pain | box_against_screen
        pain     | 1             | false
        no_box   | 0             | false
        against  | 0             | true
        no_pain  | 0             | false
        unasked  | -             | false
        box_only | -             | -
        """
    given = {"followup_questionnaire": ANSWERS, "cohort": NOBODY}
    assert answer("outcome_questionnaire", expected, STRICT, **given) == drawn(expected)


SEVERITY = """
    wave      | person     | pain_screen | low_back_box | leisure_limited
    2021-2023 | severe     | yes         | true         | yes
    2021-2023 | mild       | yes         | true         | no
    2021-2023 | unanswered | yes         | true         | -
    2021-2023 | elsewhere  | yes         | false        | yes
    2021-2023 | no_pain    | no          | false        | -
    2021-2023 | unasked    | -           | false        | yes
    """


def test_pain_that_is_not_severe_is_0_as_published_and_left_out_if_strict_in_either_mode() -> None:
    expected = """
        person     | severe_low_back_pain_as_published | severe_low_back_pain_strict
        severe     | 1                                 | 1
        mild       | 0                                 | -
        unanswered | 0                                 | -
        elsewhere  | 0                                 | 0
        no_pain    | 0                                 | 0
        unasked    | -                                 | -
        """
    given = {"followup_questionnaire": SEVERITY, "cohort": NOBODY}
    for mode in ({}, STRICT):
        assert answer("outcome_questionnaire", expected, mode, **given) == drawn(expected)


def test_a_box_against_the_screen_is_pain_as_published_and_none_if_strict_in_either_mode() -> None:
    answers = """
        wave      | person    | pain_screen | low_back_box
        2021-2023 | against   | no          | true
        2021-2023 | both      | yes         | true
        2021-2023 | elsewhere | yes         | false
        2021-2023 | unasked   | -           | true
        """
    expected = """
        person    | low_back_pain_as_published | low_back_pain_strict
        against   | 1                          | 0
        both      | 1                          | 1
        elsewhere | 0                          | 0
        unasked   | -                          | -
        """
    given = {"followup_questionnaire": answers, "cohort": NOBODY}
    for mode in ({}, STRICT):
        assert answer("outcome_questionnaire", expected, mode, **given) == drawn(expected)


def test_strict_severe_pain_needs_the_pain_that_the_screen_denies() -> None:
    answers = """
        wave      | person | pain_screen | low_back_box | leisure_limited
        2021-2023 | P1     | no          | true         | yes
        """
    expected = "low_back_pain | severe_low_back_pain_as_published | severe_low_back_pain_strict\n0 | 0 | 0"
    given = {"followup_questionnaire": answers, "cohort": NOBODY}
    assert answer("outcome_questionnaire", expected, STRICT, **given) == drawn(expected)


def test_follow_up_is_in_years_of_365_days_and_missing_outside_the_cohort() -> None:
    cohort = "person | baseline_date\nP1 | 2018-03-01\nP2 | -"
    answers = """
        wave      | person | answer_date
        2021-2023 | P1     | 2022-02-28
        2021-2023 | P2     | 2022-02-28
        2021-2023 | other  | 2022-02-28
        """
    # Four times 365 days after the baseline, with a leap day between, it is 28 February.
    expected = """
        person | follow_up_years | in_cohort
        P1     | 4               | true
        P2     | -               | true
        other  | -               | false
        """
    assert answer("outcome_questionnaire", expected, followup_questionnaire=answers, cohort=cohort) == drawn(expected)


def test_another_wave_is_left_alone() -> None:
    answers = "wave | person | pain_screen\n2021-2023 | P1 | no\n2024-2025 | P1 | yes"
    expected = "wave | person | pain_screen\n2021-2023 | P1 | no"
    assert answer("outcome_questionnaire", expected, followup_questionnaire=answers, cohort=NOBODY) == drawn(expected)
