import numpy as np
import pytest

from stegvis.accelerometry.walking_speed import (
    cadence,
    gait_autocorrelation,
    movement,
    pace,
    pooled,
    speed_class,
    speed_from_cadence,
    speed_from_movement,
)
from tests.stegvis.accelerometry.settings import EPOCHS, METHOD, RATE_HZ
from tests.stegvis.accelerometry.simulated_signals import UPRIGHT, gait, posture

RULES = METHOD.walking_speed


def autocorrelation(walk: np.ndarray) -> np.ndarray:
    return gait_autocorrelation(walk, RULES, RATE_HZ)


def steps_per_minute(gait_correlation: np.ndarray) -> np.ndarray:
    return cadence(gait_correlation, RULES, RATE_HZ)


def movement_of(walk: np.ndarray, **settings: bool) -> np.ndarray:
    return movement(walk, RULES, RATE_HZ, **settings)


def windows(samples: np.ndarray) -> np.ndarray:
    return samples.reshape(-1, 250, 6).astype(np.float32)


@pytest.mark.parametrize("steps", [60, 75, 90, 100, 110, 125, 140])
def test_cadence_of_simulated_gait(steps):
    found = steps_per_minute(autocorrelation(windows(gait(steps, 30, seed=steps))))
    assert found == pytest.approx(steps, rel=0.02)


def test_cadence_survives_noise_when_neighbors_help():
    noisy = windows(gait(105, 60, seed=1) + np.random.default_rng(2).normal(0, 0.25, (3000, 6)))
    alone = autocorrelation(noisy)
    error_alone = np.abs(steps_per_minute(alone) - 105).mean()
    error_pooled = np.abs(steps_per_minute(pooled(alone, np.zeros(len(noisy), dtype=int), RULES)) - 105).mean()
    assert error_pooled < error_alone
    assert error_pooled < 3


def test_pooling_stays_within_a_bout():
    values = np.arange(5, dtype=np.float32)[:, None, None] * np.ones((1, 2, 3), dtype=np.float32)
    found = pooled(values, np.array([1, 1, 1, 2, 3]), RULES)
    assert found[:, 0, 0].tolist() == [0.5, 1.0, 1.5, 3.0, 4.0]


def test_autocorrelation_is_one_at_lag_zero_and_zero_without_movement():
    assert autocorrelation(windows(gait(100, 5, seed=1)))[:, :, 0] == pytest.approx(1.0)
    assert (autocorrelation(windows(np.tile(UPRIGHT, (250, 1)))) == 0).all()


def test_without_rhythm_there_is_no_cadence_and_the_speed_is_slow():
    still = steps_per_minute(autocorrelation(windows(np.tile(UPRIGHT, (250, 1)))))
    assert np.isnan(still).all()
    assert speed_class(speed_from_cadence(still, RULES), EPOCHS).tolist() == [1]


def test_cadence_is_within_the_range_of_the_protocol():
    found = steps_per_minute(autocorrelation(windows(posture(UPRIGHT, 100, seed=3, noise=0.1))))
    found = found[np.isfinite(found)]
    # Interpolation reaches half a sample beyond the outermost lags.
    assert ((found > 0.98 * RULES.slowest_cadence) & (found < 1.04 * RULES.fastest_cadence)).all()


def test_speed_inverts_the_relation():
    speeds = np.array([2.0, 4.0, 6.0], dtype=np.float32)
    steps = RULES.cadence_at_1_m_per_s * (speeds / 3.6) ** RULES.cadence_exponent
    assert speed_from_cadence(steps, RULES) == pytest.approx(speeds, rel=1e-5)


def test_a_cut_point_belongs_to_the_slower_class():
    assert speed_class(np.array([3.9, 4.0, 4.1, 5.4, 5.5], dtype=np.float64), EPOCHS).tolist() == [1, 1, 2, 2, 3]


# --- movement -------------------------------------------------------------------------------------------------------


def swinging(axis: int, size: float, hertz: float) -> np.ndarray:
    """One epoch upright, with a swing on one axis."""
    window = np.tile(np.array([-1, 0, 0, -1, 0, 0], dtype=np.float32), (1, 250, 1))
    window[0, :, axis] += size * np.sin(2 * np.pi * hertz * np.arange(250) / 50)
    return window


