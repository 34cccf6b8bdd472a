"""Read recordings of one thigh sensor with labels of activity and self-chosen pace, in the layouts of two public sets.

- One file per person (selfBACK): ``timestamp``, ``thigh_x`` to ``thigh_z`` (g, or integer counts of 1/4096 g) and
  ``label``.
- Folders ``thigh`` and ``ground_truth`` with files of the same names (SENS, in the acti-motus repository): ``acc_x``
  to ``acc_z`` in g and ``ground_truth`` by second, both with a time in the index; x and y have the opposite sign.
  ``P02`` and ``P02_2`` are recordings of one person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stegvis.accelerometry.activity import UNLABELED, ActivityCode
from stegvis.accelerometry.recording import COUNTS_PER_G, RecordingError

AXES = ("thigh_x", "thigh_y", "thigh_z")
# By label, slow, moderate and fast.
PACES = {
    "walk_slow": 0, "walk_mod": 1, "walk_fast": 2, "walking_slow": 0, "walking_mod": 1, "walking_fast": 2,
}  # fmt: skip
SENSOR, LABELS = "thigh", "ground_truth"
# By the beginning of a label; any other is none. Stairs are walking.
ACTIVITY_LABELS = {
    "walk": ActivityCode.WALKING, "upstairs": ActivityCode.WALKING, "downstairs": ActivityCode.WALKING,
    "jogging": ActivityCode.RUNNING, "running": ActivityCode.RUNNING, "cycling": ActivityCode.CYCLING,
    "standing": ActivityCode.STANDING, "sitting": ActivityCode.SITTING, "lying": ActivityCode.LYING,
}  # fmt: skip


@dataclass(frozen=True)
class PaceRecording:
    """``seconds`` (n,), ``thigh`` (n, 3) in g, ``pace`` (n,): 0 slow to 2 fast, -1 anything else, and ``activity``
    (n,): activity codes, ``UNLABELED`` where there is none.
    """

    seconds: NDArray[np.float64]
    thigh: NDArray[np.float32]
    pace: NDArray[np.int64]
    activity: NDArray[np.uint8]


def read_pace_people(folder: Path) -> Iterator[list[PaceRecording]]:
    """Each person's recordings in a folder, in the order of the files' names.

    Raises:
        RecordingError: a file does not have its layout, or a file of labels is missing.
    """
    if not (folder / SENSOR).is_dir():
        for file in sorted(folder.glob("*.parquet")):
            yield [_read(file, _one_file)]
        return
    files = sorted((folder / SENSOR).glob("*.parquet"))
    for _, of_person in groupby(files, key=lambda file: file.stem.split("_")[0]):
        yield [_read(file, _labels_apart) for file in of_person]


def _read(file: Path, layout: Callable[[Path], PaceRecording]) -> PaceRecording:
    try:
        return layout(file)
    except (OSError, ValueError, KeyError) as error:
        raise RecordingError(f"{file.name}: not a thigh recording with paces ({type(error).__name__})") from None


def _one_file(file: Path) -> PaceRecording:
    table = pd.read_parquet(file, columns=["timestamp", *AXES, "label"]).dropna()
    counts = all(pd.api.types.is_integer_dtype(table[axis].dtype) for axis in AXES)
    thigh = np.asarray(table[list(AXES)], dtype=np.float32) / (COUNTS_PER_G if counts else np.float32(1))
    seconds = (table["timestamp"] - table["timestamp"].iloc[0]).dt.total_seconds().to_numpy()
    return PaceRecording(seconds, thigh, _paces(table["label"]), _activities(table["label"]))


def _labels_apart(file: Path) -> PaceRecording:
    felt = pd.read_parquet(file, columns=["acc_x", "acc_y", "acc_z"]).dropna()
    labels = pd.read_parquet(file.parents[1] / LABELS / file.name, columns=["ground_truth"]).dropna()
    origin = felt.index[0]
    seconds = (felt.index - origin).total_seconds().to_numpy()
    second = (labels.index - origin).total_seconds().to_numpy()
    at = np.searchsorted(second, seconds, side="right") - 1
    labeled = (at >= 0) & (seconds - second[at] < 1)
    pace = np.where(labeled, _paces(labels["ground_truth"])[at], -1)
    activity = np.where(labeled, _activities(labels["ground_truth"])[at], np.uint8(UNLABELED))
    thigh = felt.to_numpy(dtype=np.float32) * np.array([-1, -1, 1], dtype=np.float32)
    return PaceRecording(seconds, thigh, pace, activity)


def _paces(labels: pd.Series[str]) -> NDArray[np.int64]:
    return np.asarray(labels.astype(str).map(PACES).fillna(-1), dtype=np.int64)


def _activities(labels: pd.Series[str]) -> NDArray[np.uint8]:
    text = labels.astype(str)
    codes = {label: _activity(label) for label in text.unique()}
    return np.asarray(text.map(codes), dtype=np.uint8)


def _activity(label: str) -> int:
    return next((int(code) for begin, code in ACTIVITY_LABELS.items() if label.startswith(begin)), UNLABELED)
