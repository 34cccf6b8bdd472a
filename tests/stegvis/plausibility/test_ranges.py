"""The expected range of an item: the protocol's, near the other waves, and wider by what chance explains."""

from __future__ import annotations

import pandas as pd
import pytest

from stegvis.plausibility.measures import Measure, batch_profile, mean, share, together, wave_profile
from stegvis.plausibility.ranges import compare
from tests.study import PROTOCOL

RULES = PROTOCOL.plausibility
MISSING = RULES.wave.screen_missing


def compared(value: float, people: int, *others: float) -> float:
    """How far a share without a pain screen is outside."""
    earlier = [{"screen_missing": Measure(each, 100_000, 0.0)} for each in others]
    found = compare({"screen_missing": Measure(value, people, 0.0)}, earlier, RULES.wave.items(), RULES)
    return found[0].outside if found else float("nan")


def test_a_range_is_the_protocols_and_near_the_others() -> None:
    assert compared(MISSING.highest, 1000) == 0
    assert compared(MISSING.highest + 0.01, 1000) == pytest.approx(0.01)
    assert compared(0.02 + MISSING.difference + 0.01, 1000, 0.02, 0.02) == pytest.approx(0.01)
    assert pd.isna(compared(0.9, RULES.fewest_people - 1)), "few people say nothing"


def test_a_wave_beside_others_that_were_accepted_outside_the_range_is_compared_with_them() -> None:
    assert compared(0.9, 1000, 0.95) == 0
    assert compared(0.02, 1000, 0.95) < 0


def test_chance_widens_the_range() -> None:
    few = share(30, 100)
    assert few is not None
    (found,) = compare({"screen_missing": few}, [], RULES.wave.items(), RULES)
    assert found.highest == pytest.approx(MISSING.highest + RULES.standard_errors * few.standard_error)
    assert found.lowest == 0


def test_measures() -> None:
    assert share(0, 0) is None
    assert mean(pd.Series([1.0])) is None
    assert mean(pd.Series([1.0, None, 3.0])) == Measure(2.0, 2, pytest.approx(2**0.5))
    assert together([Measure(1.0, 10, 1.0), Measure(3.0, 30, 1.0)]) == Measure(2.5, 40, pytest.approx(1.0))


def test_people_whose_lying_is_not_known_say_nothing_of_lying_and_sitting() -> None:
    day = {"recorded": True, "valid": True, "standing": 14_400.0, "walking": 3_600.0, "running": 0.0, "cycling": 0.0}
    day |= {"walking_slow": 1_200.0, "walking_moderate": 1_200.0, "walking_brisk": 1_200.0}
    pair, thigh = {"lying": 28_800.0, "sitting": 39_600.0}, {"lying": None, "sitting": 68_400.0}
    days = pd.DataFrame([{"person": f"P{n}", **day, **(pair if n < 2 else thigh)} for n in range(5)])
    found = {name: (each.mean, each.people) for name, each in batch_profile(days).items()}
    assert found["lying_hours"] == (pytest.approx(8), 2)
    assert found["sitting_hours"] == (pytest.approx(11), 2)
    assert found["standing_hours"] == (pytest.approx(4), 5)
    assert found["hours_a_day"] == (pytest.approx(24), 5)
    assert "lying_hours" not in batch_profile(days[2:])


def test_the_profile_of_a_wave() -> None:
    answers = pd.DataFrame(
        {
            "person": ["a", "b", "c", "x"],
            "in_cohort": [True, True, True, False],
            "pain_screen": ["yes", None, "no", "no"],
            "low_back_pain": [1, None, 0, 0],
            "severe_low_back_pain_as_published": [0, None, 0, 0],
            "follow_up_years": [3.0, -1.0, None, None],
        }
    )
    cohort = pd.DataFrame(
        {"person": list("abcd"), "sex": ["female", "male", "female", "male"], "age": [40.0, 50.0, 60.0, 70.0],
         "smoking": ["never", None, "never", "never"]}
    )  # fmt: skip
    found = {name: measure.mean for name, measure in wave_profile(answers, cohort).items()}
    assert found == {
        "response": 3 / 4, "screen_missing": 1 / 4, "prevalence": 1 / 3, "limited": 0, "date_missing": 1 / 3,
        "before_baseline": 1 / 2, "covariate_missing": 1 / 3, "women": 2 / 3, "mean_age": 50,
    }  # fmt: skip
