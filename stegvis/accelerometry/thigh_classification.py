"""Classify the raw recording of one thigh sensor, by itself or because the back of its pair cannot be used.

Everything is as for a pair, with a back of zeros in the windows, but sitting and lying are reported together as
sitting; lying apart only where it is certain (``thigh_posture.surely_lying``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stegvis.accelerometry.activity import ActivityCode, SpeedCode
from stegvis.accelerometry.calibration import Calibration
from stegvis.accelerometry.classifier import ClassifiedEpochs, classify_epochs
from stegvis.accelerometry.epoch_model import EpochModel
from stegvis.accelerometry.method import Method
from stegvis.accelerometry.mixed_epochs import MixedEpochs
from stegvis.accelerometry.orientation import MOST_EPOCHS
from stegvis.accelerometry.pair_checks import orientation_problems
from stegvis.accelerometry.pair_classification import PairResult, classify_pair, epoch_table
from stegvis.accelerometry.pair_epochs import COLUMNS, epoch_starts
from stegvis.accelerometry.pair_problems import PairError, Problem
from stegvis.accelerometry.raw_sensor import Facts, Floats, RawSensor, raw_sensor, read_recording, sensor_problems
from stegvis.accelerometry.resampling import epoch_positions, resample
from stegvis.accelerometry.swap import swing
from stegvis.accelerometry.thigh_model import FASTER_THAN_HZ, SLOWEST_HZ, load_thigh_model, model_file_for
from stegvis.accelerometry.thigh_posture import (
    Mounted,
    as_on_the_front,
    mounted,
    moving_upright,
    not_on_a_thigh,
    surely_lying,
    usual_roll,
)
from stegvis.accelerometry.walking_speed import speed_class
from stegvis.accelerometry.wear import worn_at
from stegvis.accelerometry.windows import CHUNK, Windows
from stegvis.study.protocol import Epochs

# Unusable backs that leave the thigh as good as it is. In the other refusals of a pair it is uncertain whose recordings
# these are.
BACK_UNUSABLE = ("unreadable", "too_slow", "clock_set_back", "short_overlap", "not_worn")
RECLINING = (ActivityCode.LYING, ActivityCode.SITTING)
# Slow sensors attenuate movement, and the speed that is estimated from it is this share of what both sensors show at 50
# samples per second: means of 24 people of HARTH and HAR70+, with an SD between them of 3 %. From so many samples per
# second on, descending.
SPEED_SHARES = ((37.5, 1.0), (FASTER_THAN_HZ, 0.96), (0.0, 0.885))
SLOW_SENSOR = Problem(
    "slow_sensor",
    "a sensor of 12.5 samples per second reads walking speed low; this was corrected as it is in other people",
)
THIGH_ALONE = Problem(
    "thigh_alone", "classified by the thigh sensor alone: sitting includes lying, except where lying is certain"
)


@dataclass(frozen=True)
class ThighEpochs:
    """The epochs (k,) of one sensor, by its own clock, each recorded without a gap.

    Attributes:
        sensor: the sensor.
        rules: length and sampling rate of the epochs.
        start: (k,) whole seconds since the origin, increasing.
        first, last: (k,) their positions among the samples.
        worn: (k,) whether the sensor was worn.
    """

    sensor: RawSensor
    rules: Epochs
    start: NDArray[np.int64]
    first: Floats
    last: Floats
    worn: NDArray[np.bool_]

    def windows(self, which: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
        """Calibrated samples of the epochs numbered ``which``, g (``windows.Windows``); the back's are zero.

        The array is reused for the next chunk.
        """
        samples = self.rules.samples_per_epoch
        buffer = np.zeros((CHUNK * samples, 6), dtype=np.float32)
        for begin in range(0, len(which), CHUNK):
            some = which[begin : begin + CHUNK]
            values = buffer[: len(some) * samples]
            resample(
                self.sensor.signal,
                self.first[some],
                self.last[some],
                self.rules,
                gain=self.sensor.calibration.gain,
                offset=self.sensor.calibration.offset,
                out=values[:, COLUMNS["thigh"]],
            )
            yield values.reshape(len(some), samples, 6)


def classify_thigh(
    thigh: Path,
    method: Method,
    *,
    calibrations: Mapping[int, Calibration] | None = None,
    nthread: int = 1,
    progress: Callable[[str], None] = lambda _: None,
) -> PairResult:
    """Classify the recording of a thigh sensor of 12.5 samples per second or more.

    Arguments are those of ``classify_pair``. The epochs have no ``wear_back``; quality measures of the back and of two
    clocks are missing, ``thigh_mounted`` is added.

    Raises:
        PairError: it cannot be classified: ``unreadable``, ``too_slow``, ``clock_set_back``, ``short_overlap``,
            ``not_worn`` and ``not_on_thigh``.
        ModelError: the classifier cannot be used.
    """
    progress("reading the recording")
    rules = method.raw_recordings.model_copy(update={"slowest_rate_hz": SLOWEST_HZ})
    recording = read_recording(thigh, "thigh", rules)
    origin = recording.segments[0].start.astype("datetime64[D]")
    sensor = raw_sensor(recording, "thigh", origin, calibrations or {}, method)
    if not sensor.worn.any():
        raise PairError("not_worn", "the thigh sensor was not worn: it hardly moves, as in a drawer", "thigh")
    _check_place(sensor, method.epochs)
    epochs = thigh_epochs(sensor, method)
    progress(f"classifying {int(epochs.worn.sum()):,} epochs")
    model = load_thigh_model(model_file_for(sensor.signal.rate_hz), nthread)
    table, mixed, where, found = _classified(epochs, origin, method, model)
    return PairResult(
        epochs=table,
        mixed=mixed,
        quality={f"thigh_{name}": fact for name, fact in sensor.facts.items()} | _thigh_facts(epochs, where, found),
        problems=(
            THIGH_ALONE,
            *sensor_problems("thigh", sensor),
            *_thigh_problems(sensor.signal.rate_hz, where, found),
        ),
        still_directions={sensor.device_id: sensor.directions},
    )


def classify_recording(
    files: Sequence[Path],
    method: Method,
    *,
    calibrations: Mapping[int, Calibration] | None = None,
    nthread: int = 1,
    progress: Callable[[str], None] = lambda _: None,
) -> PairResult:
    """Classify back and thigh, or the thigh alone: also if the back is unusable or either is too slow, which is said.

    Arguments are those of ``classify_pair``, ``files`` its two files or that of the thigh.

    Raises:
        PairError: neither the pair nor the thigh can be classified; the reason is that of the pair.
        ModelError: the classifier cannot be used.
    """
    settings: dict[str, Any] = {"calibrations": calibrations, "nthread": nthread, "progress": progress}
    *backs, thigh = files
    if not backs:
        return classify_thigh(thigh, method, **settings)
    try:
        return classify_pair(backs[0], thigh, method, **settings)
    except PairError as error:
        if error.rule not in BACK_UNUSABLE or (error.place != "back" and error.rule != "too_slow"):
            raise
        progress(f"{error}: using the thigh alone")
        try:
            found = classify_thigh(thigh, method, **settings)
        except PairError:
            raise error from None
        reason = Problem("back_unusable", f"{error}; the back's recording was not used")
        return replace(found, problems=(reason, *found.problems))


def thigh_epochs(sensor: RawSensor, method: Method) -> ThighEpochs:
    """Every epoch that the sensor recorded without a gap.

    Raises:
        PairError: ``short_overlap``, there are too few; ``not_worn``, none of them was worn.
    """
    seconds, line = method.epochs.seconds, sensor.signal.timeline
    start = epoch_starts(line, seconds)
    begin = start.astype(np.float64)
    first, last, recorded = epoch_positions(line, begin, begin + seconds)
    hours, least = float(recorded.sum()) * seconds / 3600, method.raw_recordings.smallest_overlap_hours
    if hours < least:
        raise PairError(
            "short_overlap", f"the thigh recording has {hours:.1f} hours without gaps, {least:g} are needed", "thigh"
        )
    worn = worn_at(sensor.summary, sensor.worn, begin[recorded] + seconds / 2)
    if not worn.any():
        raise PairError("not_worn", "the thigh sensor was not worn", "thigh")
    return ThighEpochs(sensor, method.epochs, start[recorded], first[recorded], last[recorded], worn)


def _check_place(sensor: RawSensor, epoch_rules: Epochs) -> None:
    """Refuse a sensor that was not on a thigh."""
    summary, worn = sensor.summary, sensor.worn
    gravity, sd, seconds = summary.mean[worn], summary.sd[worn], summary.start[worn]
    at = seconds[moving_upright(gravity, sd)]
    at = at[:: max(1, -(-len(at) // MOST_EPOCHS))]
    first, last, recorded = epoch_positions(sensor.signal.timeline, at, at + epoch_rules.seconds)
    values = resample(sensor.signal, first[recorded], last[recorded], epoch_rules)
    swings = swing(values.reshape(-1, epoch_rules.samples_per_epoch, 3), epoch_rules.sampling_rate_hz)
    if not_on_a_thigh(swings, gravity, sd, seconds, summary.seconds):
        raise PairError(
            "not_on_thigh",
            "the recording is not that of a thigh: it swings too little in walking and is upright in sitting, like one "
            "of the back. Give the thigh's file",
            "thigh",
        )


def classify_thigh_epochs(
    windows: Windows,
    follows: NDArray[np.bool_],
    usual: float | None,
    certain: NDArray[np.bool_],
    model: EpochModel,
    method: Method,
    rate_hz: float,
) -> ClassifiedEpochs:
    """Classify epochs by the thigh's columns of their windows.

    Args:
        windows: of k epochs in time order, the back's columns zero.
        follows: (k,) whether each epoch directly follows the previous one.
        usual: the roll of the sensor in sitting (``thigh_posture.usual_roll``).
        certain: (k,) where sitting or lying is certainly lying.
        model: the model of the thigh.
        method: the settings of the classification.
        rate_hz: samples per second of the sensor.
    """
    found = classify_epochs(as_on_the_front(windows, usual), follows, model, method, interpolated=True)
    share = next(share for least, share in SPEED_SHARES if rate_hz >= least)
    columns = _reported(found.columns, certain, share, method.epochs)
    reclining = np.isin(found.columns["activity"], RECLINING)
    either = np.sum([columns[f"probability_{code.name.lower()}"] for code in RECLINING], axis=0)
    sure = np.where(reclining, np.round(255 * np.minimum(either, 1)), columns["confidence"])
    columns["confidence"] = sure.astype(np.uint8)
    mixed = found.mixed
    by_second = _reported(mixed.columns, certain[mixed.epoch, None], share, method.epochs)
    return found._replace(columns=columns, mixed=mixed._replace(columns=by_second))


def _reported(
    columns: Mapping[str, NDArray[Any]], certain: NDArray[np.bool_], share: float, epoch_rules: Epochs
) -> dict[str, NDArray[Any]]:
    """Columns of epochs or seconds with sitting and lying together, but where lying is certain, and corrected speed."""
    activity = columns["activity"]
    together = np.where(certain, ActivityCode.LYING, ActivityCode.SITTING)
    reported = dict(columns) | {"activity": np.where(np.isin(activity, RECLINING), together, activity).astype(np.uint8)}
    for name in ("speed_km_per_hour", "speed_sd_km_per_hour"):
        reported[name] = (columns[name] / share).astype(np.float32)
    pace = speed_class(reported["speed_km_per_hour"].ravel(), epoch_rules).reshape(activity.shape)
    reported["speed"] = np.where(activity == ActivityCode.WALKING, pace, np.uint8(SpeedCode.NOT_WALKING))
    return reported


def _classified(
    epochs: ThighEpochs, origin: np.datetime64, method: Method, model: EpochModel
) -> tuple[pd.DataFrame, MixedEpochs, Mounted, ClassifiedEpochs]:
    """The table of epochs, the mixed ones, where the sensor was attached, and what was found in the worn epochs."""
    summary, seconds = epochs.sensor.summary, method.epochs.seconds
    on = epochs.sensor.worn
    stretches = summary.mean[on], summary.sd[on], summary.start[on]
    usual = usual_roll(*stretches, summary.seconds)
    lying = np.zeros(len(on), dtype=bool)
    lying[on] = surely_lying(*stretches, summary.seconds)
    worn = np.flatnonzero(epochs.worn)
    certain = worn_at(summary, lying, epochs.start[worn].astype(np.float64) + seconds / 2)
    follows = np.diff(epochs.start[worn], prepend=epochs.start[worn[0]] - 1) == seconds
    found = classify_thigh_epochs(
        lambda which: epochs.windows(worn[which]),
        follows,
        usual,
        np.asarray(certain),
        model,
        method,
        epochs.sensor.signal.rate_hz,
    )
    table = epoch_table(origin, epochs.start, found.columns, worn, {"wear_thigh": epochs.worn})
    return table, found.mixed.at(worn), mounted(usual), found


def _thigh_facts(epochs: ThighEpochs, where: Mounted, found: ClassifiedEpochs) -> Facts:
    seconds = epochs.rules.seconds
    return {
        "sensors": "thigh",
        "epochs": len(epochs.start),
        "hours_in_common": round(len(epochs.start) * seconds / 3600, 3),
        "wear_hours": round(float(epochs.worn.sum()) * seconds / 3600, 3),
        "thigh_worn_as": str(found.orientation.thigh),
        "thigh_attached_anew": len(found.worn_in_parts["thigh"]) - 1,
        "thigh_mounted": str(where),
    }


def _thigh_problems(rate_hz: float, where: Mounted, found: ClassifiedEpochs) -> Iterator[Problem]:
    """That the sensor was on the side of the thigh, and how it was worn; nothing is said of the back."""
    if rate_hz < FASTER_THAN_HZ:
        yield SLOW_SENSOR
    if where == Mounted.SIDE:
        yield Problem(
            "on_the_side",
            "the thigh sensor was on the side of the thigh, not on its front; it was turned before classifying",
        )
    yield from orientation_problems({"thigh": found.worn_in_parts["thigh"]}, found.tilt)
