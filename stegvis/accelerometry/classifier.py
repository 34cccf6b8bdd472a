"""Classify a synchronized signal into epochs with the shipped model.

Small neural networks (``network``) give each epoch's probabilities by itself; a hidden Markov model makes epochs agree
with their neighbors (``smoothing``). Stairs are a class of their own to the model and walking to everyone else.

Belongs here: loading the model and applying it. Does not belong here: training, non-wear, day totals.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from stegvis.accelerometry.activity import CLASSIFIED, ActivityCode, SpeedCode
from stegvis.accelerometry.features import FEATURE_NAMES, features
from stegvis.accelerometry.network import Network
from stegvis.accelerometry.orientation import Orientation, orientation_of, swapped
from stegvis.accelerometry.signal import Signal, SignalError, check_signal
from stegvis.accelerometry.smoothing import Transitions, smooth
from stegvis.accelerometry.walking_speed import Pace, gait_autocorrelation, movement, pace, speed_class
from stegvis.accelerometry.windows import CHUNK, Windows, continues, signal_windows, window_starts
from stegvis.study.protocol import protocol

MODEL_FILE = Path(__file__).parent / "model" / "epoch_classifier.npz"

# The model's classes: the activities, in order of their codes, then stairs.
CLASSES = (*(code.name.lower() for code in CLASSIFIED), "stairs")
WALKING, STAIRS = CLASSES.index("walking"), CLASSES.index("stairs")

# The arrays of a model file.
MODEL_PARTS = {"features", "classes", "transitions", "share", *Network._fields}

THIGH_AND_BACK = [3, 4, 5, 0, 1, 2]


class ModelError(RuntimeError):
    """The model file is missing, unreadable, or made for other features."""


@dataclass(frozen=True)
class EpochModel:
    """The networks, the transitions that go with them, and the threads the networks may use."""

    network: Network
    transitions: Transitions
    nthread: int = 1

    def probabilities(self, X: NDArray[np.float32], follows: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Smoothed probabilities (k, classes) of a recording's epochs.

        Args:
            X: (k, features) in time order.
            follows: (k,) whether each epoch follows right on the one before (``windows.continues``).
        """
        return smooth(self.network.probabilities(X, self.nthread), follows, self.transitions)


@dataclass(frozen=True)
class Classification:
    """A classified recording.

    Attributes:
        epochs: one row per epoch in time order: ``epoch_start`` datetime64[ms]; ``activity`` and ``speed`` uint8 codes;
            ``confidence`` uint8, the probability of the activity, 255 is certain; ``stairs`` bool, of walking epochs;
            ``cadence`` steps/min, ``speed_km_per_hour`` and its standard deviation ``speed_sd_km_per_hour`` float32,
            NaN where not walking (``cadence`` also where no rhythm is found); ``probability_<class>`` float32 for each
            of ``CLASSES``.
        orientation: how each sensor was worn.
        swapped: the sensors had changed places; the epochs are those of the signal put right.
    """

    epochs: pd.DataFrame
    orientation: Orientation
    swapped: bool


def model_digest(model_file: Path = MODEL_FILE) -> str:
    """The sha256 of the model file, in hexadecimal.

    Raises:
        ModelError: there is no such file.
    """
    try:
        return hashlib.sha256(model_file.read_bytes()).hexdigest()
    except OSError:
        raise ModelError(f"the epoch classifier {model_file.name} cannot be read") from None


def classify_signal(
    timestamps: ArrayLike, acceleration: ArrayLike, *, nthread: int = 1, model_file: Path = MODEL_FILE
) -> pd.DataFrame:
    """Activity and walking speed of every epoch: ``epoch_start``, ``activity``, ``speed`` and ``confidence``.

    Arguments, errors and columns are those of ``classify_windows``.
    """
    found = classify_windows(timestamps, acceleration, nthread=nthread, model_file=model_file)
    return found.epochs[["epoch_start", "activity", "speed", "confidence"]]


