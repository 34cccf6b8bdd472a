"""Labeled people for training and evaluation: features and labels of windows, and altered copies for training."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.activity import CLASSIFIED, UNLABELED, ActivityCode
from stegvis.accelerometry.datasets import Dataset, describe
from stegvis.accelerometry.epoch_model import STAIRS
from stegvis.accelerometry.features import FEATURE_NAMES, features
from stegvis.accelerometry.recording import LabeledRecording, read_labeled
from stegvis.accelerometry.signal import Signal
from stegvis.accelerometry.tilt import LATERAL, LONG_AXIS, SENSOR_AXES, rotation
from stegvis.accelerometry.walking_speed_set import read_walking_speeds
from stegvis.accelerometry.windows import chunks, continues, majority_labels, window_starts
from stegvis.study.protocol import Epochs, Protocol

Floats = NDArray[np.float32]

SEED = 20250613
# Copies of the training windows are rotated about a random axis by up to this angle, as sensors are never attached
# exactly straight.
LARGEST_TILT_DEGREES = 15.0
# Widely tilted copies are rotated further, about the lateral axis (forward and backward) and the thigh's long axis.
WIDE_DEGREES = {"back": ((LATERAL, 35.0),), "thigh": ((LATERAL, 30.0), (LONG_AXIS, 90.0))}


class TrainingError(ValueError):
    """The folders do not contain what training needs; the message says what is missing."""


@dataclass(frozen=True)
class LabeledPerson:
    """One person's labeled windows, in time order.

    Attributes:
        person: identifier.
        dataset: the person's dataset.
        signal: the whole signal.
        starts: (k,) first sample of each window with a majority label.
        follows: (k,) whether each window directly follows the previous one.
        X: (k, features).
        activity: (k,) majority activity codes.
        stairs: (k,) walking, mostly on stairs.
        second_classes: (k, seconds per window) class of each second, as in ``epoch_model.CLASSES``; -1 unlabeled.
        km_per_hour: (k,) measured walking speed, NaN where unknown.
        labeled_walking_minutes: walking in these windows, counted sample by sample.
        windows_without_label: number of windows excluded for want of a majority label.
        copies: features (c, features) and classes (c,) for training, of windows that begin at every second: as they
            are, tilted, and tilted widely.
    """

    person: str
    dataset: Dataset
    signal: Signal
    starts: NDArray[np.int64]
    follows: NDArray[np.bool_]
    X: Floats
    activity: NDArray[np.uint8]
    stairs: NDArray[np.bool_]
    second_classes: NDArray[np.int64]
    km_per_hour: Floats
    labeled_walking_minutes: float
    windows_without_label: int
    copies: tuple[Floats, NDArray[np.int64]]

    @property
    def classes(self) -> NDArray[np.int64]:
        """(k,) class of each window, as in ``epoch_model.CLASSES``."""
        return to_classes(self.activity, self.stairs)


def to_classes(activity: NDArray[np.uint8], stairs: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Positions in ``epoch_model.CLASSES`` of labeled activity codes."""
    return np.where(stairs & (activity == ActivityCode.WALKING), STAIRS, activity.astype(np.int64) - int(CLASSIFIED[0]))


def read_people(folders: Sequence[Path], protocol: Protocol, progress: Callable[[str], None]) -> list[LabeledPerson]:
    """Everyone with labeled windows in the folders, sorted by person.

    Raises:
        RecordingError, DatasetError: a file or a ``dataset.toml`` is invalid.
        TrainingError: a folder is empty, a person occurs twice, or a dataset that is not public has too few people.
    """
    people: dict[str, LabeledPerson] = {}
    for folder in folders:
        dataset = describe(folder)
        files = sorted(file for file in folder.rglob("*") if file.suffix in {".parquet", ".csv"})
        if not files:
            raise TrainingError(f"no .parquet or .csv recordings in {folder.name}")
        progress(f"reading {len(files)} recordings of {dataset.name}")
        found = 0
        for file in files:
            for person, recording in _recordings(file, dataset, protocol.epochs):
                found += 1
                if person in people:
                    raise TrainingError(f"{file.name} occurs twice; each person needs exactly one recording")
                people[person] = labeled_person(person, recording, dataset, protocol.epochs)
        fewest = protocol.disclosure.smallest_count
        if not dataset.public and found < fewest:
            raise TrainingError(
                f"{folder.name} is not a public dataset and has fewer than {fewest} people: "
                "the model card would describe individuals"
            )
    return [people[name] for name in sorted(people) if len(people[name].activity)]


def _recordings(file: Path, dataset: Dataset, epoch_rules: Epochs) -> Iterator[tuple[str, LabeledRecording]]:
    if dataset.layout == "walking_speeds":
        yield from read_walking_speeds(file, epoch_rules).items()
    else:
        yield file.stem, read_labeled(file, epoch_rules)


