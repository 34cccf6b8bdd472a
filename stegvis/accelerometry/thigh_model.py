"""The models of one thigh sensor: the columns of the features that need no back, and a file per sampling rate.

A model is an ``EpochModel`` like that of a pair, whose networks read the thigh's columns alone, so whatever classifies
a pair's epochs classifies those of one thigh sensor, with a back of zeros in the windows. A network fitted to 50
samples per second fails on 12.5 (the interpolated signal has nothing above 6 Hz), so there is one for each.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.epoch_model import CLASSES, THIGH_COLUMNS, EpochModel, ModelError, model_digest
from stegvis.accelerometry.features import FEATURE_NAMES
from stegvis.accelerometry.network import Network
from stegvis.accelerometry.smoothing import Transitions
from stegvis.data_files import data_file

Floats = NDArray[np.float32]

# By the samples per second of the recordings that a model was fitted to. A recording of 25 is read by the first: in
# cross-validation that costs 0.1 points of accuracy with sitting and lying together (96.8 to 96.7), and walking none.
THIGH_MODELS: dict[float, Path] = {
    50.0: data_file("accelerometry/model/thigh_50hz.npz"),
    12.5: data_file("accelerometry/model/thigh_12hz.npz"),
}
# Recordings of fewer samples per second than this are read by the model of 12.5, and of fewer than the other not at
# all; true rates differ from the nominal ones by a few percent.
FASTER_THAN_HZ, SLOWEST_HZ = 20.0, 12.0

THIGH_FEATURES = tuple(FEATURE_NAMES[column] for column in THIGH_COLUMNS)
_PARTS = {
    "features", "classes", "transitions", "share", "second_transitions", "second_share", *Network._fields,
}  # fmt: skip
_INCLINATION = FEATURE_NAMES.index("inclination_thigh")
# Share of gravity along the thigh from which on nobody sits or lies.
UPRIGHT = 0.9
_RECLINING = np.array([CLASSES.index(code.name.lower()) for code in (ActivityCode.LYING, ActivityCode.SITTING)])
_SMALLEST = np.float32(1e-20)


class ThighNetwork(Network):
    """A network of ``THIGH_COLUMNS`` that takes all features. Whose thigh is upright neither sits nor lies."""

    def probabilities(self, X: Floats, threads: int = 1) -> Floats:
        """As ``Network.probabilities``, of rows (k, all features)."""
        found = super().probabilities(np.ascontiguousarray(X[:, THIGH_COLUMNS]), threads)
        upright = np.flatnonzero(X[:, _INCLINATION] > UPRIGHT)
        found[upright[:, None], _RECLINING] = 0
        return np.asarray(found / np.maximum(found.sum(axis=1, keepdims=True), _SMALLEST))


def thigh_model(
    network: Network, transitions: Transitions, second_transitions: Transitions, nthread: int = 1
) -> EpochModel:
    """The model of a network fitted to the thigh's columns."""
    return EpochModel(ThighNetwork(*network), transitions, second_transitions, network, nthread)


def model_file_for(rate_hz: float) -> Path:
    """The file of the model for recordings of so many samples per second."""
    return THIGH_MODELS[50.0 if rate_hz >= FASTER_THAN_HZ else 12.5]


def load_thigh_model(model_file: Path, nthread: int = 1) -> EpochModel:
    """The model, read once per content and thread count.

    Raises:
        ModelError: the file is missing, is not a model of the thigh, or was trained for other features or classes.
    """
    return _load(model_file, model_digest(model_file), nthread)


@lru_cache(maxsize=4)
def _load(model_file: Path, digest: str, nthread: int) -> EpochModel:
    part = _read(model_file)
    if not (
        part.keys() == _PARTS
        and np.array_equal(part["features"], THIGH_FEATURES)
        and np.array_equal(part["classes"], CLASSES)
    ):
        raise ModelError(f"{model_file.name} was not trained for the thigh's features and classes; train it again")
    network = Network(*(part[name] for name in Network._fields))
    between_seconds = Transitions(part["second_transitions"], part["second_share"])
    return thigh_model(network, Transitions(part["transitions"], part["share"]), between_seconds, nthread)


def _read(model_file: Path) -> Mapping[str, NDArray[Any]]:
    try:
        with np.load(model_file, allow_pickle=False) as read:
            return dict(read)
    # numpy fails differently for a single array, an empty file and any other file.
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile):
        raise ModelError(f"{model_file.name} is not an epoch classifier") from None


def thigh_model_bytes(model: EpochModel) -> bytes:
    """The content of a model file."""
    content = io.BytesIO()
    parts: dict[str, Any] = {
        "features": np.array(THIGH_FEATURES),
        "classes": np.array(CLASSES),
        "transitions": model.transitions.probability,
        "share": model.transitions.share,
        "second_transitions": model.second_transitions.probability,
        "second_share": model.second_transitions.share,
        **model.thigh._asdict(),
    }
    np.savez(content, **parts)
    return content.getvalue()