def classify_windows(
    timestamps: ArrayLike, acceleration: ArrayLike, *, nthread: int = 1, model_file: Path = MODEL_FILE
) -> Classification:
    """Everything the model says about every 5-second epoch of a synchronized signal.

    The same signal and model give the same result, whatever ``nthread``. Time that fills no whole window between two
    gaps has no epoch.

    Args:
        timestamps: (n,) datetime64, device-local, increasing, near 50 Hz; gaps are allowed.
        acceleration: (n, 6) in g: back x, y, z, thigh x, y, z. Samples with a missing value count as a gap.
        nthread: threads of the classifier.
        model_file: the model to use.

    Raises:
        SignalError: the signal breaks a rule of ``check_signal``, or no window fits into it.
        ModelError: the model cannot be used.
    """
    return classify_checked(check_signal(timestamps, acceleration), nthread=nthread, model_file=model_file)


def classify_checked(signal: Signal, *, nthread: int = 1, model_file: Path = MODEL_FILE) -> Classification:
    """``classify_windows`` of a signal that has been checked already.

    Raises:
        SignalError: no window fits into the signal.
        ModelError: the model cannot be used.
    """
    starts = window_starts(signal.timestamps)
    if len(starts) == 0:
        raise SignalError(f"the signal has no {protocol().epochs.seconds} seconds without a gap")
    model = load_model(model_file, nthread)
    exchanged = swapped(_gravity(signal, starts))
    if exchanged:
        signal = Signal(signal.timestamps, signal.acceleration[:, THIGH_AND_BACK])
    windows = signal_windows(signal.acceleration, starts)
    found = classify_epochs(windows, continues(signal.timestamps, starts), model)
    start = signal.timestamps[starts].astype("datetime64[ms]")
    return Classification(pd.DataFrame({"epoch_start": start, **found.columns}), found.orientation, exchanged)


class ClassifiedEpochs(NamedTuple):
    """The columns (k,) of ``Classification.epochs`` but for the time, by name, and how each sensor was worn."""

    columns: dict[str, NDArray]
    orientation: Orientation


def classify_epochs(
    windows: Windows, follows: NDArray[np.bool_], model: EpochModel, *, interpolated: bool = False
) -> ClassifiedEpochs:
    """Everything the model says about epochs whose samples are asked for in chunks, some of them more than once.

    Args:
        windows: of k epochs in time order.
        follows: (k,) whether each epoch follows right on the one before.
        model: the model to use.
        interpolated: as in ``walking_speed.movement``.
    """
    k = len(follows)
    X = np.empty((k, len(FEATURE_NAMES)), dtype=np.float32)
    for begin, some in zip(range(0, k, CHUNK), windows(np.arange(k)), strict=True):
        X[begin : begin + len(some)] = features(some)
    probabilities = model.probabilities(X, follows)
    del X
    activity, confidence, stairs = decide(probabilities)
    walking = np.flatnonzero(activity == ActivityCode.WALKING)
    found = epoch_pace(windows, follows, walking, interpolated=interpolated)
    columns = {
        "activity": activity,
        "speed": _spread(speed_class(found.speed), walking, k, SpeedCode.NOT_WALKING),
        "confidence": np.round(255 * confidence).astype(np.uint8),
        "stairs": stairs,
        "cadence": _spread(found.cadence, walking, k, np.nan),
        "speed_km_per_hour": _spread(found.speed, walking, k, np.nan),
        "speed_sd_km_per_hour": _spread(found.speed_sd, walking, k, np.nan),
        **{f"probability_{name}": probabilities[:, i].astype(np.float32) for i, name in enumerate(CLASSES)},
    }
    return ClassifiedEpochs(columns, orientation_of(windows, activity))


