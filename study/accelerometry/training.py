"""Train the epoch classifier from labeled recordings, and judge it on people it has not seen.

Belongs here: reading labeled folders, cross-validation grouped by person, fitting, writing model and card. Does not
belong here: features, measures of agreement, the card's wording.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from study.accelerometry.activity import CLASSIFIED, UNLABELED, ActivityCode
from study.accelerometry.classifier import CLASS_NAMES
from study.accelerometry.datasets import Dataset, describe
from study.accelerometry.evaluation import (
    Agreement,
    PersonAgreement,
    Result,
    agreement,
    outlying_people,
    person_agreement,
)
from study.accelerometry.features import FEATURE_NAMES, features
from study.accelerometry.model_card import write_model_card
from study.accelerometry.recording import read_labeled
from study.accelerometry.windows import chunks, label_counts, majority_labels, window_starts
from study.protocol import protocol

if TYPE_CHECKING:
    import xgboost

ROUNDS = 150
FOLDS = 5
SEED = 20250613
# Depth and learning rate as published for HARTH's gradient-boosted trees; fewer rounds: more did not help.
SETTINGS: dict[str, str | int | float] = {
    "objective": "multi:softprob",
    "num_class": len(CLASSIFIED),
    "tree_method": "hist",
    "max_depth": 5,
    "learning_rate": 0.3,
    "seed": SEED,
    # With several threads, ties between equally good splits fall differently.
    "nthread": 1,
}


class TrainingError(ValueError):
    """The folders do not hold what training needs; the message says what is missing."""


class DatasetSummary(Result):
    """What one set contributed."""

    dataset: Dataset
    people: int
    windows: int
    hours: float


class TrainingReport(Result):
    """Everything the model card says.

    ``outlying`` and ``people`` name people of public sets only, each judged by a model that never saw them.
    """

    model: str
    model_sha256: str
    xgboost_version: str
    settings: dict[str, str | int | float]
    rounds: int
    folds: int
    features: int
    window_seconds: int
    datasets: tuple[DatasetSummary, ...]
    windows_without_label: int
    everyone: Agreement
    outlying: tuple[str, ...]
    without_outlying: Agreement
    people: tuple[PersonAgreement, ...]


@dataclass(frozen=True)
class LabeledPerson:
    """One person's labeled windows: ``X`` (k, 161) features, ``activity`` (k,) codes."""

    person: str
    dataset: Dataset
    X: NDArray[np.float32]
    activity: NDArray[np.uint8]
    labeled_walking_minutes: float
    windows_without_label: int


def train(folders: Sequence[Path], out: Path, progress: Callable[[str], None]) -> TrainingReport:
    """Train on every labeled recording in the folders; write the model, ``model_card.md`` and ``model_card.json``.

    The same recordings give the same model, byte for byte, on the same version of xgboost.

    Args:
        folders: each holds ``<person>.parquet`` or ``<person>.csv`` (see ``recording.read_labeled``) and may hold a
            ``dataset.toml`` (see ``datasets``).
        out: the model file to write, ``.ubj``; the cards are written beside it.
        progress: called with one line at a time; lines name sets and files, never what is in them.

    Raises:
        RecordingError: a file is not a labeled two-sensor signal.
        TrainingError: too few people in all or in a set that is not public, or a person in two places.
        DatasetError: a ``dataset.toml`` cannot be understood.
    """
    import xgboost

    if out.suffix != ".ubj":
        raise TrainingError("the model is written in xgboost's own format: name it .ubj")
    people = read_people(folders, progress)
    predicted = cross_validate(people, progress)
    progress(f"fitting on all {len(people)} people")
    booster = fit(people)

    single = [
        person_agreement(each.person, each.dataset.name, each.activity, codes, each.labeled_walking_minutes)
        for each, codes in zip(people, predicted, strict=True)
    ]
    # Only people of public sets may be told apart, as outlying or in the table of single people.
    public = {each.person for each in people if each.dataset.public}
    outlying = public.intersection(outlying_people(single))

    content = bytes(booster.save_raw("ubj"))
    report = TrainingReport(
        model=out.name,
        model_sha256=hashlib.sha256(content).hexdigest(),
        xgboost_version=xgboost.__version__,
        settings=SETTINGS,
        rounds=ROUNDS,
        folds=FOLDS,
        features=len(FEATURE_NAMES),
        window_seconds=protocol().epochs.seconds,
        datasets=_summaries(people),
        windows_without_label=sum(each.windows_without_label for each in people),
        everyone=_agreement_of(people, predicted, single, leave_out=set()),
        outlying=tuple(sorted(outlying)),
        without_outlying=_agreement_of(people, predicted, single, leave_out=outlying),
        people=tuple(each for each in single if each.person in public),
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, content)
    write_model_card(report, out.parent)
    progress(f"wrote {out.name}, {len(content) / 1e6:.1f} MB")
    return report


