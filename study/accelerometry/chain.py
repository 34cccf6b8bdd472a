"""From two raw recordings of one person to classified epochs and days: the whole path, in order, for one pair.

Read, check that the two belong together, find wear, put gravity and clocks right, resample both sensors on the epochs
of the back's clock, classify. An epoch begins at a multiple of five seconds of device-local time and was recorded by
both sensors without a gap; if either was off it is non-wear. Samples are resampled when they are needed and not kept: a
week takes less than 1.2 GB.

Belongs here: the order of the steps, what stops a pair, what is told about it. Does not belong here: how a step works,
folders, batches and the warehouse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from study.accelerometry.activity import ActivityCode, SpeedCode
from study.accelerometry.calibration import Calibration, calibrate, still_directions
from study.accelerometry.classifier import MODEL_FILE, decide, load_model
from study.accelerometry.cwa import CwaError, CwaRecording, read_cwa
from study.accelerometry.days import day_table
from study.accelerometry.features import FEATURE_NAMES, features
from study.accelerometry.orientation import HORIZONTAL, UPRIGHT, Worn, orientation, swapped
from study.accelerometry.resampling import ClockError, RawSignal, epoch_positions, raw_signal, resample
from study.accelerometry.summaries import WINDOW_SECONDS, Summary, summarize
from study.accelerometry.synchronization import Synchronization, synchronize
from study.accelerometry.walking_speed import gait_autocorrelation, movement, pace, speed_class
from study.accelerometry.wear import skin_temperature, worn, worn_at
from study.accelerometry.windows import CHUNK
from study.protocol import protocol

Floats = NDArray[np.float64]
Place = Literal["back", "thigh"]
# Why a pair is refused.
Refusal = Literal[
    "unreadable",
    "too_slow",
    "clock_set_back",
    "same_recording",
    "same_place",
    "different_weeks",
    "short_overlap",
    "not_worn",
    "not_together",
]

# Where each sensor's axes stand in a window.
COLUMNS: dict[Place, slice] = {"back": slice(0, 3), "thigh": slice(3, 6)}
# Two sensors on one part of the body are upright and horizontal together; two on back and thigh part company whenever
# the person sits. Hours of each needed to tell, and the largest share of the time in which they may differ by chance.
HOURS_TO_TELL_PLACES = 1.0
LARGEST_SHARE_APART = 0.01
# Epochs looked at to tell how the sensors were worn.
EPOCHS_OF_A_KIND = 1500


class PairError(ValueError):
    """A pair of recordings that cannot be classified; ``rule`` names why, the message says so in a sentence.

    Neither holds a sample, a file name or an identifier.
    """

    def __init__(self, rule: Refusal, message: str) -> None:
        super().__init__(message)
        self.rule: Refusal = rule


class Problem(NamedTuple):
    """Something worth knowing about a pair that was classified all the same."""

    rule: str
    message: str


@dataclass(frozen=True)
class PairResult:
    """A classified pair.

    Attributes:
        epochs: one row per epoch in time order: ``epoch_start`` datetime64[ms]; ``activity``, ``speed`` and
            ``confidence`` uint8 (0 in epochs of non-wear, which are not classified); ``stairs``, ``wear_back`` and
            ``wear_thigh`` bool; ``cadence`` (steps/min), ``speed_km_per_hour`` and ``speed_sd_km_per_hour`` float32,
            NaN where not walking. Time that one of the sensors did not record has no row.
        days: see ``days.day_table``.
        quality: plain numbers and words about each step, by name; the same names for every pair.
        problems: what fell short without stopping the pair.
        still_directions: of each device by its serial number, for ``calibration.pooled``.
    """

    epochs: pd.DataFrame
    days: pd.DataFrame
    quality: dict[str, float | int | str | bool]
    problems: tuple[Problem, ...]
    still_directions: dict[int, Floats]


@dataclass(frozen=True)
class _Sensor:
    """What is known of one recording before the two are brought together."""

    device_id: int
    location: str
    signal: RawSignal
    summary: Summary
    worn: NDArray[np.bool_]
    directions: Floats
    calibration: Calibration
    facts: dict[str, float | int | str | bool]


@dataclass(frozen=True)
class _Epochs:
    """The pair's epochs (k,): when they begin by the back's clock, where they lie among each sensor's samples, wear."""

    start: NDArray[np.int64]
    first: dict[Place, Floats]
    last: dict[Place, Floats]
    wear: dict[Place, NDArray[np.bool_]]

    @property
    def worn(self) -> NDArray[np.bool_]:
        return self.wear["back"] & self.wear["thigh"]


