"""Synchronized 50 Hz signals: a scripted hour of both sensors on one exact clock."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stegvis.accelerometry.activity import ACTIVITIES
from stegvis.study.protocol import Epochs
from stegvis.twin.activities import ActivitySequence
from stegvis.twin.gait import SENSORS, draw_motion
from stegvis.twin.gait_parameters import AXES, GaitParameters, gait_parameters
from stegvis.twin.mounting import draw_mounting
from stegvis.twin.parameters import Signals

COLUMNS: tuple[str, ...] = AXES


def draw_signal(
    start: np.datetime64,
    parameters: Signals,
    rng: np.random.Generator,
    epochs: Epochs,
    moving: GaitParameters | None = None,
) -> tuple[pd.DataFrame, NDArray[np.str_]]:
    """One person's scripted hour.

    Args:
        start: of the hour, device-local.
        parameters: the script.
        rng: random stream.
        epochs: length of an epoch, and the sampling rate.
        moving: movements, sensors and how messily they are worn; those of ``gait.toml`` if not given.

    Returns:
        The signal, one row per sample: timestamp (milliseconds) and six float32 columns in g; and the true activity
        of each sample, as text (n,).
    """
    rate, step = epochs.sampling_rate_hz, epochs.seconds
    pace = 1.0 + parameters.speed_sd * float(rng.standard_normal())
    lengths = [round(minutes * 60 / step) for _, minutes, _ in parameters.script]
    names = np.repeat([activity for activity, _, _ in parameters.script], lengths)
    sequence = ActivitySequence(
        activity=np.repeat([ACTIVITIES[activity] for activity, _, _ in parameters.script], lengths).astype(np.uint8),
        speed_km_per_hour=np.repeat([speed * pace for _, _, speed in parameters.script], lengths).astype(np.float32),
        step_seconds=step,
    )
    moving = moving or gait_parameters()
    mountings = {sensor: draw_mounting(sensor, sequence, moving, rng) for sensor in SENSORS}
    motion = draw_motion(sequence, moving, rng, mountings["back"].slope(moving))
    seconds = np.arange(len(names) * step * rate) / rate
    sensors = moving.sensors
    signal = []
    for sensor, noise in zip(SENSORS, (sensors.noise_back, sensors.noise_thigh), strict=True):
        mounting = mountings[sensor]
        worn = mounting.worn(motion.acceleration(sensor, seconds, rng, mounting.ringing), seconds)
        signal.append(worn + np.float32(noise) * rng.standard_normal(worn.shape, dtype=np.float32))
    frame = pd.DataFrame(np.concatenate(signal, axis=1), columns=list(COLUMNS))
    frame.insert(
        0, "timestamp", start.astype("datetime64[ms]") + np.arange(len(frame)) * np.timedelta64(1000 // rate, "ms")
    )
    return frame, np.repeat(names, step * rate)
