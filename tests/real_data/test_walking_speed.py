"""Estimated pace of real people at self-chosen slow, moderate and fast walking."""

import pytest

from stegvis.accelerometry.pace_evaluation import evaluate_pace
from tests.study import PROTOCOL

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def found(real_data):
    return evaluate_pace(real_data / "selfback_thigh", PROTOCOL)


def test_speed_rises_with_pace_within_almost_everyone(found):
    assert found.people == 26
    assert found.ordered / found.people >= 0.98


def test_cut_points_learned_from_others_distinguish_the_paces(found):
    assert found.accuracy >= 0.72
    assert found.met_error <= 0.26


def test_cadence_is_that_of_human_walking(found):
    slow, moderate, fast = found.mean_cadence
    assert (slow, moderate, fast) == pytest.approx((93, 109, 122), abs=3)