def process_pair(
    back: Path,
    thigh: Path,
    *,
    calibrations: Mapping[int, Calibration] | None = None,
    nthread: int = 1,
    model_file: Path = MODEL_FILE,
) -> PairResult:
    """Classify a raw pair.

    Args:
        back, thigh: CWA files.
        calibrations: of devices by serial number, as found from all their recordings; used where one recording does
            not suffice.
        nthread: threads of the classifier.
        model_file: the classifier.

    Raises:
        PairError: the pair cannot be classified.
        ModelError: the classifier cannot be used.
    """
    recordings: dict[Place, CwaRecording] = {"back": _read(back, "back"), "thigh": _read(thigh, "thigh")}
    _check_devices(recordings["back"], recordings["thigh"])
    origin = min(recording.segments[0].start for recording in recordings.values()).astype("datetime64[D]")
    sensors = {place: _sensor(recordings[place], place, origin, calibrations or {}) for place in recordings}
    del recordings
    _check_overlap(sensors["back"].signal, sensors["thigh"].signal)
    for place, sensor in sensors.items():
        if not sensor.worn.any():
            raise PairError("not_worn", f"the {place} sensor was not worn")
    problems = [problem for place in sensors for problem in _sensor_problems(place, sensors[place])]

    exchanged = _look_at_postures(sensors)
    if exchanged:
        sensors = {"back": sensors["thigh"], "thigh": sensors["back"]}
        problems.append(Problem("swapped", "the back and the thigh sensor had changed places; put right"))
    clocks = synchronize(
        sensors["back"].signal, sensors["thigh"].signal, sensors["back"].summary, sensors["thigh"].summary
    )
    problems += _clock_problems(clocks)
    epochs = _common_epochs(sensors, clocks)
    windows = _Windows(sensors, epochs)
    table, worn_as = _classify(windows, epochs, origin, nthread, model_file)
    problems += _orientation_problems(worn_as)
    facts = {f"{place}_{name}": fact for place in sensors for name, fact in sensors[place].facts.items()}
    return PairResult(
        epochs=table,
        days=day_table(table),
        quality=facts | _clock_facts(clocks) | _pair_facts(epochs, exchanged, worn_as),
        problems=tuple(problems),
        still_directions={sensor.device_id: sensor.directions for sensor in sensors.values()},
    )


def still_directions_of(path: Path) -> tuple[int, Floats]:
    """Serial number of a recording's device, and the directions it lay still in, for ``calibration.pooled``.

    Raises:
        PairError: the file cannot be read.
    """
    recording = _read(path, "back")
    origin = recording.segments[0].start.astype("datetime64[D]")
    return recording.header.device_id, still_directions(
        summarize(_signal(recording, "back", origin), recording, origin)
    )


# --- each sensor ----------------------------------------------------------------------------------------------------


def _read(path: Path, place: Place) -> CwaRecording:
    try:
        recording = read_cwa(path)
    except CwaError as error:
        raise PairError("unreadable", f"the {place} recording cannot be read: {error}") from None
    except OSError as error:
        # The message of the original would hold the file's name.
        raise PairError("unreadable", f"the {place} recording cannot be read: {error.strerror}") from None
    if recording.header.rate_hz < protocol().raw_recordings.slowest_rate_hz:
        raise PairError("too_slow", f"the {place} sensor was set to {recording.header.rate_hz:g} samples per second")
    return recording


def _signal(recording: CwaRecording, place: Place, origin: np.datetime64) -> RawSignal:
    try:
        return raw_signal(recording, origin)
    except ClockError as error:
        raise PairError("clock_set_back", f"the {place} recording cannot be used: {error}") from None


