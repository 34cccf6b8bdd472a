"""Spectra of a synchronized signal, in the form of the published mean spectra of HUNT4 (``hunt4_spectra.toml``)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from stegvis.data_files import data_file
from stegvis.twin.gait_parameters import AXES

SPECTRA_FILE = data_file("twin/hunt4_spectra.toml")
WINDOW_SAMPLES = 50
HOP_SAMPLES = 25


@dataclass(frozen=True)
class Spectra:
    """Mean and SD over windows of the magnitude at 0, 1, ... 25 Hz: each (6, 26), g times samples, axes as ``AXES``."""

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]


@cache
def hunt4_spectra() -> Spectra:
    """The published spectra (Logacjov et al. 2024, SelfPAB)."""
    published = tomllib.loads(SPECTRA_FILE.read_text(encoding="utf-8"))
    return Spectra(*(np.array([published[kind][axis] for axis in AXES]) for kind in ("mean", "sd")))


def spectra(acceleration: NDArray[np.float32]) -> Spectra:
    """Spectra of a signal (n, 6) at 50 Hz, in g, over windows of a second that overlap by half.

    Raises:
        ValueError: the signal is shorter than a window.
    """
    from scipy.fft import rfft
    from scipy.signal.windows import hann

    if len(acceleration) < WINDOW_SAMPLES:
        raise ValueError("the signal is shorter than one window")
    window = hann(WINDOW_SAMPLES, sym=False).astype(np.float32)
    means, sds = [], []
    for axis in range(len(AXES)):
        windows = np.lib.stride_tricks.sliding_window_view(acceleration[:, axis], WINDOW_SAMPLES)[::HOP_SAMPLES]
        magnitude = np.abs(rfft(windows * window, axis=1))
        means.append(magnitude.mean(axis=0, dtype=np.float64))
        sds.append(magnitude.std(axis=0, dtype=np.float64))
    return Spectra(np.array(means), np.array(sds))
