"""The epochs that two sensors have in common, their wear, and their samples on one exact grid.

An epoch begins at a multiple of the protocol's epoch length by the back's clock, and both sensors recorded it without a
gap. Samples are resampled on demand and not kept: a week of them would be larger than its files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.method import Method
from stegvis.accelerometry.pair_problems import PairError, Place, check_hours
from stegvis.accelerometry.raw_sensor import RawSensor
from stegvis.accelerometry.resampling import Timeline, epoch_positions, resample
from stegvis.accelerometry.synchronization import Synchronization
from stegvis.accelerometry.wear import worn_at
from stegvis.accelerometry.windows import CHUNK, in_their_places
from stegvis.study.protocol import Epochs

Floats = NDArray[np.float64]

# The columns of each sensor in a window.
COLUMNS: dict[Place, slice] = {"back": slice(0, 3), "thigh": slice(3, 6)}


class SensorPlaces(NamedTuple):
    """From ``seconds`` of the back's clock on: whether the sensors are swapped, ``None`` if that is uncertain."""

    seconds: float
    swapped: bool | None


AS_THE_FILES_SAY = (SensorPlaces(-np.inf, swapped=False),)


@dataclass(frozen=True)
class PairEpochs:
    """The pair's epochs (k,).

    Attributes:
        sensors: the two sensors.
        rules: length and sampling rate of the epochs.
        start: (k,) whole seconds since the origin by the back's clock, increasing.
        first, last: for each sensor, the positions of the epochs among its samples (``resampling.epoch_positions``).
        wear: for each place, whether a sensor was worn there; nowhere in epochs that are not used.
        swapped: (k,) whether the back sensor was on the thigh and the thigh sensor on the back.
        unused: (k,) whether it is uncertain where the sensors were.
    """

    sensors: Mapping[Place, RawSensor]
    rules: Epochs
    start: NDArray[np.int64]
    first: dict[Place, Floats]
    last: dict[Place, Floats]
    wear: dict[Place, NDArray[np.bool_]]
    swapped: NDArray[np.bool_]
    unused: NDArray[np.bool_]

    @property
    def worn(self) -> NDArray[np.bool_]:
        """(k,) whether both sensors were worn."""
        return self.wear["back"] & self.wear["thigh"]

    def windows(self, which: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
        """Calibrated samples of the epochs numbered ``which``, in g (``windows.Windows``), each in its place.

        The array is reused for the next chunk.
        """
        return in_their_places(self._by_sensor, self.swapped)(which)

    def _by_sensor(self, which: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
        samples = self.rules.samples_per_epoch
        buffer = np.empty((CHUNK * samples, 6), dtype=np.float32)
        for begin in range(0, len(which), CHUNK):
            some = which[begin : begin + CHUNK]
            values = buffer[: len(some) * samples]
            for place, sensor in self.sensors.items():
                resample(
                    sensor.signal,
                    self.first[place][some],
                    self.last[place][some],
                    self.rules,
                    gain=sensor.calibration.gain,
                    offset=sensor.calibration.offset,
                    out=values[:, COLUMNS[place]],
                )
            yield values.reshape(len(some), samples, 6)


def common_epochs(
    sensors: Mapping[Place, RawSensor],
    clocks: Synchronization,
    method: Method,
    places: Sequence[SensorPlaces] = AS_THE_FILES_SAY,
) -> PairEpochs:
    """Epochs by the back's clock that both sensors recorded without a gap.

    Args:
        sensors: the two sensors.
        clocks: the thigh's clock relative to the back's.
        method: the settings of the classification.
        places: where the sensors were, in the order of time.

    Raises:
        PairError: ``short_overlap``, there are too few; ``not_worn``, the two were never worn at the same time.
    """
    seconds = method.epochs.seconds
    line = sensors["back"].signal.timeline
    start = epoch_starts(line, seconds)
    begin_of_back: Floats = start.astype(np.float64)
    times: dict[Place, tuple[Floats, Floats]] = {"back": (begin_of_back, begin_of_back + seconds)}
    times["thigh"] = (clocks.thigh_seconds(times["back"][0]), clocks.thigh_seconds(times["back"][1]))
    found = {place: epoch_positions(sensors[place].signal.timeline, *times[place]) for place in times}
    both = found["back"][2] & found["thigh"][2]
    check_hours(float(both.sum()) * seconds / 3600, method.raw_recordings)
    wear: dict[Place, NDArray[np.bool_]] = {}
    for place, (begin, end) in times.items():
        wear[place] = worn_at(sensors[place].summary, sensors[place].worn, (begin[both] + end[both]) / 2)
    swapped, unused = _places(start[both], places)
    back, thigh = wear["back"], wear["thigh"]
    wear = {"back": np.where(swapped, thigh, back) & ~unused, "thigh": np.where(swapped, back, thigh) & ~unused}
    epochs = PairEpochs(
        sensors=sensors,
        rules=method.epochs,
        start=start[both],
        first={place: found[place][0][both] for place in times},
        last={place: found[place][1][both] for place in times},
        wear=wear,
        swapped=swapped,
        unused=unused,
    )
    if not epochs.worn.any():
        raise PairError("not_worn", "the two sensors were never worn at the same time")
    return epochs


def epoch_starts(line: Timeline, seconds: int) -> NDArray[np.int64]:
    """The starts (k,) of epochs of so many seconds that lie within a run of samples, seconds since the origin."""
    runs = zip(np.ceil(line.run_start / seconds), np.floor(line.run_end / seconds), strict=True)
    numbers: NDArray[np.int64] = np.concatenate([np.arange(first, last, dtype=np.int64) for first, last in runs])
    return numbers * seconds


def _places(start: NDArray[np.int64], places: Sequence[SensorPlaces]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether the sensors were swapped (k,) at these seconds, and whether that is uncertain."""
    state = np.searchsorted([each.seconds for each in places], start, side="right") - 1
    swapped, unused = (np.array([each.swapped is value for each in places])[state] for value in (True, None))
    return swapped, unused