def test_movement_is_a_root_mean_square_in_g():
    assert movement_of(swinging(0, 0.3, 2.0))[0, 0] == pytest.approx(0.3 / np.sqrt(2), rel=1e-4)
    assert movement_of(swinging(4, 0.4, 1.0))[0, 1] == pytest.approx(0.4 / np.sqrt(2), rel=0.01)


def test_movement_of_the_back_is_vertical_and_independent_of_tilt():
    walk = windows(gait(105, 30, seed=1))
    tilt = np.radians(25)
    turned = walk.copy()
    turned[:, :, 0] = np.cos(tilt) * walk[:, :, 0] - np.sin(tilt) * walk[:, :, 2]
    turned[:, :, 2] = np.sin(tilt) * walk[:, :, 0] + np.cos(tilt) * walk[:, :, 2]
    assert movement_of(turned)[:, 0] == pytest.approx(movement_of(walk)[:, 0], rel=1e-3)
    assert movement_of(swinging(1, 0.3, 2.0) + swinging(0, 0.1, 2.0) * 0.5)[0, 0] < 0.06


def test_fast_movement_of_the_thigh_is_attenuated():
    cut = RULES.thigh_movement_below_hz
    sizes = [movement_of(swinging(3, 0.3, hertz))[0, 1] for hertz in (1.0, cut, 2 * cut)]
    assert sizes[1] == pytest.approx(0.5 * sizes[0], rel=0.02)
    assert sizes[2] == pytest.approx(sizes[0] / 17, rel=0.05)


def test_attenuation_by_interpolation_is_corrected():
    there, rate = np.arange(6000) / 50, 50.4
    sensor = np.arange(int(there[-1] * rate) + 2) / rate
    for hertz in (3.0, 6.0):
        heard = np.interp(there, sensor, -1 + 0.3 * np.sin(2 * np.pi * hertz * sensor))
        walk = np.tile(np.array(UPRIGHT), (6000, 1))
        walk[:, 0] = heard
        plain, restored = (movement_of(windows(walk), interpolated=each)[:, 0].mean() for each in (False, True))
        assert plain < 0.990 * 0.3 / np.sqrt(2)
        assert restored == pytest.approx(0.3 / np.sqrt(2), rel=0.006)


def test_a_stationary_sensor_has_no_movement():
    window = swinging(3, 0.3, 1.0)
    found = movement_of(window)
    assert np.isnan(found[0, 0])
    assert np.isfinite(found[0, 1])
    assert np.isnan(movement_of(np.zeros((2, 250, 6), dtype=np.float32))).all()


def test_speed_from_movement_inverts_the_relations():
    speeds = np.array([2.0, 4.0, 6.0])
    metres = speeds / 3.6
    moved = np.column_stack(
        [
            RULES.back_movement_at_1_m_per_s * metres**RULES.back_movement_exponent,
            RULES.thigh_movement_at_1_m_per_s * metres**RULES.thigh_movement_exponent,
        ]
    )
    assert speed_from_movement(moved, RULES) == pytest.approx(np.column_stack([speeds, speeds]), rel=1e-5)


# --- pace -----------------------------------------------------------------------------------------------------------


def paced(walk: np.ndarray, bout: np.ndarray | None = None):
    return pace(
        autocorrelation(walk),
        movement_of(walk),
        np.zeros(len(walk), dtype=np.int64) if bout is None else bout,
        RULES,
        RATE_HZ,
    )


@pytest.mark.parametrize("sensors", ["both", "thigh"])
def test_speed_grows_with_cadence_and_with_movement(sensors):
    def speed(steps: float, size: float) -> float:
        walk = windows(gait(steps, 30, seed=1, size=size))
        if sensors == "thigh":
            walk[:, :, :3] = 0
        return float(np.median(paced(walk).speed))

    by_size = [speed(105, size) for size in (0.6, 0.8, 1.0, 1.3, 1.6)]
    assert np.all(np.diff(by_size) > 0)
    # The same movement of the thigh, as far as the simulated gait allows.
    by_cadence = [speed(steps, 1.0) for steps in (80, 95, 110, 125)]
    assert np.all(np.diff(by_cadence) > 0)


