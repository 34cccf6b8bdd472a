"""daily_exposures.sql: seconds of a day, and the day rule (Haddadj 2025, doi 10.1001/jamanetworkopen.2025.15592)."""

from __future__ import annotations

import pytest

from tests.sql.tables import answer, drawn, frame_of

DAY = """
batch | person | day | lying | sitting | standing | walking_slow | walking_moderate | walking_brisk | walking | running | cycling
north | P1     | 1   | 30000 | 30000   | 19000    | 4000         | 2000             | 1000          | 7000    | 200     | 200
"""
NO_EPOCHS = "person | epoch_start | activity | speed"


def validity(**cells: str) -> tuple[str, str]:
    """Validity and its reason for a full day with some of its cells changed."""
    day = frame_of(DAY).assign(**{name: None if cell == "-" else cell for name, cell in cells.items()})
    ((reason, valid),) = answer("daily_exposures", "reason | valid", delivered_days=day, epochs=NO_EPOCHS)
    return valid, reason


def test_a_day_with_every_activity_counts() -> None:
    assert validity() == ("true", "-")


@pytest.mark.parametrize("activity", ["lying", "sitting", "standing", "walking"])
def test_an_exact_zero_of_each_daily_activity_disqualifies_the_day(activity: str) -> None:
    assert validity(**{activity: "0"}) == ("false", f"no {activity}")


@pytest.mark.parametrize("activity", ["lying", "sitting", "standing", "walking"])
def test_almost_zero_is_not_zero(activity: str) -> None:
    assert validity(**{activity: "0.001"}) == ("true", "-")


@pytest.mark.parametrize("activity", ["running", "cycling", "walking_slow", "walking_moderate", "walking_brisk"])
def test_zero_of_any_other_activity_does_not(activity: str) -> None:
    assert validity(**{activity: "0"}) == ("true", "-")


@pytest.mark.parametrize("activity", ["lying", "sitting", "standing", "running", "cycling"])
def test_a_missing_component_does_not_disqualify(activity: str) -> None:
    assert validity(**{activity: "-"}) == ("true", "-")


def test_a_day_without_its_walking_total_does_not_count() -> None:
    assert validity(walking="-") == ("false", "walking missing")


def test_a_zero_is_named_before_a_missing_walking_total() -> None:
    assert validity(walking="-", standing="0") == ("false", "no standing")


def test_a_day_on_which_nothing_was_recorded_does_not_count() -> None:
    days = """
        batch | person | day | lying | running | walking
        north | P1     | 1   | -     | -       | -
        north | P1     | 2   | -     | -       | 7000
        north | P1     | 3   | -     | 10      | 7000
        """
    # The eight activities decide whether a day was recorded; the walking total is not one of them.
    expected = """
        day | recorded | valid | reason
        1   | false    | false | nothing recorded
        2   | false    | false | nothing recorded
        3   | true     | true  | -
        """
    assert answer("daily_exposures", expected, delivered_days=days, epochs=NO_EPOCHS) == drawn(expected)


def test_the_protocol_names_the_activities_of_the_day_rule() -> None:
    expected = "valid | reason\nfalse | no cycling"
    day = frame_of(DAY).assign(cycling="0", lying="0")
    values = {"days.must_be_positive": ["cycling"]}
    assert answer("daily_exposures", expected, values, delivered_days=day, epochs=NO_EPOCHS) == drawn(expected)


def test_only_the_days_of_the_batch_are_taken() -> None:
    days = """
        batch | person | day | lying
        north | P1     | 1   | 10
        south | P2     | 1   | 10
        """
    expected = "batch | person | source\nnorth | P1 | day totals"
    assert answer("daily_exposures", expected, delivered_days=days, epochs=NO_EPOCHS) == drawn(expected)


