"""Small simulated signals: posture is the direction of gravity, gait is a few harmonics of the stride."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from stegvis.accelerometry.activity import ActivityCode
from stegvis.twin.activities import ActivitySequence
from stegvis.twin.gait import draw_motion
from stegvis.twin.gait_parameters import gait_parameters
from tests.stegvis.accelerometry.settings import SIZE

RATE = 50
AXES = ["back_x", "back_y", "back_z", "thigh_x", "thigh_y", "thigh_z"]
START = np.datetime64("2019-01-14T08:00:00", "us")

# Gravity on back and thigh, g.
UPRIGHT = (-1.0, 0.0, -0.1, -1.0, 0.0, -0.1)
SEATED = (-0.95, 0.0, -0.3, -0.15, 0.0, -0.98)
SUPINE = (-0.1, 0.0, 0.99, -0.15, 0.0, -0.98)

NTNU = {"walking": 1, "running": 2, "standing": 6, "sitting": 7, "lying": 8, "cycling": 13}


def clock(samples: int, start: np.datetime64 = START) -> np.ndarray:
    return start + np.arange(samples) * np.timedelta64(1_000_000 // RATE, "us")


def posture(gravity: tuple[float, ...], seconds: float, seed: int, noise: float = 0.005) -> np.ndarray:
    samples = round(seconds * RATE)
    return np.array(gravity) + np.random.default_rng(seed).normal(0, noise, (samples, 6))


def gait(steps_per_minute: float, seconds: float, seed: int, size: float = 1.0) -> np.ndarray:
    """The back moves with each step, the thigh swings with each stride."""
    signal = posture(UPRIGHT, seconds, seed, noise=0.02)
    stride = 2 * np.pi * steps_per_minute / 120 * np.arange(len(signal)) / RATE
    signal[:, 0] += size * (0.20 * np.cos(2 * stride) + 0.10 * np.cos(4 * stride + 0.5))
    signal[:, 1] += size * 0.08 * np.sin(stride)
    signal[:, 2] += size * 0.12 * np.cos(2 * stride + 1.0)
    swing = np.radians(18) * np.sin(stride)
    signal[:, 3] += 1 - np.cos(swing) + size * (0.15 * np.cos(stride) + 0.15 * np.cos(2 * stride))
    signal[:, 5] += np.sin(swing) + size * 0.2 * np.cos(stride + 0.7)
    return signal


def pedaling(seconds: float, seed: int) -> np.ndarray:
    signal = posture((-0.85, 0.0, -0.5, -0.8, 0.0, -0.6), seconds, seed, noise=0.03)
    angle = np.radians(20) * np.sin(2 * np.pi * 70 / 60 * np.arange(len(signal)) / RATE)
    signal[:, 3] += 0.6 * np.sin(angle)
    signal[:, 5] -= 0.8 * np.sin(angle)
    return signal


def day_in_short(seed: int, seconds: float = 60) -> tuple[np.ndarray, np.ndarray]:
    """One stretch of each activity and the NTNU label of each sample."""
    parts = {
        "lying": posture(SUPINE, seconds, seed),
        "sitting": posture(SEATED, seconds, seed + 1),
        "standing": posture(UPRIGHT, seconds, seed + 2),
        "walking": gait(95 + 3 * (seed % 7), seconds, seed + 3),
        "running": gait(165, seconds, seed + 4, size=4.0),
        "cycling": pedaling(seconds, seed + 5),
    }
    labels = np.concatenate([np.full(len(part), NTNU[name]) for name, part in parts.items()])
    return np.concatenate(list(parts.values())), labels


def table(acceleration: np.ndarray, labels: np.ndarray | None = None) -> pd.DataFrame:
    """In the layout of a delivered signal."""
    frame = pd.DataFrame(acceleration.astype(np.float32), columns=AXES)
    frame.insert(0, "timestamp", clock(len(frame)))
    return frame if labels is None else frame.assign(label=labels)


def write_people(folder: Path, people: int, seconds: float = 60) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(people):
        table(*day_in_short(100 * number, seconds)).to_parquet(folder / f"P{number}.parquet")
    return folder


def walking_at(km_per_hour: float, epochs: int, seed: int) -> np.ndarray:
    """The twin's gait, whose amplitudes are those of real people, felt by back and thigh: (n, 6) g."""
    activity = np.full(epochs, ActivityCode.WALKING, dtype=np.uint8)
    sequence = ActivitySequence(activity, np.full(epochs, km_per_hour, np.float32), 5)
    rng = np.random.default_rng(seed)
    motion = draw_motion(sequence, gait_parameters(), rng)
    seconds = np.arange(epochs * SIZE) / RATE
    return np.concatenate([motion.acceleration(sensor, seconds, rng) for sensor in ("back", "thigh")], axis=1)
