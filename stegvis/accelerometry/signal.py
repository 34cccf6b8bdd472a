"""Validation of a synchronized two-sensor signal: shape, unit and timestamps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stegvis.study.protocol import Epochs

AXES = ("back_x", "back_y", "back_z", "thigh_x", "thigh_y", "thigh_z")

# A worn or resting sensor reads about 1 g most of the time; outside this range the unit is wrong or the sensor is dead.
PLAUSIBLE_MEDIAN_MAGNITUDE_G = (0.5, 2.0)


class SignalError(ValueError):
    """A signal that cannot be classified. The message names the reason and contains no sample."""


@dataclass(frozen=True)
class Signal:
    """A checked signal: ``timestamps`` (n,) datetime64, strictly increasing; ``acceleration`` (n, 6) float32, g."""

    timestamps: NDArray[Any]
    acceleration: NDArray[np.float32]


def largest_gap(epoch_rules: Epochs) -> np.timedelta64:
    """The longest interval between two samples that does not count as a gap."""
    return np.timedelta64(round(epoch_rules.largest_gap_seconds * 1e6), "us")


def check_signal(timestamps: ArrayLike, acceleration: ArrayLike, epoch_rules: Epochs) -> Signal:
    """Validate a signal and return it as plain arrays.

    Samples with a missing value on any axis are dropped and then count as a gap.

    Args:
        timestamps: (n,) datetime64, device-local, no time zone.
        acceleration: (n, 6) in g, columns as in ``AXES``.
        epoch_rules: the sampling rate, its tolerance, and what counts as a gap.

    Raises:
        SignalError: empty, of the wrong shape, not numeric, not increasing in time, not near the nominal sampling
            rate, or not in g.
    """
    clock = np.asarray(timestamps)
    if clock.dtype.kind != "M":
        raise SignalError("the timestamps are not dates and times without time zone (numpy datetime64)")
    try:
        values = np.asarray(acceleration, dtype=np.float32)
    except (TypeError, ValueError):
        raise SignalError("the acceleration is not numeric") from None
    if values.ndim != 2 or values.shape[1] != len(AXES) or clock.shape != (len(values),):
        raise SignalError(f"the signal must be n timestamps and an n x 6 array, in the order {', '.join(AXES)}")

    complete = np.isfinite(values).all(axis=1) & ~np.isnat(clock)
    if not complete.all():
        clock, values = clock[complete], values[complete]
    if len(clock) == 0:
        raise SignalError("the signal is empty")

    steps = np.diff(clock)
    if (steps <= np.timedelta64(0)).any():
        raise SignalError("the timestamps do not increase from sample to sample")
    _check_rate(steps, epoch_rules)
    _check_unit(values)
    return Signal(clock, values)


def _check_rate(steps: NDArray[Any], epoch_rules: Epochs) -> None:
    inside = steps[steps <= largest_gap(epoch_rules)]
    if len(inside) == 0:
        raise SignalError(f"no two samples are within {epoch_rules.largest_gap_seconds} s of each other")
    rate = len(inside) / (inside.sum() / np.timedelta64(1, "s"))
    if abs(rate / epoch_rules.sampling_rate_hz - 1) > epoch_rules.largest_rate_deviation:
        raise SignalError(
            f"the sampling rate is {rate:.1f} Hz, expected {epoch_rules.sampling_rate_hz} Hz within "
            f"{epoch_rules.largest_rate_deviation:.0%}: resample the signal first"
        )


def _check_unit(values: NDArray[np.float32]) -> None:
    # Every 50th sample is enough for a median, and fast for a week of signal.
    some = values[::50]
    low, high = PLAUSIBLE_MEDIAN_MAGNITUDE_G
    for sensor, columns in (("back", slice(0, 3)), ("thigh", slice(3, 6))):
        median = float(np.median(np.linalg.norm(some[:, columns], axis=1)))
        if not low <= median <= high:
            raise SignalError(f"the {sensor} sensor does not read about 1 g: the unit is not g, or the sensor is dead")
