"""attrition.sql: the exclusion steps with their counts."""

from __future__ import annotations

from tests.sql.tables import WAVE, answer, drawn


def test_every_step_is_in_order_also_one_that_excludes_nobody() -> None:
    exclusions = f"""
        wave   | person | reason
        {WAVE} | P1     | no_accelerometer_day
        {WAVE} | P2     | no_accelerometer_day
        {WAVE} | P3     | baseline_low_back_pain
        {WAVE} | P4     | covariate_missing
        {WAVE} | P5     | -
        {WAVE} | P6     | -
        """
    expected = f"""
        wave   | step | rule                    | excluded | remaining
        {WAVE} | 0    | cohort                  | 0        | 6
        {WAVE} | 1    | no_accelerometer_day    | 2        | 4
        {WAVE} | 2    | no_valid_walking_day    | 0        | 4
        {WAVE} | 3    | baseline_screen_missing | 0        | 4
        {WAVE} | 4    | baseline_low_back_pain  | 1        | 3
        {WAVE} | 5    | followup_screen_missing | 0        | 3
        {WAVE} | 6    | covariate_missing       | 1        | 2
        """
    assert answer("attrition", expected, exclusions=exclusions) == drawn(expected)


def test_people_of_another_wave_are_not_counted() -> None:
    exclusions = f"""
        wave    | person | reason
        {WAVE}  | P1     | -
        another | P1     | no_accelerometer_day
        """
    values = {"exclusions.order": ["no_accelerometer_day"]}
    expected = """
        step | rule                 | excluded | remaining
        0    | cohort               | 0        | 1
        1    | no_accelerometer_day | 0        | 1
        """
    assert answer("attrition", expected, values, exclusions=exclusions) == drawn(expected)


def test_a_wave_without_anybody_still_has_its_steps() -> None:
    values = {"exclusions.order": ["no_accelerometer_day"]}
    expected = "step | excluded | remaining\n0 | 0 | 0\n1 | 0 | 0"
    assert answer("attrition", expected, values, exclusions="wave | person | reason") == drawn(expected)