def decide(
    probabilities: NDArray[np.floating],
) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.bool_]]:
    """The most probable activity of each epoch, stairs counting as walking.

    Args:
        probabilities: (k, classes) in the order of ``CLASSES``.

    Returns:
        (k,) activity codes, (k,) their probabilities, (k,) whether walking is on stairs.
    """
    merged = probabilities[:, :STAIRS].astype(np.float64)
    merged[:, WALKING] += probabilities[:, STAIRS]
    best = merged.argmax(axis=1)
    stairs = (best == WALKING) & (probabilities[:, STAIRS] > probabilities[:, WALKING])
    confidence = np.minimum(merged.max(axis=1), 1.0)
    return np.array(CLASSIFIED, dtype=np.uint8)[best], confidence, stairs


def walking_pace(
    signal: Signal, starts: NDArray[np.int64], follows: NDArray[np.bool_], walking: NDArray[np.int64]
) -> Pace:
    """``epoch_pace`` of a checked signal in memory; ``starts`` (k,) is the first sample of each epoch."""
    return epoch_pace(signal_windows(signal.acceleration, starts), follows, walking)


def epoch_pace(
    windows: Windows, follows: NDArray[np.bool_], walking: NDArray[np.int64], *, interpolated: bool = False
) -> Pace:
    """Cadence and speed of the walking epochs.

    Args:
        windows: of k epochs.
        follows: (k,) whether each epoch follows right on the one before.
        walking: (w,) positions of the walking epochs among them, increasing.
        interpolated: as in ``walking_speed.movement``.
    """
    if len(walking) == 0:
        nothing = np.empty(0, dtype=np.float32)
        return Pace(nothing, nothing, nothing)
    # A new bout begins where the epoch right before was not walking, or ended in a gap.
    bout = np.cumsum(~(follows[walking] & (np.diff(walking, prepend=-2) == 1)))
    parts = [(gait_autocorrelation(some), movement(some, interpolated=interpolated)) for some in windows(walking)]
    gait, moved = (np.concatenate(each) for each in zip(*parts, strict=True))
    return pace(gait, moved, bout)


def _gravity(signal: Signal, starts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Gravity of each epoch, near enough for posture: the mean of one sample in ten, (k, 6)."""
    tenths = np.arange(0, protocol().epochs.samples_per_epoch, 10)
    return np.asarray(signal.acceleration[starts[:, None] + tenths].mean(axis=1))


def _spread(values: NDArray, positions: NDArray[np.int64], length: int, elsewhere: float) -> NDArray:
    spread = np.full(length, elsewhere, dtype=values.dtype)
    spread[positions] = values
    return spread


def load_model(model_file: Path = MODEL_FILE, nthread: int = 1) -> EpochModel:
    """The model, read once per content and thread count.

    Raises:
        ModelError: the file is missing, is no model, or was made for other features or classes.
    """
    return _load(model_file, model_digest(model_file), nthread)


@lru_cache(maxsize=4)
def _load(model_file: Path, digest: str, nthread: int) -> EpochModel:
    try:
        with np.load(model_file, allow_pickle=False) as read:
            part = dict(read)
    # A single array, an empty file, any other file: numpy has a way to fail for each.
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile):
        raise ModelError(f"{model_file.name} is not an epoch classifier") from None
    if not (
        part.keys() == MODEL_PARTS
        and np.array_equal(part["features"], FEATURE_NAMES)
        and np.array_equal(part["classes"], CLASSES)
    ):
        raise ModelError(f"{model_file.name} was not trained for these features and classes; train it again")
    network = Network(*(part[name] for name in Network._fields))
    return EpochModel(network, Transitions(part["transitions"], part["share"]), nthread)


def model_bytes(model: EpochModel) -> bytes:
    """The content of a model file: the arrays of networks and transitions, and what they were made for."""
    content = io.BytesIO()
    np.savez(
        content,
        features=np.array(FEATURE_NAMES),
        classes=np.array(CLASSES),
        transitions=model.transitions.probability,
        share=model.transitions.share,
        **model.network._asdict(),
    )
    return content.getvalue()
