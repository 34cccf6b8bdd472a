from itertools import pairwise

import numpy as np
import pytest

from stegvis.accelerometry.features import BAND_EDGES, FEATURE_NAMES, features
from stegvis.accelerometry.signal import AXES
from tests.stegvis.accelerometry.settings import RATE_HZ
from tests.stegvis.accelerometry.simulated_signals import UPRIGHT, gait, pedaling, posture

TINY = 1e-8


def log(power: float) -> float:
    return float(np.log10(power + TINY))


def plain_features(window: np.ndarray) -> dict[str, float]:
    """The features of one window (250, 6), computed one by one in double precision."""
    window = window.astype(float)
    t = np.arange(250)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * (t + 0.5) / 250)
    weight = 1 - np.cos(2 * np.pi * (np.arange(50) + 0.5) / 50)
    spectra = np.abs(np.fft.rfft(window * (hann / np.sqrt((hann**2).sum() * 250))[:, None], axis=0)[2:51]) ** 2
    gravity = np.array([np.average(window[25 * j : 25 * j + 50], axis=0, weights=weight) for j in range(9)])
    mean = window.mean(axis=0)
    movement = window - mean
    bands = np.array([spectra[a - 2 : b - 2].sum(axis=0) for a, b in pairwise(BAND_EDGES)])
    power, jerk = (movement**2).mean(axis=0), (np.diff(window, axis=0) ** 2).sum(axis=0) / 250
    found: dict[str, float] = {}
    for i, axis in enumerate(AXES):
        found[f"gravity_mean_{axis}"] = abs(mean[i])
        found[f"gravity_sd_{axis}"] = gravity[:, i].std()
        found[f"power_{axis}"], found[f"jerk_{axis}"] = log(power[i]), log(jerk[i])
        found |= {f"band{j}_{axis}": log(bands[j, i]) for j in range(8)}
    for s, sensor in enumerate(("back", "thigh")):
        own = slice(3 * s, 3 * s + 3)
        found |= {f"band{j}_{sensor}": log(bands[j, own].sum()) for j in range(8)}
        found[f"power_{sensor}"], found[f"jerk_{sensor}"] = log(power[own].sum()), log(jerk[own].sum())
        together = spectra[:, own].sum(axis=1)
        share = together / (together.sum() + TINY)
        hertz = np.arange(2, 51) / 5
        found[f"entropy_{sensor}"] = -(share * np.log(share + 1e-7)).sum()
        found[f"centroid_{sensor}"] = (share * hertz).sum()
        found[f"dominant_frequency_{sensor}"] = hertz[share.argmax()]
        found[f"dominant_share_{sensor}"] = share.max()
        for kind, lags in (("step", np.arange(20, 50)), ("stride", np.arange(40, 81))):
            regularity = [(share * np.cos(2 * np.pi * np.arange(2, 51) * lag / 250)).sum() for lag in lags]
            found[f"{kind}_regularity_{sensor}"] = max(regularity)
            found[f"{kind}_period_{sensor}"] = lags[np.argmax(regularity)] / 50
        tenths = [log((movement[25 * j : 25 * j + 25, own] ** 2).sum(axis=1).mean()) for j in range(10)]
        found[f"first_second_{sensor}"], found[f"last_second_{sensor}"] = max(tenths[:2]), max(tenths[-2:])
        found |= {f"tenth{j}_{sensor}": value for j, value in enumerate(sorted(tenths))}
        direction = gravity[:, own] / np.linalg.norm(gravity[:, own], axis=1, keepdims=True)
        found[f"turn_{sensor}"] = direction[0] @ direction[-1]
        upright = np.sort(np.abs(direction[:, 0]))
        found |= {f"upright{j}_{sensor}": upright[j] for j in (0, 2, 4, 6, 8)}
        x, y, z = np.abs(mean[own])
        found[f"sagittal_{sensor}"] = np.arctan2(z, x)
        found[f"inclination_{sensor}"], found[f"lateral_{sensor}"] = np.array([x, y]) / np.linalg.norm(mean[own])
    for a, b in (("back_x", "back_z"), ("thigh_x", "thigh_z"), ("back_x", "thigh_x"), ("back_z", "thigh_z")):
        pair = movement[:, [AXES.index(a), AXES.index(b)]].T
        found[f"correlation_{a}_{b}"] = abs(np.corrcoef(pair)[0, 1])
    found["power_ratio"] = found["power_thigh"] - found["power_back"]
    found["jerk_ratio"] = found["jerk_thigh"] - found["jerk_back"]
    return found


def windows(samples: np.ndarray) -> np.ndarray:
    return samples.reshape(-1, 250, 6).astype(np.float32)


@pytest.fixture
def varied() -> np.ndarray:
    tilted = np.array([[-0.7, 0.3, 0.6, -0.5, -0.4, -0.7]])
    return windows(
        np.concatenate(
            [
                posture(tuple(tilted[0]), 25, seed=1, noise=0.03),
                gait(104, 25, seed=2) + 0.2 * tilted,
                gait(160, 10, seed=3, size=4) + 0.2 * tilted,
                pedaling(20, seed=4) + 0.2 * tilted,
            ]
        )
    )


def test_names_are_unique():
    assert len(FEATURE_NAMES) == len(set(FEATURE_NAMES))


def test_equal_to_the_plain_formulas(varied):
    found = features(varied, RATE_HZ)
    assert found.dtype == np.float32
    for row, window in zip(found, varied, strict=True):
        plain = plain_features(window)
        assert set(plain) == set(FEATURE_NAMES)
        expected = np.array([plain[name] for name in FEATURE_NAMES])
        close = np.isclose(row, expected, rtol=1e-3, atol=1e-3)
        assert close.all(), [name for name, ok in zip(FEATURE_NAMES, close, strict=True) if not ok]


@pytest.mark.parametrize("signs", [(1, -1, -1), (-1, -1, 1), (-1, 1, -1)])
@pytest.mark.parametrize("sensor", [slice(0, 3), slice(3, 6)])
def test_a_sensor_worn_upside_down_or_turned_gives_the_same_numbers(varied, signs, sensor):
    otherwise = varied.copy()
    otherwise[:, :, sensor] *= np.array(signs, dtype=np.float32)
    assert np.array_equal(features(otherwise, RATE_HZ), features(varied, RATE_HZ))


def test_a_rotation_by_90_degrees_changes_them(varied):
    otherwise = varied[:, :, [1, 0, 2, 3, 4, 5]]
    assert not np.allclose(features(otherwise, RATE_HZ), features(varied, RATE_HZ), atol=0.1)


def test_a_stationary_sensor_has_finite_features():
    assert np.isfinite(features(windows(np.tile(UPRIGHT, (250, 1))), RATE_HZ)).all()
    assert np.isfinite(features(np.zeros((2, 250, 6), dtype=np.float32), RATE_HZ)).all()


def test_a_window_does_not_depend_on_its_neighbors(varied):
    together = features(varied, RATE_HZ)
    alone = np.concatenate([features(window[None], RATE_HZ) for window in varied])
    assert together == pytest.approx(alone, rel=1e-4, abs=1e-4)
