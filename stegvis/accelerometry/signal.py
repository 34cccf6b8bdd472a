"""What a synchronized signal must be before anything is computed from it.

Belongs here: the shape, unit and clock rules of a two-sensor signal. Does not belong here: reading files
(``recording``), cutting into windows (``windows``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stegvis.study.protocol import protocol

AXES = ("back_x", "back_y", "back_z", "thigh_x", "thigh_y", "thigh_z")

# A worn or resting sensor reads about 1 g most of the time; outside this band the unit is wrong or the sensor is dead.
PLAUSIBLE_MEDIAN_MAGNITUDE_G = (0.5, 2.0)


class SignalError(ValueError):
    """A signal that cannot be classified; the message says which rule it breaks and shows no sample of it."""


@dataclass(frozen=True)
class Signal:
    """A checked signal: ``timestamps`` (n,) datetime64, strictly increasing; ``acceleration`` (n, 6) float32, g."""

    timestamps: NDArray[Any]
    acceleration: NDArray[np.float32]


def largest_gap() -> np.timedelta64:
    """The longest step between two samples that is not yet a gap."""
    return np.timedelta64(round(protocol().epochs.largest_gap_seconds * 1e6), "us")


def check_signal(timestamps: ArrayLike, acceleration: ArrayLike) -> Signal:
    """Check a signal against the contract and return it as plain arrays.

    Samples with a missing value on any axis are left out; they then count as a gap like any other.

    Args:
        timestamps: (n,) datetime64, device-local, no time zone.
        acceleration: (n, 6) in g, columns as in ``AXES``.

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
    _check_rate(steps)
    _check_unit(values)
    return Signal(clock, values)


def _check_rate(steps: NDArray[Any]) -> None:
    epochs = protocol().epochs
    inside = steps[steps <= largest_gap()]
    if len(inside) == 0:
        raise SignalError(f"no two samples are within {epochs.largest_gap_seconds} s of each other")
    rate = len(inside) / (inside.sum() / np.timedelta64(1, "s"))
    if abs(rate / epochs.sampling_rate_hz - 1) > epochs.largest_rate_deviation:
        raise SignalError(
            f"the sampling rate is {rate:.1f} Hz, expected {epochs.sampling_rate_hz} Hz within "
            f"{epochs.largest_rate_deviation:.0%}: resample the signal first"
        )


def _check_unit(values: NDArray[np.float32]) -> None:
    # Every 50th sample is plenty for a median, and keeps a week cheap.
    some = values[::50]
    low, high = PLAUSIBLE_MEDIAN_MAGNITUDE_G
    for sensor, columns in (("back", slice(0, 3)), ("thigh", slice(3, 6))):
        median = float(np.median(np.linalg.norm(some[:, columns], axis=1)))
        if not low <= median <= high:
            raise SignalError(f"the {sensor} sensor does not read about 1 g: the unit is not g, or the sensor is dead")
