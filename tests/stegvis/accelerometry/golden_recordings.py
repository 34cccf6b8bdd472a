"""Two small made-up recordings that use every part of the classification: a raw pair of two hours and a 50 Hz signal.

Postures are made from fixed seeds; walking and running are pieces of the twin's gait, stored in ``golden/gait.npz``
(int16, 1/1024 g, 50 Hz), so that a changed twin does not change these recordings.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stegvis.twin.cwa import Device, write_cwa
from tests.stegvis.accelerometry.simulated_signals import (
    RATE,
    SEATED,
    SUPINE,
    UPRIGHT,
    clock,
    pedaling,
    posture,
    table,
)

GAIT = Path(__file__).parent / "golden" / "gait.npz"
START = np.datetime64("2018-05-02T23:10:00", "us")
SKIN, ROOM = 33.0, 21.0  # degrees Celsius
OFF_MINUTES = (74, 104)  # the thigh sensor lies on a table
BACK_RATE, THIGH_RATE = 50.4, 49.7
THIGH_AHEAD, THIGH_DRIFT = 7.3, 3.0  # seconds, seconds per day
# What the back sensor shows of true g: (g - offset) / gain.
BACK_OFFSET, BACK_GAIN = np.array([0.03, -0.02, 0.015]), np.array([0.99, 1.012, 1.004])


def gait(kind: str, seconds: float) -> np.ndarray:
    """At most 40 s of ``slow``, ``moderate`` or ``brisk`` walking, or of ``running``: (n, 6) g."""
    with np.load(GAIT) as pieces:
        return pieces[kind][: round(seconds * RATE)] / 1024


def bouts(kind: str, minutes: float, seed: int) -> np.ndarray:
    """Gait with pauses, by which the two clocks can be compared: (n, 6) g."""
    rng = np.random.default_rng(seed)
    parts: list[np.ndarray] = []
    while sum(map(len, parts)) < 60 * minutes * RATE:
        parts.append(gait(kind, rng.uniform(20, 40)))
        parts.append(posture(UPRIGHT, rng.uniform(6, 14), seed + len(parts), noise=0.01))
    return np.concatenate(parts)[: round(60 * minutes * RATE)]


def turning(minutes: float, seed: int) -> np.ndarray:
    """The back still in another direction every 20 s, so that its calibration can be fitted; the thigh supine."""
    rng = np.random.default_rng(seed)
    directions = rng.standard_normal((round(3 * minutes), 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return np.concatenate(
        [posture((*direction, *SUPINE[3:]), 20, seed + number, 0.004) for number, direction in enumerate(directions)]
    )


def true_signal() -> np.ndarray:
    """(n, 6) g at 50 Hz, 130 minutes."""
    return np.concatenate(
        [
            posture(SUPINE, 20 * 60, 1),
            turning(20, 100),
            posture(UPRIGHT, 5 * 60, 2, noise=0.01),
            bouts("slow", 6, 200),
            posture(SEATED, 5 * 60, 3, noise=0.01),
            bouts("brisk", 6, 300),
            bouts("running", 2, 800),
            pedaling(4 * 60, 5),
            posture(SEATED, 6 * 60, 6, noise=0.02),
            posture(SEATED, 30 * 60, 7, noise=0.02),
            bouts("moderate", 8, 400),
            posture(UPRIGHT, 6 * 60, 8, noise=0.01),
            bouts("slow", 6, 500),
            posture(SEATED, 6 * 60, 9, noise=0.01),
        ]
    )


def write_pair(folder: Path) -> tuple[Path, Path]:
    """Write the raw pair: ``G_back.cwa`` and ``G_thigh.cwa``."""
    signal = true_signal()
    back, thigh = signal[:, :3], signal[:, 3:].copy()
    off = slice(*(60 * RATE * minute for minute in OFF_MINUTES))
    thigh[off] = posture((0.0, 0.0, 1.0, 0.0, 0.0, 1.0), 30 * 60, 10, noise=0.002)[:, 3:]
    files = folder / "G_back.cwa", folder / "G_thigh.cwa"
    device = Device(4711, 1, BACK_RATE)
    write_cwa(files[0], sampled((back - BACK_OFFSET) / BACK_GAIN, BACK_RATE), START, device, SKIN)
    device = Device(4712, 1, THIGH_RATE, clock_drift_seconds_per_day=THIGH_DRIFT)
    samples = sampled(thigh, THIGH_RATE)
    minute = np.arange(-(-len(samples) // device.samples_per_sector)) * device.samples_per_sector / THIGH_RATE / 60
    cool = (minute >= OFF_MINUTES[0] + 2) & (minute < OFF_MINUTES[1])
    ahead = np.timedelta64(round(1e6 * THIGH_AHEAD), "us")
    write_cwa(files[1], samples, START + ahead, device, np.where(cool, ROOM, SKIN))
    return files


def sampled(values: np.ndarray, rate: float) -> np.ndarray:
    """A 50 Hz signal (n, 3) at another rate."""
    there = np.arange(int((len(values) - 1) / RATE * rate)) / rate
    return np.stack([np.interp(there, np.arange(len(values)) / RATE, axis) for axis in values.T], axis=1)


def write_signal(folder: Path) -> Path:
    """Write the 50 Hz signal, six minutes with a gap: ``G.parquet``."""
    parts = [posture(SUPINE, 60, 21), posture(SEATED, 60, 22), bouts("slow", 1.5, 600), pedaling(40, 23)]
    frame = table(np.concatenate([*parts, bouts("brisk", 1.5, 700), posture(UPRIGHT, 20, 24)]))
    stamps = clock(len(frame))
    stamps[len(frame) // 2 :] += np.timedelta64(7_300, "ms")
    file = folder / "G.parquet"
    frame.assign(timestamp=stamps).to_parquet(file, index=False)
    return file