@pytest.mark.parametrize(
    ("total", "shown"), [("7000", "true"), ("7005", "true"), ("6995", "true"), ("7005.5", "false"), ("-", "-")]
)
def test_speed_classes_sum_to_total_walking_within_the_tolerance(total: str, shown: str) -> None:
    day = frame_of(DAY).assign(walking=None if total == "-" else total)
    expected = f"speeds_sum_to_walking\n{shown}"
    assert answer("daily_exposures", expected, delivered_days=day, epochs=NO_EPOCHS) == drawn(expected)


# The rest of the day takes 56,400 s of 86,400; 5 s may be missing.
@pytest.mark.parametrize(("lying", "shown"), [("30000", "true"), ("29995", "true"), ("29994", "false"), ("-", "-")])
def test_a_day_has_24_hours_within_the_tolerance(lying: str, shown: str) -> None:
    day = frame_of(DAY).assign(lying=None if lying == "-" else lying)
    expected = f"whole_day\n{shown}"
    assert answer("daily_exposures", expected, delivered_days=day, epochs=NO_EPOCHS) == drawn(expected)


NO_DAYS = "batch | person | day"


def test_epochs_become_seconds_by_activity_and_speed() -> None:
    epochs = """
        person | epoch_start         | activity | speed
        P1     | 2018-03-01 00:00:00 | lying    | -
        P1     | 2018-03-01 00:00:05 | sitting  | -
        P1     | 2018-03-01 00:00:10 | sitting  | -
        P1     | 2018-03-01 00:00:15 | standing | -
        P1     | 2018-03-01 00:00:20 | walking  | slow
        P1     | 2018-03-01 00:00:25 | walking  | slow
        P1     | 2018-03-01 00:00:30 | walking  | moderate
        P1     | 2018-03-01 00:00:35 | walking  | brisk
        P1     | 2018-03-01 00:00:40 | running  | -
        P1     | 2018-03-01 00:00:45 | cycling  | -
        """
    expected = """
        person | day | date       | source | lying | sitting | standing | walking_slow | walking_moderate | walking_brisk | walking | running | cycling
        P1     | 1   | 2018-03-01 | epochs | 5     | 10      | 5        | 10           | 5                | 5             | 20      | 5       | 5
        """
    assert answer("daily_exposures", expected, epochs=epochs, delivered_days=NO_DAYS) == drawn(expected)


def test_a_day_ends_at_midnight_and_days_are_numbered_from_the_first() -> None:
    epochs = """
        person | epoch_start         | activity
        P1     | 2018-03-01 23:59:55 | lying
        P1     | 2018-03-02 00:00:00 | lying
        P1     | 2018-03-04 12:00:00 | lying
        P2     | 2018-03-04 12:00:00 | sitting
        """
    expected = """
        person | day | date       | lying | sitting
        P1     | 1   | 2018-03-01 | 5     | 0
        P1     | 2   | 2018-03-02 | 5     | 0
        P1     | 3   | 2018-03-04 | 5     | 0
        P2     | 1   | 2018-03-04 | 0     | 5
        """
    assert answer("daily_exposures", expected, epochs=epochs, delivered_days=NO_DAYS) == drawn(expected)


def test_non_wear_is_no_activity_and_a_day_of_it_is_no_day() -> None:
    epochs = """
        person | epoch_start         | activity
        P1     | 2018-03-01 12:00:00 | nonwear
        P1     | 2018-03-02 12:00:00 | nonwear
        P1     | 2018-03-02 12:00:05 | lying
        """
    expected = "day | date | lying\n1 | 2018-03-02 | 5"
    assert answer("daily_exposures", expected, epochs=epochs, delivered_days=NO_DAYS) == drawn(expected)


def test_an_activity_without_epochs_is_an_exact_zero() -> None:
    epochs = """
        person | epoch_start         | activity | speed
        P1     | 2018-03-01 12:00:00 | sitting  | -
        P1     | 2018-03-01 12:00:05 | standing | -
        P1     | 2018-03-01 12:00:10 | walking  | slow
        """
    expected = "valid | reason\nfalse | no lying"
    assert answer("daily_exposures", expected, epochs=epochs, delivered_days=NO_DAYS) == drawn(expected)


