"""Gravity calibration: correct where the sphere is covered, and otherwise no change."""

import numpy as np
import pytest

from stegvis.accelerometry.calibration import Calibration, calibrate, pooled, still_directions
from stegvis.accelerometry.summaries import Summary
from tests.stegvis.accelerometry.settings import METHOD

OFFSET, GAIN = np.array([0.03, -0.02, 0.015]), np.array([0.99, 1.012, 1.004])


def directions(count: int, seed: int, above: float = -1.0) -> np.ndarray:
    """Unit vectors (count, 3) whose x is at least ``above``."""
    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal((20 * count, 3))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn[drawn[:, 0] >= above][:count]


def read(true: np.ndarray, seed: int = 99, noise: float = 0.001) -> np.ndarray:
    """The readings of the sensor for true directions."""
    return (true - OFFSET) / GAIN + np.random.default_rng(seed).normal(0, noise, true.shape)


def unchanged(found: Calibration) -> bool:
    return (
        not found.calibrated
        and found.offset.tolist() == [0, 0, 0]
        and found.gain.tolist() == [1, 1, 1]
        and found.error_after_g == found.error_before_g
    )


def test_offset_and_gain_are_found_where_the_sphere_is_covered():
    found = calibrate(read(directions(400, 1)), METHOD.calibration)
    assert found.outcome == "calibrated"
    assert found.offset == pytest.approx(OFFSET, abs=0.001)
    assert found.gain == pytest.approx(GAIN, abs=0.001)
    assert found.error_before_g > 0.01 > 0.002 > found.error_after_g


def test_a_week_on_the_thigh_does_not_cover_the_sphere_and_changes_nothing():
    # The long axis is never upside down: x stays above -0.2 g.
    found = calibrate(read(directions(400, 2, above=-0.2)), METHOD.calibration)
    assert found.outcome == "sphere_not_covered"
    assert unchanged(found)


def test_several_recordings_of_the_device_suffice_where_one_does_not():
    recordings = [read(directions(300, seed, above=-0.2) * [sign, 1, 1]) for seed, sign in ((3, 1), (4, 1), (5, -1))]
    assert not any(calibrate(recording, METHOD.calibration).calibrated for recording in recordings)
    found = calibrate(pooled(recordings, METHOD.calibration), METHOD.calibration)
    assert found.calibrated
    assert found.offset == pytest.approx(OFFSET, abs=0.002)
    assert found.gain == pytest.approx(GAIN, abs=0.002)


@pytest.mark.parametrize(
    ("measured", "outcome"),
    [
        (np.empty((0, 3)), "too_few_directions"),
        (read(directions(20, 6)), "too_few_directions"),
        (read(directions(400, 6), noise=0.05), "error_too_large"),
        (directions(400, 6) * 1.25, "not_plausible"),
        (directions(400, 6) - [0.25, 0, 0], "not_plausible"),
    ],
)
def test_a_failed_fit_changes_nothing(measured, outcome):
    found = calibrate(measured, METHOD.calibration)
    assert found.outcome == outcome
    assert unchanged(found) or (np.isnan(found.error_before_g) and not found.calibrated)


def test_the_fit_converges_from_far_away():
    far = Calibration("calibrated", np.array([0.15, -0.12, 0.1]), np.array([0.93, 1.07, 0.95]))
    found = calibrate((directions(400, 7) - far.offset) / far.gain, METHOD.calibration)
    assert found.offset == pytest.approx(far.offset, abs=1e-6)
    assert found.gain == pytest.approx(far.gain, abs=1e-6)


def summary(mean: np.ndarray, sd: np.ndarray) -> Summary:
    k = len(mean)
    return Summary(10.0 * np.arange(k), 10.0, mean.astype("f4"), sd.astype("f4"), np.full(k, 33, dtype="f4"))


def test_only_stationary_windows_near_one_g_count_and_directions_weigh_the_same():
    still = np.tile([-1.0, 0.01, 0], (5000, 1))
    rare = np.tile([0.0, 0.0, 1.0], (3, 1))
    moving = np.tile([0.0, -1.0, 0], (50, 1))
    falling = np.tile([0.0, 0.2, 0], (50, 1))
    sd = np.full((5103, 3), 0.002)
    sd[5003:5053, 1] = 0.02
    found = still_directions(summary(np.concatenate([still, rare, moving, falling]), sd), METHOD.calibration)
    assert sorted(found.round(3).tolist()) == [[-1.0, 0.01, 0.0], [0.0, 0.0, 1.0]]


def test_pooling_a_recording_with_itself_changes_nothing():
    once = still_directions(summary(read(directions(3000, 8)), np.full((3000, 3), 0.002)), METHOD.calibration)
    twice = pooled([once, once], METHOD.calibration)
    assert twice == pytest.approx(once)
    assert len(once) < 3000
    assert pooled([], METHOD.calibration).shape == (0, 3)