def test_speed_lies_between_the_three_estimates():
    walk = windows(gait(110, 30, seed=1))
    found = paced(walk)
    estimates = np.column_stack(
        [speed_from_cadence(found.cadence, RULES), speed_from_movement(movement_of(walk), RULES)]
    )
    assert ((estimates.min() < found.speed) & (found.speed < estimates.max())).all()


def test_estimates_are_weighted_by_their_errors():
    walk = windows(gait(100, 5, seed=1))
    found = paced(walk)
    logs = np.log([*speed_from_cadence(found.cadence, RULES), *speed_from_movement(movement_of(walk), RULES)[0]])
    errors = (RULES.cadence_speed_error, RULES.back_movement_speed_error, RULES.thigh_movement_speed_error)
    precision = 1 / np.square(errors)
    assert found.speed[0] == pytest.approx(np.exp(precision @ logs / precision.sum()), rel=1e-4)
    alone = np.sqrt(1 / precision.sum() + RULES.shared_speed_error**2)
    assert found.speed_sd[0] == pytest.approx(alone * found.speed[0], rel=1e-4)


def test_fewer_estimates_are_less_certain():
    walk = windows(gait(105, 30, seed=1))
    nothing_repeats = np.zeros_like(autocorrelation(walk))
    bout = np.zeros(len(walk), dtype=np.int64)
    moved = movement_of(walk)
    thigh_only = np.column_stack([np.full(len(walk), np.nan), moved[:, 1]]).astype(np.float32)
    both, without_rhythm, without_back = (
        pace(autocorrelation(walk), moved, bout, RULES, RATE_HZ),
        pace(nothing_repeats, moved, bout, RULES, RATE_HZ),
        pace(nothing_repeats, thigh_only, bout, RULES, RATE_HZ),
    )
    relative = [np.median(each.speed_sd / each.speed) for each in (both, without_rhythm, without_back)]
    assert np.all(np.diff(relative) > 0)
    assert np.isnan(without_back.cadence).all()
    assert without_back.speed == pytest.approx(float(np.median(speed_from_movement(moved, RULES)[1:-1, 1])), rel=1e-4)


def test_without_movement_and_rhythm_there_is_no_speed_and_the_class_is_slow():
    found = paced(windows(np.tile(UPRIGHT, (500, 1))))
    assert np.isnan(found.speed).all()
    assert np.isnan(found.speed_sd).all()
    assert speed_class(found.speed, EPOCHS).tolist() == [1, 1]


def test_a_bout_has_one_pace_and_bouts_do_not_mix():
    walk = windows(np.concatenate([gait(90, 20, seed=1, size=0.7), gait(125, 20, seed=2, size=1.3)]))
    found = paced(walk, np.repeat([3, 7], 4))
    assert found.speed[:4] == pytest.approx(found.speed[0], rel=1e-5)
    assert found.speed[4:] == pytest.approx(found.speed[4], rel=1e-5)
    assert found.speed[4] > 1.2 * found.speed[0]


def test_the_ends_of_a_bout_do_not_affect_its_speed():
    whole = windows(gait(110, 20, seed=1))
    ends = whole.copy()
    ends[0, :200] = ends[-1, 50:] = np.array(UPRIGHT)
    assert paced(ends).speed == pytest.approx(np.full(4, np.median(paced(whole).speed)), rel=0.05)


def test_a_change_of_pace_within_a_bout_gives_two_speeds():
    slow, quick = gait(90, 60, seed=1, size=0.7), gait(120, 60, seed=2, size=1.3)
    found = paced(windows(np.concatenate([slow, quick]))).speed
    alone = [np.median(paced(windows(each)).speed) for each in (slow, quick)]
    assert found[:11] == pytest.approx(alone[0], rel=0.05)
    assert found[-11:] == pytest.approx(alone[1], rel=0.05)


def test_one_epoch_of_another_pace_does_not_change_the_bout():
    walk = windows(gait(110, 100, seed=1))
    steady = paced(walk)
    walk[9] = windows(gait(80, 5, seed=2, size=0.5))[0]
    assert np.delete(paced(walk).speed, 9) == pytest.approx(np.delete(steady.speed, 9), rel=0.03)