def test_a_thigh_sensor_alone_does_not_know_lying_apart_from_sitting() -> None:
    epochs = """
        person | epoch_start         | activity | speed | wear_back | wear_thigh
        P1     | 2018-03-01 12:00:00 | lying    | -     | -         | true
        P1     | 2018-03-01 12:00:05 | sitting  | -     | -         | true
        P1     | 2018-03-01 12:00:10 | standing | -     | -         | true
        P1     | 2018-03-01 12:00:15 | walking  | slow  | -         | true
        P1     | 2018-03-01 12:00:20 | nonwear  | -     | -         | false
        P2     | 2018-03-01 12:00:00 | lying    | -     | true      | true
        P3     | 2018-03-01 12:00:00 | lying    | -     | -         | -
        """
    expected = """
        person | lying | sitting | walking | worn | wear_back | wear_thigh | valid | whole_day
        P1     | -     | 10      | 5       | 20   | -         | 20         | true  | -
        P2     | 5     | 0       | 0       | 5    | 5         | 5          | false | false
        P3     | 5     | 0       | 0       | 5    | -         | -          | false | false
        """
    assert answer("daily_exposures", expected, epochs=epochs, delivered_days=NO_DAYS) == drawn(expected)


def test_walking_without_its_speed_has_a_volume_and_no_speed_classes() -> None:
    epochs = """
        person | epoch_start         | activity | speed
        P1     | 2018-03-01 12:00:00 | walking  | slow
        P1     | 2018-03-01 12:00:05 | walking  | -
        """
    expected = "walking | walking_slow | walking_moderate | walking_brisk\n10 | - | - | -"
    assert answer("daily_exposures", expected, epochs=epochs, delivered_days=NO_DAYS) == drawn(expected)


@pytest.mark.parametrize(
    ("rule", "lying", "expected"),
    [
        ("whole_day", "30000", ("true", "-")),
        ("whole_day", "29999", ("false", "under 24 hours")),
        ("worn", "15600", ("true", "-")),
        ("worn", "15599", ("false", "worn too little")),
        ("as_published", "1", ("true", "-")),
    ],
)
def test_the_protocol_may_ask_for_24_hour_days_or_for_hours_of_wear(
    rule: str, lying: str, expected: tuple[str, str]
) -> None:
    """The other activities of the day take 56,400 seconds: 86,400 and 72,000 (20 hours) are reached with lying."""
    day = frame_of(DAY).assign(lying=lying)
    ((reason, valid),) = answer(
        "daily_exposures", "reason | valid", {"days.rule": rule}, delivered_days=day, epochs=NO_EPOCHS
    )
    assert (valid, reason) == expected


def test_all_three_day_rules_are_shown_side_by_side() -> None:
    day = frame_of(DAY).assign(lying="20000", standing="0")
    shown = "valid_as_published | valid_whole_day | valid_worn"
    assert answer("daily_exposures", shown, delivered_days=day, epochs=NO_EPOCHS) == [("false", "false", "false")]
    day = frame_of(DAY).assign(lying="20000")
    assert answer("daily_exposures", shown, delivered_days=day, epochs=NO_EPOCHS) == [("true", "false", "true")]


def test_wear_of_each_sensor_is_given_where_it_is_known() -> None:
    epochs = """
        person | epoch_start         | activity | wear_back | wear_thigh
        P1     | 2018-03-01 12:00:00 | sitting  | true      | true
        P1     | 2018-03-01 12:00:05 | nonwear  | true      | false
        P1     | 2018-03-01 12:00:10 | nonwear  | true      | false
        P2     | 2018-03-01 12:00:00 | sitting  | -         | -
        """
    expected = """
        person | worn | wear_back | wear_thigh
        P1     | 5    | 15        | 5
        P2     | 5    | -         | -
        """
    days = "batch | person | day"
    assert answer("daily_exposures", expected, epochs=epochs, delivered_days=days) == drawn(expected)
