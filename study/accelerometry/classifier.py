"""Classify a synchronized signal into epochs with the shipped model.

Belongs here: loading the model and applying it, epoch by epoch. Does not belong here: training, smoothing over
neighboring epochs, non-wear, day totals.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from study.accelerometry.activity import CLASSIFIED, ActivityCode, SpeedCode
from study.accelerometry.features import FEATURE_NAMES, features
from study.accelerometry.signal import Signal, SignalError, check_signal
from study.accelerometry.walking_speed import (
    cadence,
    gait_autocorrelation,
    pooled,
    speed_class,
    speed_from_cadence,
)
from study.accelerometry.windows import chunks, continues, window_starts
from study.protocol import protocol

if TYPE_CHECKING:
    import xgboost

MODEL_FILE = Path(__file__).parent / "model" / "epoch_classifier.ubj"

# Written into the model when it is trained, and compared when it is loaded.
CLASS_NAMES = ",".join(code.name.lower() for code in CLASSIFIED)


class ModelError(RuntimeError):
    """The model file is missing, unreadable, or made for other features."""


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
    """Activity and walking speed of every 5-second epoch of a synchronized signal.

    The same signal and model give the same table, whatever ``nthread``.

    Args:
        timestamps: (n,) datetime64, device-local, increasing, near 50 Hz; gaps are allowed.
        acceleration: (n, 6) in g: back x, y, z, thigh x, y, z. Samples with a missing value count as a gap.
        nthread: threads of the classifier.
        model_file: the model to use.

    Returns:
        One row per epoch in time order: ``epoch_start`` datetime64[ms], ``activity`` and ``speed`` uint8 (see
        ``activity``), ``confidence`` uint8, the probability of the activity, where 255 is certain. Time that fills no
        whole window between two gaps has no row.

    Raises:
        SignalError: the signal breaks a rule of ``check_signal``, or no window fits into it.
        ModelError: the model cannot be used.
    """
    signal = check_signal(timestamps, acceleration)
    starts = window_starts(signal.timestamps)
    if len(starts) == 0:
        raise SignalError(f"the signal has no {protocol().epochs.seconds} seconds without a gap")
    booster = load_model(model_file, nthread)
    probabilities = np.concatenate(
        [booster.inplace_predict(features(windows)) for windows in chunks(signal.acceleration, starts)]
    )
    activity = np.array(CLASSIFIED, dtype=np.uint8)[probabilities.argmax(axis=1)]
    return pd.DataFrame(
        {
            "epoch_start": signal.timestamps[starts].astype("datetime64[ms]"),
            "activity": activity,
            "speed": speeds(signal, starts, activity),
            "confidence": np.round(255 * probabilities.max(axis=1)).astype(np.uint8),
        }
    )


def speeds(signal: Signal, starts: NDArray[np.int64], activity: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Speed code of each epoch, ``NOT_WALKING`` where it is not walking.

    Args:
        signal: a checked signal.
        starts: (k,) first sample of each epoch.
        activity: (k,) activity code of each epoch.
    """
    codes = np.full(len(starts), SpeedCode.NOT_WALKING, dtype=np.uint8)
    walking = np.flatnonzero(activity == ActivityCode.WALKING)
    if len(walking) == 0:
        return codes
    # A new bout begins where the epoch right before was not walking, or ended in a gap.
    follows = continues(signal.timestamps, starts)[walking] & (np.diff(walking, prepend=-2) == 1)
    bout = np.cumsum(~follows)
    gait = np.concatenate([gait_autocorrelation(w) for w in chunks(signal.acceleration, starts[walking])])
    codes[walking] = speed_class(speed_from_cadence(cadence(pooled(gait, bout))))
    return codes


def load_model(model_file: Path = MODEL_FILE, nthread: int = 1) -> xgboost.Booster:
    """The model, read once per content and thread count.

    Raises:
        ModelError: the file is missing, is no model, or was made for other features or classes.
    """
    return _load(model_file, model_digest(model_file), nthread)


@lru_cache(maxsize=4)
def _load(model_file: Path, digest: str, nthread: int) -> xgboost.Booster:
    import xgboost

    try:
        booster = xgboost.Booster({"nthread": nthread}, model_file=model_file)
    except xgboost.core.XGBoostError:
        raise ModelError(f"{model_file.name} is not an xgboost model") from None
    if tuple(booster.feature_names or ()) != FEATURE_NAMES or booster.attr("classes") != CLASS_NAMES:
        raise ModelError(f"{model_file.name} was not trained for these features and classes; train it again")
    return booster
