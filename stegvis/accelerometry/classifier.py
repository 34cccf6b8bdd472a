"""Load the epoch classifier and apply it to signals.

Small neural networks (``network``) give the class probabilities of each epoch on its own; a hidden Markov model smooths
them over time (``smoothing``). Epochs that may hold two activities are read again second by second
(``mixed_epochs``). The model has a separate class for stairs, which counts as walking everywhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.epoch_columns import NOT_CLASSIFIED, columns_of, decide, decide_by_second, spread
from stegvis.accelerometry.epoch_model import MODEL_FILE, EpochModel, load_model
from stegvis.accelerometry.features import FEATURE_NAMES, features
from stegvis.accelerometry.method import Method
from stegvis.accelerometry.mixed_epochs import MixedEpochs, may_be_mixed, probabilities_by_second, second_follows
from stegvis.accelerometry.orientation import MOST_EPOCHS, Orientation, WornInParts, WornPart, orientation_of
from stegvis.accelerometry.reclining import sit_instead
from stegvis.accelerometry.signal import Signal, SignalError, check_signal
from stegvis.accelerometry.smoothing import smooth, smooth_seconds
from stegvis.accelerometry.swap import Stretch, moving, stretches, swing
from stegvis.accelerometry.tilt import Tilt, tilt_of, turned
from stegvis.accelerometry.walking_speed import Pace, gait_autocorrelation, movement, pace
from stegvis.accelerometry.windows import (
    CHUNK,
    Windows,
    continues,
    gather,
    in_their_places,
    signal_windows,
    window_starts,
)
from stegvis.study.protocol import Epochs

# Every tenth sample is accurate enough for posture and for whether the person moves.
TENTH = 10


@dataclass(frozen=True)
class Classification:
    """A classified recording.

    Attributes:
        epochs: one row per epoch in time order: ``epoch_start`` datetime64[ms]; ``activity`` and ``speed`` uint8 codes;
            ``confidence`` uint8, the probability of the activity times 255; ``stairs`` bool, walking on stairs;
            ``cadence`` steps/min, ``speed_km_per_hour`` and its standard deviation ``speed_sd_km_per_hour`` float32,
            NaN where not walking (``cadence`` also where no rhythm is found); ``probability_<class>`` float32 for each
            of ``CLASSES``.
        orientation: how each sensor was worn.
        tilt: the angle of each sensor; the epochs are those of the signal turned back.
        swapped_epochs: (k,) in which the sensors were swapped; the epochs are those of the corrected signal.
        unused_epochs: (k,) in which it is uncertain where the sensors were; their activity is non-wear.
        mixed: the epochs of more than one activity; ``epochs`` has the most probable one.
    """

    epochs: pd.DataFrame
    orientation: Orientation
    tilt: Tilt
    swapped_epochs: NDArray[np.bool_]
    unused_epochs: NDArray[np.bool_]
    mixed: MixedEpochs

    @property
    def swapped(self) -> bool:
        """Whether the sensors were swapped, if only for a time."""
        return bool(self.swapped_epochs.any())


def classify_signal(
    timestamps: ArrayLike,
    acceleration: ArrayLike,
    method: Method,
    *,
    nthread: int = 1,
    model_file: Path = MODEL_FILE,
) -> pd.DataFrame:
    """Activity and walking speed of every epoch: ``epoch_start``, ``activity``, ``speed`` and ``confidence``.

    Arguments, errors and columns are those of ``classify_windows``.
    """
    found = classify_windows(timestamps, acceleration, method, nthread=nthread, model_file=model_file)
    return found.epochs[["epoch_start", "activity", "speed", "confidence"]]


def classify_windows(
    timestamps: ArrayLike,
    acceleration: ArrayLike,
    method: Method,
    *,
    nthread: int = 1,
    model_file: Path = MODEL_FILE,
) -> Classification:
    """Activity, pace and class probabilities of every epoch of a synchronized signal.

    The same signal and model give the same result for any ``nthread``. Time between two gaps that is too short for a
    whole window has no epoch.

    Args:
        timestamps: (n,) datetime64, device-local, increasing, near 50 Hz; gaps are allowed.
        acceleration: (n, 6) in g: back x, y, z, thigh x, y, z. Samples with a missing value count as a gap.
        method: the settings of the classification.
        nthread: threads of the classifier.
        model_file: the model to use.

    Raises:
        SignalError: the signal is refused by ``check_signal``, or has no whole window.
        ModelError: the model cannot be used.
    """
    signal = check_signal(timestamps, acceleration, method.epochs)
    return classify_checked(signal, method, nthread=nthread, model_file=model_file)


def classify_checked(
    signal: Signal, method: Method, *, nthread: int = 1, model_file: Path = MODEL_FILE
) -> Classification:
    """``classify_windows`` of a signal that has already been checked.

    Raises:
        SignalError: the signal has no whole window.
        ModelError: the model cannot be used.
    """
    size = method.epochs.samples_per_epoch
    starts = window_starts(signal.timestamps, method.epochs)
    if len(starts) == 0:
        raise SignalError(f"the signal has no {method.epochs.seconds} seconds without a gap")
    model = load_model(model_file, nthread)
    exchanged, unused = places(signal_stretches(signal, starts, method.epochs), len(starts))
    windows = in_their_places(signal_windows(signal.acceleration, starts, size), exchanged)
    follows = continues(signal.timestamps, starts, method.epochs)
    used = np.flatnonzero(~unused)
    if len(used) == 0:
        raise SignalError("walking and postures contradict each other about which sensor was on the thigh")
    if unused.any():
        adjacent = np.diff(used, prepend=-2) == 1
        found = classify_epochs(lambda which: windows(used[which]), follows[used] & adjacent, model, method)
    else:
        found = classify_epochs(windows, follows, model, method)
    columns = {
        name: spread(values, used, len(starts), NOT_CLASSIFIED.get(name, np.nan))
        for name, values in found.columns.items()
    }
    start = signal.timestamps[starts].astype("datetime64[ms]")
    return Classification(
        pd.DataFrame({"epoch_start": start, **columns}),
        found.orientation,
        found.tilt,
        exchanged,
        unused,
        found.mixed.at(used),
    )


def places(found: Sequence[Stretch], k: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The epochs (k,) in which the sensors are swapped, and those in which that is uncertain, by stretches."""
    stretch = np.searchsorted([each.first for each in found], np.arange(k), side="right") - 1
    swapped, unused = (np.array([each.swapped is value for each in found])[stretch] for value in (True, None))
    return swapped, unused