def read_people(folders: Sequence[Path], progress: Callable[[str], None]) -> list[LabeledPerson]:
    """Features and labels of everyone in the folders, sorted by person.

    Raises:
        RecordingError, TrainingError, DatasetError: as ``train``.
    """
    people: dict[str, LabeledPerson] = {}
    for folder in folders:
        dataset = describe(folder)
        files = sorted(file for file in folder.glob("*") if file.suffix in {".parquet", ".csv"})
        if not files:
            raise TrainingError(f"no .parquet or .csv recordings in {folder.name}")
        fewest = protocol().disclosure.smallest_count
        if not dataset.public and len(files) < fewest:
            raise TrainingError(
                f"{folder.name} is not a public set and holds fewer than {fewest} people: "
                "the model card would describe single people"
            )
        progress(f"reading {len(files)} recordings of {dataset.name}")
        for file in files:
            if file.stem in people:
                raise TrainingError(f"{file.name} stands twice; a person's recording must be in one place")
            people[file.stem] = read_person(file, dataset)
    labeled = [people[name] for name in sorted(people) if len(people[name].activity)]
    if len(labeled) < FOLDS:
        raise TrainingError(f"training needs labeled recordings of at least {FOLDS} people")
    return labeled


def read_person(file: Path, dataset: Dataset) -> LabeledPerson:
    """Features and labels of one recording; windows without a majority label are left out.

    Raises:
        RecordingError: the file is not a labeled two-sensor signal.
    """
    recording = read_labeled(file)
    every_start = window_starts(recording.signal.timestamps)
    majority = majority_labels(recording.activity, every_start)
    usable = majority != UNLABELED
    starts = every_start[usable]
    X = [features(windows) for windows in chunks(recording.signal.acceleration, starts)]
    walking_samples = label_counts(recording.activity, starts)[:, ActivityCode.WALKING].sum()
    return LabeledPerson(
        person=file.stem,
        dataset=dataset,
        X=np.concatenate(X) if X else np.empty((0, len(FEATURE_NAMES)), dtype=np.float32),
        activity=majority[usable],
        labeled_walking_minutes=float(walking_samples) / protocol().epochs.sampling_rate_hz / 60,
        windows_without_label=int((~usable).sum()),
    )


def folds(people: Sequence[LabeledPerson]) -> NDArray[np.int64]:
    """The fold of each person: dealt in random order, set by set, so that every fold has its share of each set."""
    generator = np.random.default_rng(SEED)
    sets = np.array([each.dataset.name for each in people])
    order = np.concatenate([generator.permutation(np.flatnonzero(sets == name)) for name in np.unique(sets)])
    fold = np.empty(len(people), dtype=np.int64)
    fold[order] = np.arange(len(people)) % FOLDS
    return fold


def cross_validate(people: Sequence[LabeledPerson], progress: Callable[[str], None]) -> list[NDArray[np.uint8]]:
    """Each person's predicted codes, by a model fitted without that person."""
    fold = folds(people)
    predicted: list[NDArray[np.uint8]] = [np.empty(0, dtype=np.uint8)] * len(people)
    for number in range(FOLDS):
        progress(f"cross-validation, fold {number + 1} of {FOLDS}")
        booster = fit([each for each, its in zip(people, fold, strict=True) if its != number])
        for position in np.flatnonzero(fold == number):
            predicted[position] = predict(booster, people[int(position)].X)
    return predicted


def fit(people: Sequence[LabeledPerson]) -> xgboost.Booster:
    """Gradient-boosted trees (Chen and Guestrin 2016, doi 10.1145/2939672.2939785) on the people's windows."""
    import xgboost

    X = np.concatenate([each.X for each in people])
    y = np.concatenate([each.activity for each in people]).astype(np.int64) - int(CLASSIFIED[0])
    data = xgboost.DMatrix(X, label=y, feature_names=list(FEATURE_NAMES), nthread=1)
    booster = xgboost.train(SETTINGS, data, num_boost_round=ROUNDS)
    booster.set_attr(classes=CLASS_NAMES)
    return booster


def predict(booster: xgboost.Booster, X: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The most probable activity code of each row of features, (k,)."""
    return np.array(CLASSIFIED, dtype=np.uint8)[booster.inplace_predict(X).argmax(axis=1)]


def write_atomically(file: Path, content: bytes) -> None:
    """Write beside the final name, then move, so that a reader sees the old file or the new one."""
    part = file.with_name(file.name + ".part")
    part.write_bytes(content)
    part.replace(file)


def _agreement_of(
    people: Sequence[LabeledPerson],
    predicted: Sequence[NDArray[np.uint8]],
    single: Sequence[PersonAgreement],
    leave_out: set[str],
) -> Agreement:
    kept = [i for i, each in enumerate(people) if each.person not in leave_out]
    return agreement(
        [single[i] for i in kept],
        np.concatenate([people[i].activity for i in kept]),
        np.concatenate([predicted[i] for i in kept]),
    )


def _summaries(people: Sequence[LabeledPerson]) -> tuple[DatasetSummary, ...]:
    summaries = []
    for dataset in dict.fromkeys(each.dataset for each in people):
        members = [each for each in people if each.dataset == dataset]
        windows = sum(len(each.activity) for each in members)
        summaries.append(
            DatasetSummary(
                dataset=dataset,
                people=len(members),
                windows=windows,
                hours=windows * protocol().epochs.seconds / 3600,
            )
        )
    return tuple(summaries)
