"""Synchronized 50 Hz signals of posture and gait, from a simple physical model.

Belongs here: gravity by posture, gait as harmonics of the stride, mounting error and noise. Does not belong here: raw
device files, clocks and their faults, files (``deliveries``), classification (``study.accelerometry``).

Axes, in g, as in the public two-sensor recordings HARTH (doi 10.3390/s21237853): standing back_x and thigh_x about -1,
sitting thigh_z about -1, lying on the back back_z about +1 and thigh_z about -1.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from study.protocol import protocol
from study.twin.draws import Floats
from study.twin.parameters import Signals

COLUMNS = ("back_x", "back_y", "back_z", "thigh_x", "thigh_y", "thigh_z")
STANDARD_GRAVITY = 9.80665
# Gravity as the sensors feel it, g: back (x, y, z) then thigh (x, y, z). Sitting leans a little.
GRAVITY: dict[str, tuple[float, ...]] = {
    "lying": (-0.15, 0.05, 0.987, -0.12, 0.05, -0.992),
    "sitting": (-0.90, 0.03, 0.435, -0.10, 0.05, -0.994),
    "standing": (-0.995, -0.02, 0.10, -0.995, 0.02, -0.10),
}


def draw_signal(start: np.datetime64, parameters: Signals, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """One person's scripted hour.

    Returns:
        The signal, one row per sample: timestamp (milliseconds) and six float32 columns in g; and the true activity
        of each sample, as text (n,).
    """
    rate = protocol().epochs.sampling_rate_hz
    pieces, truth = [], []
    pace = 1.0 + parameters.speed_sd * rng.standard_normal()
    cadence = 1.0 + parameters.cadence_sd * rng.standard_normal()
    for activity, minutes, speed in parameters.script:
        samples = round(minutes * 60 * rate)
        if activity == "walking":
            pieces.append(_gait(samples, speed / 3.6 * pace, cadence, rate, parameters, rng))
        else:
            pieces.append(_posture(activity, samples, rate, rng))
        truth.append(np.full(samples, activity))
    signal = np.concatenate(pieces)
    for sensor, noise in ((slice(0, 3), parameters.noise_back), (slice(3, 6), parameters.noise_thigh)):
        signal[:, sensor] = signal[:, sensor] @ _rotation(parameters.tilt_sd * rng.standard_normal(3)).T
        signal[:, sensor] += noise * rng.standard_normal((len(signal), 3))
    step = np.timedelta64(1000 // rate, "ms")
    frame = pd.DataFrame(signal.astype(np.float32), columns=list(COLUMNS))
    frame.insert(0, "timestamp", start.astype("datetime64[ms]") + np.arange(len(frame)) * step)
    return frame, np.concatenate(truth)


def _posture(activity: str, samples: int, rate: int, rng: np.random.Generator) -> Floats:
    """Still posture (samples, 6): gravity with a slow sway of a few hundredths of a g."""
    knots = max(2, samples // (10 * rate) + 2)
    at = np.linspace(0, knots - 1, samples)
    sway = np.stack([np.interp(at, np.arange(knots), rng.normal(0.0, 0.02, knots)) for _ in range(6)], axis=1)
    fidgets = 0.01 * rng.standard_normal((samples, 6)) * (rng.random(samples) < 0.05)[:, None]
    return np.array(GRAVITY[activity]) + sway + fidgets


def _gait(
    samples: int, speed: float, cadence: float, rate: int, parameters: Signals, rng: np.random.Generator
) -> Floats:
    """Walking (samples, 6) at ``speed`` m/s: trunk harmonics of the stride, and a thigh swinging below the hip."""
    steps = parameters.cadence * cadence * speed**parameters.cadence_power / 60.0
    strides = int(np.ceil(samples / rate * steps / 2.0)) + 2
    times = np.cumsum(np.maximum(rng.normal(2.0 / steps, parameters.stride_time_cv * 2.0 / steps, strides), 0.3))
    phase = 2.0 * np.pi * np.interp(np.arange(samples) / rate, np.concatenate([[0.0], times]), np.arange(strides + 1))
    order = np.arange(1, len(parameters.vertical_harmonics) + 1)
    weight = np.array(parameters.vertical_harmonics)

    def waves(offsets: Floats, emphasis: Floats) -> Floats:
        wave = np.cos(phase[:, None] * order + offsets) @ (weight * emphasis)
        return np.asarray(wave / np.sqrt(np.sum((weight * emphasis) ** 2) / 2.0))

    vertical = parameters.vertical_rms * speed**parameters.vertical_rms_power
    offsets = rng.uniform(0.0, 2.0 * np.pi, (5, order.size))
    # Sideways the body moves once a stride, not once a step.
    sideways = np.where(order % 2 == 1, 4.0, 0.3)
    back = np.empty((samples, 3))
    back[:, 0] = GRAVITY["standing"][0] + vertical * waves(offsets[0], np.ones(order.size))
    back[:, 1] = GRAVITY["standing"][1] + (0.06 + 0.3 * vertical) * waves(offsets[1], sideways)
    back[:, 2] = GRAVITY["standing"][2] + 0.7 * vertical * waves(offsets[2], np.ones(order.size))

    # Thigh: a pendulum about the hip, tilted a little forward on average, with the trunk's impact passed down.
    swing = np.radians(parameters.thigh_swing_degrees + parameters.thigh_swing_per_speed * speed)
    angle = np.radians(parameters.thigh_tilt_degrees) + swing * np.sin(phase)
    velocity = np.gradient(angle) * rate
    arm = parameters.sensor_below_hip_metres / STANDARD_GRAVITY
    along, across, forward = (vertical * size for size in parameters.thigh_impact)
    even = np.ones(order.size)
    thigh = np.empty((samples, 3))
    thigh[:, 0] = -np.cos(angle) - arm * velocity**2 + along * waves(offsets[0], even)
    thigh[:, 1] = GRAVITY["standing"][4] + across * waves(offsets[3], even)
    thigh[:, 2] = -np.sin(angle) - arm * np.gradient(velocity) * rate + forward * waves(offsets[4], even)
    return np.concatenate([back, thigh], axis=1)


def _rotation(angles: Floats) -> Floats:
    """Rotation matrix (3, 3) of small mounting errors, radians about x, y and z."""
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        i, j = [k for k in range(3) if k != axis]
        turn = np.eye(3)
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix
