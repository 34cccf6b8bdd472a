"""A raw day: the whole of one full day, with the totals it has."""

import numpy as np
import pytest

from stegvis.accelerometry.activity import ActivityCode
from stegvis.twin.parameters import parameters
from stegvis.twin.raw_days import draw_raw_day
from stegvis.twin.walking import ACTIVITIES, WALKING
from tests.study import PROTOCOL

MONDAY = np.datetime64("2018-03-05", "D")


def week(walking: int = 5_000) -> np.ndarray:
    """Seven equal days, seconds."""
    day = {"lying": 30_000, "standing": 20_000, "running": 300, "cycling": 200, "walking": walking}
    day |= {"walking_slow": 1_000, "walking_moderate": 3_000, "walking_brisk": walking - 4_000}
    day["sitting"] = 86_400 - sum(seconds for name, seconds in day.items() if name != "walking")
    return np.tile(np.array([float(day[name]) for name in ACTIVITIES]), (7, 1))


@pytest.mark.parametrize("first_full", [0, 2, 6])
def test_it_is_the_first_full_day_from_midnight_to_midnight(first_full):
    full = np.arange(7) >= first_full
    day = draw_raw_day("P1", MONDAY, week(), full, 1, parameters().epochs, PROTOCOL)
    assert day.start == (MONDAY + first_full).astype("datetime64[s]")
    assert len(day.sequence.activity) == 86_400


def test_its_activities_add_up_to_the_day_totals():
    totals = week()[0]
    seconds = draw_raw_day(
        "P1", MONDAY, week(), np.ones(7, dtype=bool), 1, parameters().epochs, PROTOCOL
    ).sequence.seconds()
    for name in ("lying", "standing", "running", "cycling"):
        assert seconds[name] == totals[ACTIVITIES.index(name)]
    assert seconds["walking"] == totals[WALKING]
    assert seconds["sitting"] + seconds["nonwear"] == totals[ACTIVITIES.index("sitting")]


def test_only_walking_has_a_speed_within_its_class():
    sequence = draw_raw_day("P1", MONDAY, week(), np.ones(7, dtype=bool), 1, parameters().epochs, PROTOCOL).sequence
    walking = sequence.activity == ActivityCode.WALKING
    assert (sequence.speed_km_per_hour[~walking] == 0).all()
    slow = (sequence.speed_km_per_hour > 0) & (sequence.speed_km_per_hour < 4.0)
    assert slow.sum() == 1_000
