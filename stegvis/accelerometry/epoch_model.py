"""The model of the epoch classifier: its classes, and reading and writing its file."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.activity import CLASSIFIED
from stegvis.accelerometry.features import FEATURE_NAMES
from stegvis.accelerometry.network import Network
from stegvis.accelerometry.smoothing import Transitions, smooth
from stegvis.data_files import data_file

MODEL_FILE = data_file("accelerometry/model/epoch_classifier.npz")

# The model's classes: the activities in the order of their codes, then stairs.
CLASSES = (*(code.name.lower() for code in CLASSIFIED), "stairs")
WALKING, STAIRS = CLASSES.index("walking"), CLASSES.index("stairs")

# Columns of the features that the thigh sensor alone decides.
THIGH_COLUMNS = np.array([i for i, name in enumerate(FEATURE_NAMES) if "thigh" in name and "back" not in name])

# The arrays of every model file; networks come in addition.
_SHARED_PARTS = {"features", "classes", "transitions", "share", "second_transitions", "second_share"}
_THIGH_PARTS = tuple(f"thigh_{name}" for name in Network._fields)


class ModelError(RuntimeError):
    """The model file is missing, unreadable, or was trained for other features."""


@dataclass(frozen=True)
class EpochModel:
    """The networks, the transitions between classes from epoch to epoch and from second to second, a network of
    ``THIGH_COLUMNS`` that finds gait, and the number of threads for the networks.
    """

    network: Network
    transitions: Transitions
    second_transitions: Transitions
    thigh: Network
    nthread: int = 1

    def gait(self, X: NDArray[np.float32], follows: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether the person walks in each epoch (k,), by the thigh sensor alone.

        Args:
            X: (k, features) in time order.
            follows: (k,) whether each epoch directly follows the previous one (``windows.continues``).
        """
        found = self.thigh.probabilities(np.ascontiguousarray(X[:, THIGH_COLUMNS]), self.nthread)
        smoothed = smooth(found, follows, self.transitions)
        walking = smoothed[:, WALKING] + smoothed[:, STAIRS]
        return np.asarray(walking > 0.5)


def model_digest(model_file: Path = MODEL_FILE) -> str:
    """The SHA-256 digest of the model file, in hexadecimal.

    Raises:
        ModelError: there is no such file.
    """
    try:
        return hashlib.sha256(model_file.read_bytes()).hexdigest()
    except OSError:
        raise ModelError(f"the epoch classifier {model_file.name} cannot be read") from None


def load_model(model_file: Path = MODEL_FILE, nthread: int = 1) -> EpochModel:
    """The model, read once per content and thread count.

    Raises:
        ModelError: the file is missing, is not a model, or was trained for other features or classes.
    """
    return _load(model_file, model_digest(model_file), nthread)


@lru_cache(maxsize=4)
def _load(model_file: Path, digest: str, nthread: int) -> EpochModel:
    part = read_parts(model_file, FEATURE_NAMES, (*Network._fields, *_THIGH_PARTS))
    network = Network(*(part[name] for name in Network._fields))
    thigh = Network(*(part[name] for name in _THIGH_PARTS))
    return EpochModel(network, *transitions_in(part), thigh, nthread)


def read_parts(model_file: Path, features: Sequence[str], networks: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The arrays of a model file by name.

    Args:
        model_file: the file.
        features: those the model must have been trained for.
        networks: names of the arrays of its networks.

    Raises:
        ModelError: it is not a model, or was trained for other features or classes.
    """
    try:
        with np.load(model_file, allow_pickle=False) as read:
            part = dict(read)
    # numpy fails differently for a single array, an empty file and any other file.
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile):
        raise ModelError(f"{model_file.name} is not an epoch classifier") from None
    if not (
        part.keys() == {*_SHARED_PARTS, *networks}
        and np.array_equal(part["features"], features)
        and np.array_equal(part["classes"], CLASSES)
    ):
        raise ModelError(f"{model_file.name} was not trained for these features and classes; train it again")
    return part


def transitions_in(part: Mapping[str, NDArray[Any]]) -> tuple[Transitions, Transitions]:
    """The transitions of a model file's arrays, from epoch to epoch and from second to second."""
    return (
        Transitions(part["transitions"], part["share"]),
        Transitions(part["second_transitions"], part["second_share"]),
    )


def model_bytes(model: EpochModel) -> bytes:
    """The content of a model file: networks and transitions, and the features and classes that they are for."""
    networks = model.network._asdict() | dict(zip(_THIGH_PARTS, model.thigh, strict=True))
    return file_content(model, FEATURE_NAMES, networks)


def file_content(model: EpochModel, features: Sequence[str], networks: Mapping[str, NDArray[Any]]) -> bytes:
    """The content of a file with these arrays of networks; ``read_parts`` reads it."""
    content = io.BytesIO()
    parts: dict[str, Any] = {
        "features": np.array(features),
        "classes": np.array(CLASSES),
        "transitions": model.transitions.probability,
        "share": model.transitions.share,
        "second_transitions": model.second_transitions.probability,
        "second_share": model.second_transitions.share,
        **networks,
    }
    np.savez(content, **parts)
    return content.getvalue()
