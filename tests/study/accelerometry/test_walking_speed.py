import numpy as np
import pytest

from study.accelerometry.walking_speed import (
    cadence,
    gait_autocorrelation,
    pooled,
    speed_class,
    speed_from_cadence,
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
