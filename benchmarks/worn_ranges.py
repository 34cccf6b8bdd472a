"""How real people wear sensors and walk: the ranges from which the twin draws (``worn`` in ``stegvis/twin/gait.toml``).

    python -m benchmarks.worn_ranges DATA

DATA holds ``harth/`` and ``har70plus/``, and ``selfback_thigh/`` if there is one. Printed are quantiles over people, so
that no value is one person's but for the least and the most.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.attachment import EVIDENCE
from stegvis.accelerometry.recording import read_labeled
from stegvis.accelerometry.windows import window_starts
from stegvis.study.protocol import Epochs
from stegvis.study.study import Study

Floats = NDArray[np.float32]

RATE_HZ, FEWEST_EPOCHS = 50, 6
# Epochs of walking that a person needs here: a minute.
FEWEST_WALKING = 12
LEVELS = [0.0, 0.1, 0.5, 0.9, 1.0]
SENSORS = {"back": slice(0, 3), "thigh": slice(3, 6)}


def pure_epochs(file: Path, rules: Epochs) -> tuple[Floats, NDArray[np.uint8]]:
    """Epochs (k, samples, 6) of one activity and no stairs, and the activity (k,)."""
    recording = read_labeled(file, rules)
    which = window_starts(recording.signal.timestamps, rules)[:, None] + np.arange(rules.samples_per_epoch)
    activity = recording.activity[which]
    pure = (activity == activity[:, :1]).all(axis=1) & (recording.stairs[which].mean(axis=1) < 0.1)
    return recording.signal.acceleration[which[pure]], activity[pure, 0]


def sagittal(gravity: Floats) -> NDArray[np.float64]:
    """Degrees, of gravity (..., 3)."""
    return np.degrees(np.arctan2(gravity[..., 2], -gravity[..., 0]))


def postures(windows: Floats, activity: NDArray[np.uint8]) -> dict[str, float]:
    """Angles of one person's sensors, degrees: medians, and how much they vary within the recording."""
    found: dict[str, float] = {}
    gravity = windows.mean(axis=1)
    for code in (ActivityCode.WALKING, ActivityCode.STANDING, ActivityCode.SITTING):
        here = gravity[activity == code]
        if len(here) < FEWEST_EPOCHS:
            continue
        for sensor, axes in SENSORS.items():
            name, middle = f"{code.name.lower()}, {sensor}", np.median(here[:, axes], axis=0)
            found[f"{name} sagittal"] = float(sagittal(middle))
            low, high = np.quantile(sagittal(here[:, axes]), [0.16, 0.84])
            found[f"{name} sagittal, SD within"] = float(high - low) / 2
            if code is ActivityCode.WALKING:
                found[f"{name} sideways"] = float(np.degrees(np.arctan2(middle[1], -middle[0])))
            if code is ActivityCode.SITTING and sensor == "thigh":
                found[f"{name} roll"] = float(np.degrees(np.arctan2(middle[1], -middle[2])))
    return found


def style(walking: Floats) -> dict[str, float]:
    """How one person walks, from windows (k, samples, 6)."""
    movement = walking - walking.mean(axis=1, keepdims=True)
    samples = movement.shape[1]
    power = np.abs(np.fft.rfft(movement * np.hanning(samples)[None, :, None], axis=1)) ** 2
    hertz = np.fft.rfftfreq(samples, 1 / RATE_HZ)
    step_band = (hertz >= 1.2) & (hertz <= 2.6)
    strides = hertz[step_band][power[:, step_band, 0].argmax(axis=1)] / 2
    found = {"steps per minute": 120 * float(np.median(strides))}
    odd, even = (
        np.array(
            [
                sum(each[np.abs(hertz - k * stride) <= 0.2].sum() for k in harmonics)
                for each, stride in zip(power[:, :, SENSORS["back"]].sum(axis=2), strides, strict=True)
            ]
        )
        for harmonics in ((1, 3, 5), (2, 4, 6))
    )
    found["odd to even harmonics of the back, log"] = float(np.median(np.log(odd / even)) / 2)
    high, low = (hertz >= 12) & (hertz <= 24), (hertz >= 0.4) & (hertz < 6)
    for sensor, axes in SENSORS.items():
        of_sensor = power[:, :, axes].sum(axis=2)
        ratio = of_sensor[:, high].sum(axis=1) / of_sensor[:, low].sum(axis=1)
        found[f"above 12 to below 6 Hz, {sensor}, log"] = float(np.median(np.log(ratio)) / 2)
        found[f"forward and backward, {sensor}"] = float(np.median(EVIDENCE[sensor](walking[:, :, axes])))
    found["stride regularity"] = float(
        np.median([regularity(x, s) for x, s in zip(movement[:, :, 0], strides, strict=True)])
    )
    return found


def regularity(vertical: Floats, strides_hz: float) -> float:
    """Correlation of a movement (samples,) with itself a stride later."""
    own = np.correlate(vertical, vertical, "full")[len(vertical) - 1 :] / np.arange(len(vertical), 0, -1)
    lag = round(RATE_HZ / strides_hz)
    return float(own[max(lag - 4, 1) : lag + 5].max() / own[0])


def selfback_roll(file: Path) -> float:
    """Roll of the thigh sensor in sitting, degrees."""
    table = pd.read_parquet(file)
    _, y, z = table.loc[table["label"] == "sitting", ["thigh_x", "thigh_y", "thigh_z"]].median()
    return float(np.degrees(np.arctan2(y, -z)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    rules = Study.shipped().protocol.epochs
    found = defaultdict(list)
    for file in [*sorted(data.glob("harth/*.parquet")), *sorted(data.glob("har70plus/*.parquet"))]:
        windows, activity = pure_epochs(file, rules)
        walking = windows[activity == ActivityCode.WALKING]
        if len(walking) >= FEWEST_WALKING:
            for name, value in (postures(windows, activity) | style(walking)).items():
                found[name].append(value)
    for file in sorted(data.glob("selfback_thigh/*.parquet")):
        found["sitting, thigh roll"].append(selfback_roll(file))
    table = pd.DataFrame(
        {name: [len(each), *np.quantile(each, LEVELS), np.std(each, ddof=1)] for name, each in found.items()}
    )
    table.index = pd.Index(["people", *(f"{level:.0%}" for level in LEVELS), "SD"])
    print(table.T.round(2).to_string())


if __name__ == "__main__":
    main()