def _sensor(
    recording: CwaRecording, place: Place, origin: np.datetime64, calibrations: Mapping[int, Calibration]
) -> _Sensor:
    signal = _signal(recording, place, origin)
    if signal.timeline.recorded_seconds < 3600 * protocol().raw_recordings.smallest_overlap_hours:
        hours = signal.timeline.recorded_seconds / 3600
        raise PairError("short_overlap", f"the {place} recording holds no more than {hours:.1f} hours")
    summary = summarize(signal, recording, origin)
    if len(summary.start) == 0:
        raise PairError("unreadable", f"the {place} recording has no {WINDOW_SECONDS} seconds without a gap")
    directions = still_directions(summary)
    own = calibrate(directions)
    pooled = calibrations.get(recording.header.device_id)
    used, source = (pooled, "pooled") if pooled is not None and pooled.calibrated else (own, "own")
    worn_windows = worn(summary)
    skin = skin_temperature(summary)
    line = signal.timeline
    facts: dict[str, float | int | str | bool] = {
        "device_id": recording.header.device_id,
        "hardware": recording.header.hardware,
        "rate_hz": round(signal.rate_hz, 4),
        "hours": round(line.recorded_seconds / 3600, 3),
        "gaps": len(line.run_start) - 1,
        "gap_seconds": round(line.end - line.start - line.recorded_seconds, 1),
        "sectors": len(recording.blocks),
        "sectors_masked": sum(recording.masked_blocks.values()),
        "trailing_bytes": recording.trailing_bytes,
        "wear_hours": round(float(worn_windows.sum()) * summary.seconds / 3600, 3),
        "skin_celsius": round(skin, 1) if skin is not None else float("nan"),
        "calibration": source if used.calibrated else used.outcome,
        "calibration_error_before_g": round(used.error_before_g, 5),
        "calibration_error_after_g": round(used.error_after_g, 5),
    }
    location = recording.header.annotations.get("_p", "").lower()
    return _Sensor(recording.header.device_id, location, signal, summary, worn_windows, directions, used, facts)


def _sensor_problems(place: Place, sensor: _Sensor) -> Iterator[Problem]:
    facts = sensor.facts
    if facts["trailing_bytes"]:
        yield Problem("truncated", f"the {place} file was cut off within a sector; what is there was used")
    if facts["sectors_masked"]:
        yield Problem("damaged", f"{facts['sectors_masked']} damaged sectors of the {place} file were left out")
    if facts["gaps"]:
        yield Problem("gaps", f"the {place} recording has {facts['gaps']} gaps, {facts['gap_seconds']} s in all")


# --- do the two belong together -------------------------------------------------------------------------------------


def _check_devices(back: CwaRecording, thigh: CwaRecording) -> None:
    if back.header.device_id == thigh.header.device_id or np.array_equal(back.samples, thigh.samples):
        raise PairError("same_recording", "both files are of the same device")
    locations = [recording.header.annotations.get("_p", "").lower() for recording in (back, thigh)]
    for place in ("thigh", "back"):
        if all(place in location for location in locations):
            raise PairError("same_place", f"both files say that they were worn on the {place}")


def _check_overlap(back: RawSignal, thigh: RawSignal) -> None:
    overlap = min(back.timeline.end, thigh.timeline.end) - max(back.timeline.start, thigh.timeline.start)
    if overlap <= 0:
        raise PairError("different_weeks", "the two recordings have no time in common")
    _check_hours(overlap / 3600)


def _check_hours(hours: float) -> None:
    least = protocol().raw_recordings.smallest_overlap_hours
    if hours < least:
        raise PairError("short_overlap", f"the two recordings have {hours:.1f} hours in common, {least:g} are needed")


def _look_at_postures(sensors: Mapping[Place, _Sensor]) -> bool:
    """Whether the sensors had changed places, from the ten-second windows in which both were worn.

    Raises:
        PairError: both were on the same part of the body.
    """
    back, thigh = sensors["back"], sensors["thigh"]
    center = back.summary.start + back.summary.seconds / 2
    window = np.searchsorted(thigh.summary.start, center, side="right") - 1
    both = back.worn & (window >= 0) & worn_at(thigh.summary, thigh.worn, center)
    gravity = np.hstack([back.summary.mean[both], thigh.summary.mean[window[both]]])
    along = np.stack(
        [np.abs(gravity[:, x]) / np.maximum(np.linalg.norm(gravity[:, x : x + 3], axis=1), 1e-3) for x in (0, 3)]
    )
    upright, horizontal = along > UPRIGHT, along < HORIZONTAL
    together = [float(each.all(axis=0).sum()) * WINDOW_SECONDS / 3600 for each in (upright, horizontal)]
    apart = (upright[0] & horizontal[1]) | (upright[1] & horizontal[0])
    if min(together) >= HOURS_TO_TELL_PLACES and apart.mean() < LARGEST_SHARE_APART:
        raise PairError("same_place", "both sensors were on the same part of the body: they are never apart in posture")
    return swapped(gravity)


