"""walking_exposures.sql: volume, intensity and the other means per person."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stegvis.sql import sql_text
from tests.sizes import examples
from tests.sql.tables import answer, database, drawn


def test_volume_is_the_mean_of_total_walking_over_valid_days() -> None:
    days = """
        person | day | recorded | valid | walking
        P1     | 1   | true     | true  | 3600
        P1     | 2   | true     | true  | 7200
        P1     | 3   | true     | false | 60000
        """
    expected = """
        person | recorded_days | valid_days | walking_minutes
        P1     | 3             | 2          | 90
        """
    assert answer("walking_exposures", expected, daily_exposures=days) == drawn(expected)


def test_intensity_is_a_ratio_of_means_not_a_mean_of_daily_ratios() -> None:
    days = """
        person | day | recorded | valid | walking_slow | walking_moderate | walking_brisk | walking
        P1     | 1   | true     | true  | 6000         | 0                | 0             | 6000
        P1     | 2   | true     | true  | 0            | 0                | 2000          | 2000
        """
    # (2.8 * 6000 + 4.8 * 2000) / 8000 = 3.3; the mean of the daily 2.8 and 4.8 would be 3.8.
    expected = """
        walking_slow_minutes | walking_moderate_minutes | walking_brisk_minutes | walking_minutes | walking_met
        50                   | 0                        | 16.66666667           | 66.66666667     | 3.3
        """
    assert answer("walking_exposures", expected, daily_exposures=days) == drawn(expected)


def test_the_weights_are_2_8_3_8_and_4_8_met() -> None:
    days = """
        person | recorded | valid | walking_slow | walking_moderate | walking_brisk | walking
        slow   | true     | true  | 6000         | 0                | 0             | 6000
        medium | true     | true  | 0            | 6000             | 0             | 6000
        brisk  | true     | true  | 0            | 0                | 6000          | 6000
        """
    expected = """
        person | walking_met
        slow   | 2.8
        medium | 3.8
        brisk  | 4.8
        """
    assert answer("walking_exposures", expected, daily_exposures=days) == drawn(expected)


def test_speed_classes_are_weighted_against_the_delivered_total() -> None:
    days = """
        person | recorded | valid | walking_slow | walking_moderate | walking_brisk | walking
        P1     | true     | true  | 4000         | 0                | 0             | 5000
        """
    expected = "walking_met\n2.24"
    assert answer("walking_exposures", expected, daily_exposures=days) == drawn(expected)


RUNS = """
    person | day | recorded | valid | running | cycling
    P1     | 1   | true     | true  | 600     | 1200
    P1     | 2   | true     | false | 0       | 6000
    P1     | 3   | false    | false | -       | -
    """


def test_running_and_cycling_are_means_over_recorded_days_as_published_and_over_valid_days_if_strict() -> None:
    expected = "running_cycling_minutes_as_published | running_cycling_minutes_strict\n65 | 30"
    assert answer("walking_exposures", expected, daily_exposures=RUNS) == drawn(expected)


def test_the_day_is_averaged_over_days_that_count_and_are_whole() -> None:
    days = """
        person | day | recorded | valid | whole_day | lying | sitting | standing | walking | running | cycling
        P1     | 1   | true     | true  | true      | 28800 | 36000   | 14400    | 6600    | 600     | 0
        P1     | 2   | true     | true  | true      | 28800 | 36000   | 14400    | 5400    | 0       | 1800
        P1     | 3   | true     | true  | false     | 28800 | 0       | 14400    | 5400    | 0       | 0
        P1     | 4   | true     | false | true      | 86400 | 0       | 0        | 0       | 0       | 0
        P1     | 5   | true     | true  | -         | -     | 36000   | 14400    | 6000    | 0       | 0
        P2     | 1   | true     | true  | false     | 100   | 100     | 100      | 100     | 0       | 0
        """
    expected = """
        person | valid_days | whole_days | whole_day_lying_minutes | whole_day_sitting_minutes | whole_day_standing_minutes | whole_day_walking_minutes | whole_day_running_minutes | whole_day_cycling_minutes
        P1     | 4          | 2          | 480                     | 600                       | 240                        | 100                       | 5                         | 15
        P2     | 1          | 0          | -                       | -                         | -                          | -                         | -                         | -
        """
    assert answer("walking_exposures", expected, daily_exposures=days) == drawn(expected)


def test_of_two_batches_the_later_by_name_counts_whole() -> None:
    days = """
        batch | person | day | recorded | valid | walking
        a     | P1     | 1   | true     | true  | 6000
        a     | P1     | 2   | true     | true  | 6000
        b     | P1     | 1   | true     | false | 1200
        b     | P2     | 1   | true     | true  | 1200
        a     | P3     | 1   | true     | true  | 600
        """
    # P1's later recording has no valid day; the earlier one does not step in.
    expected = """
        person | batch | recorded_days | valid_days | walking_minutes
        P1     | b     | 1             | 0          | -
        P2     | b     | 1             | 1          | 20
        P3     | a     | 1             | 1          | 10
        """
    assert answer("walking_exposures", expected, daily_exposures=days) == drawn(expected)


def test_without_a_valid_day_there_is_no_volume_and_no_intensity() -> None:
    days = """
        person | recorded | valid | walking_slow | walking
        P1     | true     | false | 100          | 100
        """
    expected = "recorded_days | valid_days | walking_minutes | walking_met\n1 | 0 | - | -"
    assert answer("walking_exposures", expected, daily_exposures=days) == drawn(expected)


def test_walking_without_speeds_has_a_volume_and_no_intensity() -> None:
    days = "person | recorded | valid | walking\nP1 | true | true | 6000"
    expected = "walking_minutes | walking_met\n100 | -"
    assert answer("walking_exposures", expected, daily_exposures=days) == drawn(expected)


# Seconds as a sensor counts them: a missing cell, an exact zero, or a multiple of an epoch.
SECONDS = st.one_of(st.none(), st.just(0.0), st.integers(1, 2000).map(lambda epochs: 5.0 * epochs))
ACTIVITIES = ["lying", "sitting", "standing", "walking_slow", "walking_moderate", "walking_brisk", "running", "cycling"]


@st.composite
def delivered_days(draw: st.DrawFn) -> pd.DataFrame:
    """Day totals of a few people in two batches; total walking is its speed classes, or missing with one of them."""
    places = draw(
        st.lists(
            st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["P1", "P2", "P3"]), st.integers(1, 4)),
            min_size=1,
            max_size=14,
            unique=True,
        )
    )
    days = pd.DataFrame(places, columns=["batch", "person", "day"])
    for activity in ACTIVITIES:
        days[activity] = pd.Series([draw(SECONDS) for _ in places], dtype="float64")
    days["walking"] = days["walking_slow"] + days["walking_moderate"] + days["walking_brisk"]
    return days


def oracle(days: pd.DataFrame) -> pd.DataFrame:
    """The day rule and the means over days, in plain pandas."""
    days = days[days["batch"] == days.groupby("person")["batch"].transform("max")]
    days = days[days[ACTIVITIES].notna().any(axis=1)]
    zero = (days[["lying", "sitting", "standing", "walking"]] == 0).any(axis=1)
    valid = days[~zero & days["walking"].notna()]
    people = sorted(days["person"].unique())
    walks = valid.groupby("person")[["walking_slow", "walking_moderate", "walking_brisk", "walking"]].mean() / 60
    walks = walks.reindex(people)
    others = days.groupby("person")[["running", "cycling"]].mean() / 60
    weighted = 2.8 * walks["walking_slow"] + 3.8 * walks["walking_moderate"] + 4.8 * walks["walking_brisk"]
    return pd.DataFrame(
        {
            "valid_days": valid.groupby("person").size().reindex(people, fill_value=0),
            "walking_minutes": walks["walking"],
            "running_cycling_minutes_as_published": others["running"] + others["cycling"],
            "walking_met": weighted / walks["walking"],
        }
    )


@pytest.mark.slow
@settings(max_examples=examples(30), deadline=None)
@given(delivered_days())
def test_delivered_days_to_exposures_equals_plain_pandas(days: pd.DataFrame) -> None:
    batches = []
    for batch, part in days.groupby("batch"):
        with database("daily_exposures", delivered_days=part, epochs="person | epoch_start | activity") as connection:
            connection.execute("set variable batch = ?", [batch])
            batches.append(connection.execute(sql_text("daily_exposures")).df())
    with database("walking_exposures", daily_exposures=pd.concat(batches, ignore_index=True)) as connection:
        found = connection.execute(sql_text("walking_exposures")).df().set_index("person").sort_index()
    found = found[found["recorded_days"] > 0]
    expected = oracle(days)
    assert list(found.index) == list(expected.index)
    for column in expected:
        np.testing.assert_allclose(
            found[column].to_numpy(dtype="float64"), expected[column].to_numpy(dtype="float64"), rtol=1e-12
        )
