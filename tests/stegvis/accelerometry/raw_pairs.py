"""Raw pairs of the twin with their truth, and how to compare a result with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.cwa import read_cwa
from stegvis.accelerometry.pair_classification import PairResult, classify_pair
from stegvis.twin.cwa import Device, write_cwa
from stegvis.twin.gait_parameters import GaitParameters, gait_parameters
from stegvis.twin.raw import RawTruth
from tests.stegvis.accelerometry.settings import METHOD

EPOCHS_PER_DAY = 17_280
WALKING = ActivityCode.WALKING


def with_sensors(**changes: float) -> GaitParameters:
    """The twin's parameters with different sensors."""
    parameters = gait_parameters()
    return parameters.model_copy(update={"sensors": parameters.sensors.model_copy(update=changes)})


def processed(folder: Path, **settings) -> PairResult:
    return classify_pair(folder / "P_back.cwa", folder / "P_thigh.cwa", METHOD, **settings)


def swapped_from(folder: Path, into: Path, truth: RawTruth, share: float) -> float:
    """Write a pair's files again with the sensors swapped after a share of its time: that moment, seconds since 1970.

    The devices keep their clocks, so that the one on the back is now ahead or behind.
    """
    recordings = {place: read_cwa(folder / f"P_{place}.cwa") for place in ("back", "thigh")}
    seconds = {place: each.times.astype(np.int64) / 1e6 for place, each in recordings.items()}
    start = seconds["back"][0]
    at = start + share * (seconds["back"][-1] - start)
    ahead = truth.offset_seconds + truth.drift_seconds_per_day * (seconds["back"] - start) / 86400
    by_thigh = seconds["back"] + ahead
    clock = {"back": seconds["thigh"] - np.interp(seconds["thigh"], by_thigh, ahead), "thigh": by_thigh}
    for place, other in (("back", "thigh"), ("thigh", "back")):
        own, others = recordings[place], recordings[other]
        samples = own.acceleration()
        # The other sensor's samples, in order of this sensor's clock.
        late = seconds[place] >= at
        nearest = np.searchsorted(clock[place], seconds[place][late]).clip(max=len(others.samples) - 1)
        samples[late] = others.acceleration()[nearest]
        device = Device(own.header.device_id, 1, own.segments[0].rate_hz)
        write_cwa(into / f"P_{place}.cwa", samples, own.segments[0].start, device, 33.0)
    return float(at)


def true_activity(truth: RawTruth, epochs: pd.DataFrame) -> np.ndarray:
    """True activity of most of each epoch, whose start is given by the back's clock."""
    return truth.activity_of(epochs["epoch_start"].to_numpy(), METHOD.epochs.seconds)


def slipped(true: np.ndarray, found: np.ndarray) -> int:
    """The shift, in epochs, at which the classified walking agrees best with the true one."""
    shifts = range(-6, 7)
    inner = slice(6, -6)
    agreement = [(np.roll(found == WALKING, -shift)[inner] == (true == WALKING)[inner]).mean() for shift in shifts]
    return shifts[int(np.argmax(agreement))]


def hourly_slips(true: np.ndarray, found: np.ndarray) -> list[int]:
    """The same for every hour with enough walking and enough other activity."""
    hours = [slice(first, first + 720) for first in range(0, len(true) - 719, 720)]
    return [slipped(true[hour], found[hour]) for hour in hours if 60 <= (true[hour] == WALKING).sum() <= 660]
