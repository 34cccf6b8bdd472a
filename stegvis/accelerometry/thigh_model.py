"""The models of one thigh sensor: the columns of the features that need no back, and a file per sampling rate.

A model is an ``EpochModel`` like that of a pair, whose networks read the thigh's columns alone, so whatever classifies
a pair's epochs classifies those of one thigh sensor, with a back of zeros in the windows. A network fitted to 50
samples per second fails on 12.5 (the interpolated signal has nothing above 6 Hz), so there is one for each.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.epoch_model import (
    CLASSES,
    THIGH_COLUMNS,
    EpochModel,
    file_content,
    model_digest,
    read_parts,
    transitions_in,
)
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
    part = read_parts(model_file, THIGH_FEATURES, Network._fields)
    return thigh_model(Network(*(part[name] for name in Network._fields)), *transitions_in(part), nthread)


def thigh_model_bytes(model: EpochModel) -> bytes:
    """The content of a model file."""
    return file_content(model, THIGH_FEATURES, model.thigh._asdict())