def _clock_problems(clocks: Synchronization) -> Iterator[Problem]:
    """What the clocks have to say.

    Raises:
        PairError: the two did not move together.
    """
    if clocks.status == "no_agreement":
        raise PairError(
            "not_together",
            "the two sensors do not move together: they were worn by two people, or their clocks are far apart",
        )
    if not clocks.synchronized:
        reason = {
            "too_little_movement": "too little movement to compare",
            "drift_uncertain": "movement to compare in a part of the recording only",
        }[clocks.status]
        yield Problem("not_synchronized", f"the clocks could not be synchronized: {reason}; used as they are")
    elif abs(clocks.offset_seconds) > protocol().synchronization.search_seconds:
        yield Problem("clocks_apart", f"the clocks were {clocks.offset_seconds:.0f} s apart; put right")


def _orientation_problems(worn_as: Mapping[Place, Worn]) -> Iterator[Problem]:
    for place, how in worn_as.items():
        if how not in (Worn.AS_PRESCRIBED, Worn.UNKNOWN):
            yield Problem(how, f"the {place} sensor was worn {how.replace('_', ' ')}; this does not change the classes")


# --- epochs ---------------------------------------------------------------------------------------------------------


def _common_epochs(sensors: Mapping[Place, _Sensor], clocks: Synchronization) -> _Epochs:
    """Epochs of the back's clock that both sensors recorded without a gap.

    Raises:
        PairError: there are too few, or in none of them both were worn.
    """
    seconds = protocol().epochs.seconds
    line = sensors["back"].signal.timeline
    runs = zip(np.ceil(line.run_start / seconds), np.floor(line.run_end / seconds), strict=True)
    start = seconds * np.concatenate([np.arange(first, last, dtype=np.int64) for first, last in runs])
    times: dict[Place, tuple[Floats, Floats]] = {"back": (start.astype(float), start + float(seconds))}
    times["thigh"] = (clocks.thigh_seconds(times["back"][0]), clocks.thigh_seconds(times["back"][1]))
    found = {place: epoch_positions(sensors[place].signal.timeline, *times[place]) for place in times}
    both = found["back"][2] & found["thigh"][2]
    _check_hours(float(both.sum()) * seconds / 3600)
    wear: dict[Place, NDArray[np.bool_]] = {}
    for place, (begin, end) in times.items():
        wear[place] = worn_at(sensors[place].summary, sensors[place].worn, (begin[both] + end[both]) / 2)
    epochs = _Epochs(
        start=start[both],
        first={place: found[place][0][both] for place in times},
        last={place: found[place][1][both] for place in times},
        wear=wear,
    )
    if not epochs.worn.any():
        raise PairError("not_worn", "the two sensors were never worn at the same time")
    return epochs