def labeled_person(person: str, recording: LabeledRecording, dataset: Dataset, epoch_rules: Epochs) -> LabeledPerson:
    """Windows, features and labels of one recording; windows without a majority label are excluded."""
    signal, size = recording.signal, epoch_rules.samples_per_epoch
    every_start = window_starts(signal.timestamps, epoch_rules)
    labels, stairs = _window_labels(recording, every_start, size)
    usable = labels != UNLABELED
    starts = every_start[usable]
    rng = np.random.default_rng([SEED, zlib.crc32(person.encode())])

    # Copies begin at every second.
    follows = continues(signal.timestamps, every_start, epoch_rules)
    seconds = epoch_rules.sampling_rate_hz * np.arange(1, epoch_rules.seconds)
    between = (every_start[:-1][follows[1:]][:, None] + seconds).ravel()
    every_second = np.sort(np.concatenate([every_start, between]))
    second_labels, second_stairs = _window_labels(recording, every_second, size)
    labeled = second_labels != UNLABELED
    at = every_second[labeled]
    classes = to_classes(second_labels[labeled], second_stairs[labeled])
    copies = np.concatenate(
        [
            window_features(signal, at, epoch_rules),
            *(_tilted(signal, at, epoch_rules, rng, wide=wide) for wide in (False, True)),
        ]
    )
    walking = (recording.activity[starts[:, None] + np.arange(size)] == ActivityCode.WALKING).sum()
    return LabeledPerson(
        person=person,
        dataset=dataset,
        signal=signal,
        starts=starts,
        follows=continues(signal.timestamps, starts, epoch_rules),
        X=window_features(signal, starts, epoch_rules),
        activity=labels[usable],
        stairs=stairs[usable],
        second_classes=_second_classes(recording, starts, epoch_rules),
        km_per_hour=_window_speeds(recording, starts, size),
        labeled_walking_minutes=float(walking) / epoch_rules.sampling_rate_hz / 60,
        windows_without_label=int((~usable).sum()),
        copies=(copies, np.tile(classes, 3)),
    )


def window_features(
    signal: Signal,
    starts: NDArray[np.int64],
    epoch_rules: Epochs,
    alter: Callable[[Floats], Floats] | None = None,
) -> Floats:
    """Features (k, features) of some windows of a signal; ``alter`` is applied to each chunk of windows first."""
    parts = [
        features(alter(windows) if alter else windows, epoch_rules.sampling_rate_hz)
        for windows in chunks(signal.acceleration, starts, epoch_rules.samples_per_epoch)
    ]
    return np.concatenate(parts) if parts else np.empty((0, len(FEATURE_NAMES)), dtype=np.float32)


def _tilted(
    signal: Signal, starts: NDArray[np.int64], epoch_rules: Epochs, rng: np.random.Generator, *, wide: bool
) -> Floats:
    """Features of the windows with each sensor rotated, by different angles in each window; see ``WIDE_DEGREES``."""

    def tilt(windows: Floats) -> Floats:
        turned = np.empty_like(windows)
        for place, axes in SENSOR_AXES.items():
            axis = rng.standard_normal((len(windows), 3))
            axis /= np.linalg.norm(axis, axis=1, keepdims=True)
            turn = rotation(axis, np.radians(rng.uniform(0, LARGEST_TILT_DEGREES, len(windows))))
            for about, largest in WIDE_DEGREES[place] if wide else ():
                angle = np.radians(rng.uniform(-largest, largest, len(windows)))
                turn = turn @ rotation(np.tile(about, (len(windows), 1)), angle)
            turned[:, :, axes] = windows[:, :, axes] @ turn
        return turned

    return window_features(signal, starts, epoch_rules, tilt)


def _window_labels(
    recording: LabeledRecording, starts: NDArray[np.int64], size: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Majority activity code of each window, and whether most of its walking is on stairs."""
    inside = starts[:, None] + np.arange(size)
    walking = recording.activity[inside] == ActivityCode.WALKING
    stairs = recording.stairs[inside]
    mostly_stairs = (2 * stairs.sum(axis=1) > walking.sum(axis=1)) & stairs.any(axis=1)
    return majority_labels(recording.activity, starts, size), mostly_stairs


def _second_classes(recording: LabeledRecording, starts: NDArray[np.int64], epoch_rules: Epochs) -> NDArray[np.int64]:
    """(k, seconds per window) class of each second of the windows; -1 where most of it has no label."""
    rate = epoch_rules.sampling_rate_hz
    seconds = (starts[:, None] + rate * np.arange(epoch_rules.seconds)).ravel()
    activity, stairs = _window_labels(recording, seconds, rate)
    classes = np.where(activity == UNLABELED, -1, to_classes(activity, stairs))
    return classes.reshape(len(starts), epoch_rules.seconds)


def _window_speeds(recording: LabeledRecording, starts: NDArray[np.int64], size: int) -> Floats:
    """Mean measured speed of each window; NaN unless every sample of it has one."""
    if recording.km_per_hour is None:
        return np.full(len(starts), np.nan, dtype=np.float32)
    inside = starts[:, None] + np.arange(size)
    return np.asarray(recording.km_per_hour[inside].mean(axis=1))
