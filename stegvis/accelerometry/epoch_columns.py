"""The columns of classified epochs, from the probabilities of their seconds and the pace of their walking."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.activity import CLASSIFIED, ActivityCode, SpeedCode
from stegvis.accelerometry.epoch_model import CLASSES, STAIRS, WALKING
from stegvis.accelerometry.mixed_epochs import MixedEpochs
from stegvis.accelerometry.walking_speed import Pace, speed_class
from stegvis.study.protocol import Epochs

Columns = dict[str, NDArray[Any]]

# The columns of an epoch, and their values where an epoch is not classified.
NOT_CLASSIFIED: dict[str, float] = {
    "activity": ActivityCode.NONWEAR,
    "speed": SpeedCode.NOT_WALKING,
    "confidence": 0,
    "stairs": False,
    "cadence": np.nan,
    "speed_km_per_hour": np.nan,
    "speed_sd_km_per_hour": np.nan,
}


class Decided(NamedTuple):
    """What is most probable in k epochs: ``epochs`` (k,) and ``seconds`` (k, seconds per epoch) by name of the column,
    and the probabilities (k, classes) of the epochs.
    """

    epochs: Columns
    seconds: Columns
    probabilities: NDArray[np.float32]

    @property
    def with_walking(self) -> NDArray[np.int64]:
        """Positions of the epochs with a second of walking."""
        seconds = (self.seconds["activity"] == ActivityCode.WALKING).any(axis=1)
        return np.flatnonzero(seconds | (self.epochs["activity"] == ActivityCode.WALKING))


def decide_by_second(by_second: NDArray[np.float32]) -> Decided:
    """What is most probable, from the probabilities (k, seconds per epoch, classes) of every second."""
    k, seconds, classes = by_second.shape
    probabilities = by_second.mean(axis=1)
    within = _decided(by_second.reshape(-1, classes))
    apart = {name: values.reshape(k, seconds) for name, values in within.items()}
    return Decided(_decided(probabilities), apart, probabilities)


def columns_of(decided: Decided, pace: Pace, epoch_rules: Epochs) -> tuple[Columns, MixedEpochs]:
    """The columns of k epochs by name, except the time, and the mixed epochs among them.

    Args:
        decided: what is most probable.
        pace: of the epochs ``decided.with_walking``.
        epoch_rules: the classes of speed.
    """
    k, walking = len(decided.probabilities), decided.with_walking
    of_pace = {
        "speed": spread(speed_class(pace.speed, epoch_rules), walking, k, SpeedCode.NOT_WALKING),
        "cadence": spread(pace.cadence, walking, k, np.nan),
        "speed_km_per_hour": spread(pace.speed, walking, k, np.nan),
        "speed_sd_km_per_hour": spread(pace.speed_sd, walking, k, np.nan),
    }
    apart = {f"probability_{name}": decided.probabilities[:, i] for i, name in enumerate(CLASSES)}
    seconds = decided.seconds["activity"]
    epoch = np.flatnonzero((seconds != seconds[:, :1]).any(axis=1))
    within = {name: values[epoch] for name, values in decided.seconds.items()}
    within |= {name: np.repeat(values[epoch, None], seconds.shape[1], axis=1) for name, values in of_pace.items()}
    columns = _only_walking_has_pace(decided.epochs | of_pace) | apart
    return columns, MixedEpochs(epoch, _only_walking_has_pace(within))


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


def _decided(probabilities: NDArray[np.floating]) -> Columns:
    activity, confidence, stairs = decide(probabilities)
    return {"activity": activity, "confidence": np.round(255 * confidence).astype(np.uint8), "stairs": stairs}


def _only_walking_has_pace(columns: Columns) -> Columns:
    walking = columns["activity"] == ActivityCode.WALKING
    for name in ("speed", "cadence", "speed_km_per_hour", "speed_sd_km_per_hour"):
        columns[name] = np.where(walking, columns[name], np.asarray(NOT_CLASSIFIED[name], dtype=columns[name].dtype))
    return columns


def spread(values: NDArray[Any], positions: NDArray[np.int64], length: int, elsewhere: float) -> NDArray[Any]:
    """An array of some length with these values at these positions and another value elsewhere."""
    spread = np.full(length, elsewhere, dtype=values.dtype)
    spread[positions] = values
    return spread