class ClassifiedEpochs(NamedTuple):
    """The columns (k,) of ``Classification.epochs`` by name, except the time; the mixed epochs among them; and how each
    sensor was worn.
    """

    columns: dict[str, NDArray[Any]]
    mixed: MixedEpochs
    orientation: Orientation
    worn_in_parts: WornInParts
    tilt: Tilt


class Recognized(NamedTuple):
    """The smoothed probabilities (k, seconds per epoch, classes) of each second, the angle of the sensors, and the
    windows turned back.
    """

    probabilities: NDArray[np.float32]
    tilt: Tilt
    windows: Windows


def recognize(windows: Windows, follows: NDArray[np.bool_], model: EpochModel, epoch_rules: Epochs) -> Recognized:
    """Probabilities of every second; a recording with an unusually attached sensor is turned back and read again.

    Args:
        windows: of k epochs in time order.
        follows: (k,) whether each epoch directly follows the previous one.
        model: the model to use.
        epoch_rules: length and sampling rate of the epochs.
    """
    X, back = _all_features(windows, len(follows), epoch_rules)
    tilt = tilt_of(windows, model.gait(X, follows), follows, epoch_rules.samples_per_epoch)
    if tilt.unusual:
        windows = turned(windows, tilt)
        X, back = _all_features(windows, len(follows), epoch_rules)
    alone = model.network.probabilities(X, model.nthread)
    del X  # a week of features is a tenth of a gigabyte
    best, confidence, _ = decide(smooth(alone, follows, model.transitions))
    which = may_be_mixed(best, confidence, follows)
    by_second = probabilities_by_second(windows, which, follows, alone, model.network, epoch_rules)
    seconds = smooth_seconds(by_second, second_follows(follows, epoch_rules.seconds), model.second_transitions)
    sit_instead(seconds, back, tilt)
    return Recognized(seconds, tilt, windows)


