from itertools import combinations

import numpy as np
import pytest
from scipy import signal, stats

from study.accelerometry.features import FEATURE_NAMES, features
from tests.study.accelerometry.simulated_signals import UPRIGHT, gait, pedaling, posture


def plain_features(window: np.ndarray) -> list[float]:
    """The same 161 numbers of one window (250, 6), written down one by one in double precision."""
    channels = [window[:, i].astype(float) for i in range(6)]
    channels += [
        np.linalg.norm(window[:, :3].astype(float), axis=1),
        np.linalg.norm(window[:, 3:].astype(float), axis=1),
    ]
    b, a = signal.butter(4, 1.0, fs=50)
    gravity = [signal.filtfilt(b, a, channel) for channel in channels]
    movement = [channel - low for channel, low in zip(channels, gravity, strict=True)]
    spectra = [np.abs(np.fft.rfft(channel)) for channel in movement]
    frequency = np.fft.rfftfreq(250, 1 / 50)
    pairs = [*combinations(range(6), 2), (6, 7)]
    return [
        *(np.mean(g) for g in gravity),
        *(np.std(g) / abs(np.mean(g)) for g in gravity),
        *(np.std(g) for g in gravity),
        *(np.quantile(g, q) for q in (0, 0.25, 0.5, 0.75, 1) for g in gravity),
        *(stats.skew(m) for m in movement),
        *(stats.kurtosis(m) for m in movement),
        *(np.sum(m**2) for m in movement),
        *(np.corrcoef(movement[i], movement[j])[0, 1] for i, j in pairs),
        *(np.mean((gravity[i] + gravity[j]) / 2) for i in range(3) for j in range(3, 6)),
        *(np.mean(s) for s in spectra),
        *(frequency[np.argmax(s)] for s in spectra),
        *(np.max(s) for s in spectra),
        *(np.sum(s**2) for s in spectra),
        *(np.std(s) for s in spectra),
        *(np.sum(frequency * s) / np.sum(s) for s in spectra),
    ]


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


def test_there_are_161_different_names():
    assert len(FEATURE_NAMES) == len(set(FEATURE_NAMES)) == 161


def test_equal_to_the_plain_formulas(varied):
    expected = np.array([plain_features(window) for window in varied])
    found = features(varied)
    assert found.dtype == np.float32
    error = np.abs(found - expected) / np.maximum(np.abs(expected), 1)
    assert dict(zip(FEATURE_NAMES, error.max(axis=0), strict=True)) == pytest.approx(
        dict.fromkeys(FEATURE_NAMES, 0), abs=1e-3
    )


def test_names_match_their_columns():
    walking = features(windows(gait(120, 10, seed=5)))
    column = {name: walking[:, i] for i, name in enumerate(FEATURE_NAMES)}
    assert column["gravity_mean_back_x"] == pytest.approx(-1.0, abs=0.03)
    assert column["gravity_mean_thigh_z"] == pytest.approx(-0.1, abs=0.05)
    # 120 steps/min: the back repeats every half second, the thigh swings once a second.
    assert column["spectrum_dominant_frequency_back_x"] == pytest.approx(2.0, abs=0.11)
    assert column["spectrum_dominant_frequency_thigh_z"] == pytest.approx(1.0, abs=0.11)


def test_a_still_sensor_gives_finite_features_and_no_movement():
    still = features(windows(np.tile(UPRIGHT, (250, 1))))
    assert np.isfinite(still).all()
    movement = [i for i, name in enumerate(FEATURE_NAMES) if name.startswith(("movement", "spectrum"))]
    assert (still[:, movement] == 0).all()


def test_a_window_does_not_depend_on_its_neighbors(varied):
    together, alone = features(varied), np.concatenate([features(window[None]) for window in varied])
    assert together == pytest.approx(alone, rel=1e-4, abs=1e-4)
