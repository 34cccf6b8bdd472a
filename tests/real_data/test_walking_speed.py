"""Estimated pace of real people, who chose their own slow, moderate and fast."""

import pytest

from stegvis.accelerometry.pace_evaluation import evaluate_pace

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def found(real_data):
    return evaluate_pace(real_data / "selfback_thigh")


def test_speed_rises_with_pace_within_almost_everyone(found):
    assert found.people == 26
    assert found.ordered / found.people >= 0.98


def test_cuts_learned_from_others_tell_the_paces_apart(found):
    assert found.accuracy >= 0.72
    assert found.met_error <= 0.26


def test_cadence_is_that_of_human_walking(found):
    slow, moderate, fast = found.mean_cadence
    assert (slow, moderate, fast) == pytest.approx((93, 109, 122), abs=3)