def _all_features(windows: Windows, k: int, epoch_rules: Epochs) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The features (k, features) of all epochs, and the mean (k, 3) of the back."""
    X = np.empty((k, len(FEATURE_NAMES)), dtype=np.float32)
    back = np.empty((k, 3), dtype=np.float32)
    for begin, some in zip(range(0, k, CHUNK), windows(np.arange(k)), strict=True):
        X[begin : begin + len(some)] = features(some, epoch_rules.sampling_rate_hz)
        back[begin : begin + len(some)] = some[:, ::TENTH, :3].mean(axis=1)
    return X, back


def classify_epochs(
    windows: Windows, follows: NDArray[np.bool_], model: EpochModel, method: Method, *, interpolated: bool = False
) -> ClassifiedEpochs:
    """Classify epochs whose samples are read in chunks, some of them more than once.

    Args:
        windows: of k epochs in time order.
        follows: (k,) whether each epoch directly follows the previous one.
        model: the model to use.
        method: the settings of the classification.
        interpolated: as in ``walking_speed.movement``.
    """
    by_second, tilt, windows = recognize(windows, follows, model, method.epochs)
    decided = decide_by_second(by_second)
    found = epoch_pace(windows, follows, decided.with_walking, method, interpolated=interpolated)
    columns, mixed = columns_of(decided, found, method.epochs)
    worn_as = worn_in_parts(windows, columns["activity"], tilt, method.epochs.samples_per_epoch)
    return ClassifiedEpochs(columns, mixed, Orientation.of_parts(worn_as), worn_as, tilt)


def worn_in_parts(windows: Windows, activity: NDArray[np.uint8], tilt: Tilt, size: int) -> WornInParts:
    """How each sensor was worn, in each part of the recording in which it was attached in one way.

    Args:
        windows: of k epochs.
        activity: (k,) activity codes.
        tilt: the parts, and the angles in them.
        size: samples per epoch.
    """
    k = len(activity)
    parts: dict[str, list[WornPart]] = {}
    for place, attached in tilt.attached.items():
        parts[place] = []
        for each, end in zip(attached, [*(later.first for later in attached[1:]), k], strict=True):
            here = np.arange(k)
            inside = np.where((here >= each.first) & (here < end), activity, np.uint8(ActivityCode.NONWEAR))
            found = orientation_of(windows, inside, size)
            if each.beyond(place):
                found = found.with_tilted([place])
            parts[place].append(WornPart(end - each.first, getattr(found, place)))
    return {place: tuple(each) for place, each in parts.items()}


def signal_pace(
    signal: Signal,
    starts: NDArray[np.int64],
    follows: NDArray[np.bool_],
    walking: NDArray[np.int64],
    method: Method,
) -> Pace:
    """``epoch_pace`` of a checked signal in memory; ``starts`` (k,) is the first sample of each epoch."""
    windows = signal_windows(signal.acceleration, starts, method.epochs.samples_per_epoch)
    return epoch_pace(windows, follows, walking, method)


def epoch_pace(
    windows: Windows,
    follows: NDArray[np.bool_],
    walking: NDArray[np.int64],
    method: Method,
    *,
    interpolated: bool = False,
) -> Pace:
    """Cadence and speed of epochs with walking.

    Args:
        windows: of k epochs.
        follows: (k,) whether each epoch directly follows the previous one.
        walking: (w,) positions of the epochs with walking, increasing.
        method: the settings of the classification.
        interpolated: as in ``walking_speed.movement``.
    """
    if len(walking) == 0:
        nothing = np.empty(0, dtype=np.float32)
        return Pace(nothing, nothing, nothing)
    # A new bout begins where the previous epoch was not walking or ended in a gap.
    bout = np.cumsum(~(follows[walking] & (np.diff(walking, prepend=-2) == 1)))
    rules, rate = method.walking_speed, method.epochs.sampling_rate_hz
    parts = [
        (gait_autocorrelation(some, rules, rate), movement(some, rules, rate, interpolated=interpolated))
        for some in windows(walking)
    ]
    gait, moved = (np.concatenate(each) for each in zip(*parts, strict=True))
    return pace(gait, moved, bout, rules, rate)


def signal_stretches(signal: Signal, starts: NDArray[np.int64], epoch_rules: Epochs) -> tuple[Stretch, ...]:
    """Where the sensors of a signal in memory were (``swap.stretches``); ``starts`` (k,) begin its epochs."""
    size = epoch_rules.samples_per_epoch
    tenths = signal.acceleration[starts[:, None] + np.arange(0, size, TENTH)]
    which = np.flatnonzero(moving(tenths.std(axis=1)))
    which = which[:: max(1, -(-len(which) // MOST_EPOCHS))]
    swings = np.full(len(starts), np.nan, dtype=np.float32)
    both = gather(signal_windows(signal.acceleration, starts, size), which, size)
    rate = epoch_rules.sampling_rate_hz
    swings[which] = swing(both[:, :, 3:], rate) - swing(both[:, :, :3], rate)
    return stretches(tenths.mean(axis=1), swings)
