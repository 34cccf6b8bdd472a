"""analysis_set.sql: the eligible people without a reason."""

from __future__ import annotations

from tests.sql.tables import WAVE, answer, drawn

ELIGIBLE = f"""
    wave    | person | reason                  | answered | walking_minutes | low_back_pain
    {WAVE}  | P2     | -                       | true     | 100             | 1
    {WAVE}  | P1     | -                       | true     | 80              | 0
    another | P1     | -                       | true     | 80              | 1
    {WAVE}  | P3     | followup_screen_missing | false    | 90              | -
    {WAVE}  | P4     | covariate_missing       | true     | 90              | 0
    """


def test_exactly_the_people_without_a_reason_are_analyzed_in_order() -> None:
    expected = f"""
        wave   | person | walking_minutes | low_back_pain
        {WAVE} | P1     | 80              | 0
        {WAVE} | P2     | 100             | 1
        """
    assert answer("analysis_set", expected, eligible_people=ELIGIBLE) == drawn(expected)
