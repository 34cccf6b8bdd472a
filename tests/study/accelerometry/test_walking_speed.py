import numpy as np
import pytest

from study.accelerometry.walking_speed import (
    cadence,
    gait_autocorrelation,
    pace,
    pooled,
    speed_class,
    speed_from_cadence,
    speed_from_movement,
    thigh_movement,
)
from study.protocol import protocol
from tests.study.accelerometry.simulated_signals import UPRIGHT, gait, posture


def windows(samples: np.ndarray) -> np.ndarray:
    return samples.reshape(-1, 250, 6).astype(np.float32)


@pytest.mark.parametrize("steps", [60, 75, 90, 100, 110, 125, 140])
def test_cadence_of_simulated_gait(steps):
    found = cadence(gait_autocorrelation(windows(gait(steps, 30, seed=steps))))
    assert found == pytest.approx(steps, rel=0.02)


def test_cadence_survives_noise_when_neighbors_help():
    noisy = windows(gait(105, 60, seed=1) + np.random.default_rng(2).normal(0, 0.25, (3000, 6)))
    alone = gait_autocorrelation(noisy)
    error_alone = np.abs(cadence(alone) - 105).mean()
    error_pooled = np.abs(cadence(pooled(alone, np.zeros(len(noisy), dtype=int))) - 105).mean()
    assert error_pooled < error_alone
    assert error_pooled < 3


def test_pooling_stays_within_a_bout():
    values = np.arange(5, dtype=np.float32)[:, None, None] * np.ones((1, 2, 3), dtype=np.float32)
    found = pooled(values, np.array([1, 1, 1, 2, 3]))
    assert found[:, 0, 0].tolist() == [0.5, 1.0, 1.5, 3.0, 4.0]


def test_autocorrelation_is_one_at_lag_zero_and_zero_without_movement():
    assert gait_autocorrelation(windows(gait(100, 5, seed=1)))[:, :, 0] == pytest.approx(1.0)
    assert (gait_autocorrelation(windows(np.tile(UPRIGHT, (250, 1)))) == 0).all()


def test_no_rhythm_has_no_cadence_and_counts_as_slow():
    still = cadence(gait_autocorrelation(windows(np.tile(UPRIGHT, (250, 1)))))
    assert np.isnan(still).all()
    assert speed_class(speed_from_cadence(still)).tolist() == [1]


def test_cadence_stays_in_the_protocols_range():
    found = cadence(gait_autocorrelation(windows(posture(UPRIGHT, 100, seed=3, noise=0.1))))
    found = found[np.isfinite(found)]
    limits = protocol().walking_speed
    # Half a sample of interpolation beyond the outermost lags.
    assert ((found > 0.98 * limits.slowest_cadence) & (found < 1.04 * limits.fastest_cadence)).all()


def test_speed_inverts_the_relation():
    speeds = np.array([2.0, 4.0, 6.0], dtype=np.float32)
    relation = protocol().walking_speed
    steps = relation.cadence_at_1_m_per_s * (speeds / 3.6) ** relation.cadence_exponent
    assert speed_from_cadence(steps) == pytest.approx(speeds, rel=1e-5)


def test_a_cut_belongs_to_the_slower_class():
    assert speed_class(np.array([3.9, 4.0, 4.1, 5.4, 5.5], dtype=np.float64)).tolist() == [1, 1, 2, 2, 3]


def test_movement_is_the_root_mean_square_about_the_mean():
    window = np.zeros((1, 250, 6), dtype=np.float32)
    window[0, :, 3] = -1 + 0.3 * np.tile([1, -1], 125)
    window[0, :, 4] = 0.4 * np.tile([1, -1], 125)
    assert thigh_movement(window) == pytest.approx(0.5)


def test_speed_from_movement_inverts_the_relation():
    speeds = np.array([2.0, 4.0, 6.0], dtype=np.float32)
    relation = protocol().walking_speed
    movement = relation.thigh_movement_at_1_m_per_s * (speeds / 3.6) ** relation.thigh_movement_exponent
    assert speed_from_movement(movement) == pytest.approx(speeds, rel=1e-5)


def test_speed_lies_between_what_cadence_and_movement_say():
    walk = windows(gait(110, 30, seed=1))
    gait_of, movement = gait_autocorrelation(walk), thigh_movement(walk)
    found = pace(gait_of, movement, np.zeros(len(walk), dtype=np.int64))
    by_cadence, by_movement = speed_from_cadence(found.cadence), speed_from_movement(movement)
    low, high = np.minimum(by_cadence, by_movement).min(), np.maximum(by_cadence, by_movement).max()
    assert ((low < found.speed) & (found.speed < high)).all()


def test_without_rhythm_movement_alone_says_the_speed_less_surely():
    still = windows(np.tile(UPRIGHT, (500, 1)))
    movement = np.array([0.5, 0.5], dtype=np.float32)
    alone = pace(gait_autocorrelation(still), movement, np.zeros(2, dtype=np.int64))
    assert np.isnan(alone.cadence).all()
    assert alone.speed == pytest.approx(speed_from_movement(movement), rel=1e-4)
    walk = windows(gait(100, 10, seed=1))
    both = pace(gait_autocorrelation(walk), movement, np.zeros(2, dtype=np.int64))
    assert (alone.speed_sd / alone.speed > both.speed_sd / both.speed).all()


def test_a_bout_has_one_pace_and_bouts_do_not_mix():
    walk = windows(np.concatenate([gait(90, 20, seed=1), gait(125, 20, seed=2)]))
    bout = np.repeat([0, 1], 4)
    found = pace(gait_autocorrelation(walk), thigh_movement(walk), bout)
    assert found.speed[:4] == pytest.approx(found.speed[0])
    assert found.speed[4:] == pytest.approx(found.speed[4])
    assert found.speed[4] > 1.2 * found.speed[0]