class _Windows:
    """The samples of epochs, resampled when asked for: calibrated, in g, on an exact grid of the back's clock."""

    def __init__(self, sensors: Mapping[Place, _Sensor], epochs: _Epochs) -> None:
        self._sensors = sensors
        self._epochs = epochs

    def chunks(self, which: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
        """Windows (at most ``CHUNK``, samples per epoch, 6) of the epochs numbered ``which``, in order.

        The array is used again for the next chunk.
        """
        samples = protocol().epochs.samples_per_epoch
        buffer = np.empty((CHUNK * samples, 6), dtype=np.float32)
        for begin in range(0, len(which), CHUNK):
            some = which[begin : begin + CHUNK]
            values = buffer[: len(some) * samples]
            for place, sensor in self._sensors.items():
                resample(
                    sensor.signal,
                    self._epochs.first[place][some],
                    self._epochs.last[place][some],
                    samples,
                    gain=sensor.calibration.gain,
                    offset=sensor.calibration.offset,
                    out=values[:, COLUMNS[place]],
                )
            yield values.reshape(len(some), samples, 6)


def _classify(
    windows: _Windows, epochs: _Epochs, origin: np.datetime64, nthread: int, model_file: Path
) -> tuple[pd.DataFrame, dict[Place, Worn]]:
    """The table of epochs, and how each sensor was worn."""
    k = len(epochs.start)
    which = np.flatnonzero(epochs.worn)
    model = load_model(model_file, nthread)
    X = np.empty((len(which), len(FEATURE_NAMES)), dtype=np.float32)
    for number, some in enumerate(windows.chunks(which)):
        X[number * CHUNK : number * CHUNK + len(some)] = features(some)
    follows = np.diff(epochs.start[which], prepend=epochs.start[which[0]] - 1) == protocol().epochs.seconds
    activity, confidence, stairs = decide(model.probabilities(X, follows))
    del X

    columns: dict[str, NDArray[Any]] = {
        "activity": np.full(k, ActivityCode.NONWEAR, dtype=np.uint8),
        "speed": np.full(k, SpeedCode.NOT_WALKING, dtype=np.uint8),
        "confidence": np.zeros(k, dtype=np.uint8),
        "stairs": np.zeros(k, dtype=bool),
        "wear_back": epochs.wear["back"],
        "wear_thigh": epochs.wear["thigh"],
        **{name: np.full(k, np.nan, dtype=np.float32) for name in ("cadence", "speed_km_per_hour")},
        "speed_sd_km_per_hour": np.full(k, np.nan, dtype=np.float32),
    }
    columns["activity"][which] = activity
    columns["confidence"][which] = np.round(255 * confidence)
    columns["stairs"][which] = stairs
    walking = np.flatnonzero(activity == ActivityCode.WALKING)
    if len(walking):
        some_walking = windows.chunks(which[walking])
        parts = [(gait_autocorrelation(some), movement(some, interpolated=True)) for some in some_walking]
        gait, moved = (np.concatenate(each) for each in zip(*parts, strict=True))
        # A new bout begins where the epoch right before was not walking.
        bout = np.cumsum(~(follows[walking] & (np.diff(walking, prepend=-2) == 1)))
        found = pace(gait, moved, bout)
        columns["speed"][which[walking]] = speed_class(found.speed)
        columns["cadence"][which[walking]] = found.cadence
        columns["speed_km_per_hour"][which[walking]] = found.speed
        columns["speed_sd_km_per_hour"][which[walking]] = found.speed_sd
    start = origin.astype("datetime64[ms]") + (1000 * epochs.start).astype("timedelta64[ms]")
    return pd.DataFrame({"epoch_start": start, **columns}), _worn_as(windows, which, activity)


def _worn_as(windows: _Windows, which: NDArray[np.int64], activity: NDArray[np.uint8]) -> dict[Place, Worn]:
    """How each sensor was worn, from some epochs of walking and of sitting."""
    kinds = [np.flatnonzero(activity == kind) for kind in (ActivityCode.WALKING, ActivityCode.SITTING)]
    chosen = np.concatenate([kind[:: max(1, -(-len(kind) // EPOCHS_OF_A_KIND))] for kind in kinds])
    some = [chunk.reshape(-1, 6).copy() for chunk in windows.chunks(which[chosen])]
    acceleration = np.concatenate([np.empty((0, 6), dtype=np.float32), *some])
    found = orientation(acceleration, np.arange(len(chosen)) * protocol().epochs.samples_per_epoch, activity[chosen])
    return {"back": found.back, "thigh": found.thigh}


# --- what is told ---------------------------------------------------------------------------------------------------


def _clock_facts(clocks: Synchronization) -> dict[str, float | int | str | bool]:
    return {
        "synchronization": clocks.status,
        "offset_seconds": round(clocks.offset_seconds, 3),
        "drift_seconds_per_day": round(clocks.drift_seconds_per_day, 4),
        "synchronization_windows": clocks.windows,
        "synchronization_agreeing": clocks.agreeing,
        "synchronization_residual_seconds": round(clocks.residual_seconds, 4),
        "synchronization_error_seconds": round(clocks.error_seconds, 4),
    }


def _pair_facts(epochs: _Epochs, exchanged: bool, worn_as: Mapping[Place, Worn]) -> dict[str, float | int | str | bool]:
    seconds = protocol().epochs.seconds
    return {
        "epochs": len(epochs.start),
        "hours_in_common": round(len(epochs.start) * seconds / 3600, 3),
        "wear_hours": round(float(epochs.worn.sum()) * seconds / 3600, 3),
        "swapped": exchanged,
        "back_worn_as": str(worn_as["back"]),
        "thigh_worn_as": str(worn_as["thigh"]),
    }
