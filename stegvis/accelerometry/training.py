"""Train the epoch classifier from labeled recordings, and judge it on people it has not seen.

Belongs here: fitting, leaving out one person at a time, writing model and card. Does not belong here: reading people
(``labeled_people``), features, measures of agreement, the card's wording.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.classifier import (
    CLASSES,
    STAIRS,
    EpochModel,
    decide,
    model_bytes,
    walking_pace,
)
from stegvis.accelerometry.datasets import Dataset, describe
from stegvis.accelerometry.evaluation import (
    Agreement,
    PersonAgreement,
    Result,
    SpeedAgreement,
    Turned,
    agreement,
    macro_f1,
    outlying_people,
    person_agreement,
    speed_agreement,
)
from stegvis.accelerometry.features import FEATURE_NAMES
from stegvis.accelerometry.labeled_people import (
    SEED,
    LabeledPerson,
    TrainingError,
    read_people,
    rotation,
    to_classes,
    window_features,
)
from stegvis.accelerometry.model_card import write_model_card
from stegvis.accelerometry.network import HIDDEN, fit_network
from stegvis.accelerometry.orientation import Worn, orientation
from stegvis.accelerometry.pace_evaluation import PaceAgreement, evaluate_pace
from stegvis.accelerometry.processes import single_thread_processes
from stegvis.accelerometry.signal import Signal
from stegvis.accelerometry.smoothing import learn_transitions
from stegvis.study.protocol import protocol

FEWEST_PEOPLE = 5
# Stairs are few; without more weight they would be taken for level walking.
STAIRS_WEIGHT = 2.0
# One network per seed, averaged: one alone varies with its beginning.
NETWORK_SEEDS = (SEED, SEED + 1, SEED + 2)

# How a sensor may be worn otherwise, as rotations of its axes.
TURNS: dict[Worn, tuple[int, int, int]] = {
    Worn.TURNED: (1, -1, -1),
    Worn.UPSIDE_DOWN: (-1, -1, 1),
    Worn.UPSIDE_DOWN_AND_TURNED: (-1, 1, -1),
}
TILT_DEGREES = 15.0
SENSOR_AXES = {"back": slice(0, 3), "thigh": slice(3, 6)}


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
    numpy_version: str
    networks: int
    hidden_units: int
    features: int
    window_seconds: int
    datasets: tuple[DatasetSummary, ...]
    windows_without_label: int
    everyone: Agreement
    outlying: tuple[str, ...]
    without_outlying: Agreement
    people: tuple[PersonAgreement, ...]
    turned: tuple[Turned, ...]
    measured_speed: SpeedAgreement | None
    own_pace: PaceAgreement | None


@dataclass(frozen=True)
class Predicted:
    """What a model that never saw a person says of the person's windows (k,)."""

    activity: NDArray[np.uint8]
    stairs: NDArray[np.bool_]


def train(folders: Sequence[Path], out: Path, progress: Callable[[str], None]) -> TrainingReport:
    """Train on every labeled recording in the folders; write the model, ``model_card.md`` and ``model_card.json``.

    The same recordings give the same model, byte for byte, with the same version of numpy on the same kind of
    processor, however many there are.

    Args:
        folders: each holds labeled recordings (``datasets.Dataset.layout``) and may hold a ``dataset.toml``. Sets of
            the layout ``thigh_paces`` are not trained on; the first of them judges walking pace.
        out: the model file to write; the cards are written beside it.
        progress: called with one line at a time; lines name sets and files, never what is in them.

    Raises:
        RecordingError: a file is not a labeled signal.
        TrainingError: too few people in all or in a set that is not public, or a person in two places.
        DatasetError: a ``dataset.toml`` cannot be understood.
    """
    paces = [folder for folder in folders if describe(folder).layout == "thigh_paces"]
    with single_thread_processes() as pool:
        progress(f"reading {len(folders) - len(paces)} sets")
        people = pool.submit(_read, [folder for folder in folders if folder not in paces]).result()
        if len(people) < FEWEST_PEOPLE:
            raise TrainingError(f"training needs labeled recordings of at least {FEWEST_PEOPLE} people")
        progress(f"fitting on all {len(people)} people, then without each of them in turn")
        whole = pool.submit(_fit_on_all, [_without_signal(each) for each in people])
        models = leave_one_person_out(people, pool, progress)
        content = whole.result()
    predicted = [predict(model, each) for model, each in zip(models, people, strict=True)]
    progress("turning the sensors")
    turned = judge_turned(people, models)
    own_pace = evaluate_pace(paces[0]) if paces else None

    single = [
        person_agreement(each.person, each.dataset.name, each.activity, found.activity, each.labeled_walking_minutes)
        for each, found in zip(people, predicted, strict=True)
    ]
    # Only people of public sets may be told apart, as outlying or in the table of single people.
    public = {each.person for each in people if each.dataset.public}
    outlying = public.intersection(outlying_people(single))
    report = TrainingReport(
        model=out.name,
        model_sha256=hashlib.sha256(content).hexdigest(),
        numpy_version=np.__version__,
        networks=len(NETWORK_SEEDS),
        hidden_units=HIDDEN,
        features=len(FEATURE_NAMES),
        window_seconds=protocol().epochs.seconds,
        datasets=_summaries(people),
        windows_without_label=sum(each.windows_without_label for each in people),
        everyone=agreement_of(people, predicted, single, leave_out=set()),
        outlying=tuple(sorted(outlying)),
        without_outlying=agreement_of(people, predicted, single, leave_out=outlying),
        people=tuple(each for each in single if each.person in public),
        turned=turned,
        measured_speed=judge_speed(people),
        own_pace=own_pace,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, content)
    write_model_card(report, out.parent)
    progress(f"wrote {out.name}, {len(content) / 1e6:.1f} MB")
    return report


def leave_one_person_out(
    people: Sequence[LabeledPerson], pool: Executor, progress: Callable[[str], None]
) -> list[EpochModel]:
    """For each person, the model fitted on everyone else; fitted in the pool."""
    lean = [_without_signal(each) for each in people]
    fitting = [pool.submit(fit, [*lean[:number], *lean[number + 1 :]]) for number in range(len(lean))]
    models = []
    for number, model in enumerate(fitting, start=1):
        models.append(model.result())
        progress(f"left out person {number} of {len(people)}")
    return models


def _read(folders: list[Path]) -> list[LabeledPerson]:
    return read_people(folders, lambda _: None)


def _fit_on_all(people: list[LabeledPerson]) -> bytes:
    return model_bytes(fit(people))


def _without_signal(person: LabeledPerson) -> LabeledPerson:
    """What fitting needs of a person, which is quicker to hand to another process."""
    return replace(person, signal=Signal(person.signal.timestamps[:0], person.signal.acceleration[:0]))


def fit(people: Sequence[LabeledPerson]) -> EpochModel:
    """Networks on the people's windows and their copies, and the transitions between classes."""
    X = np.concatenate([part for each in people for part in (each.X, each.copies[0])])
    y = np.concatenate([part for each in people for part in (each.classes, each.copies[1])])
    weight = np.where(y == STAIRS, STAIRS_WEIGHT, 1.0).astype(np.float32)
    network = fit_network(X, y, weight, len(CLASSES), NETWORK_SEEDS)
    return EpochModel(network, learn_transitions([(each.classes, each.follows) for each in people], len(CLASSES)))


def predict(model: EpochModel, person: LabeledPerson) -> Predicted:
    """What a model says of a person's windows."""
    activity, _, stairs = decide(model.probabilities(person.X, person.follows))
    return Predicted(activity, stairs)


def judge_turned(people: Sequence[LabeledPerson], models: Sequence[EpochModel]) -> tuple[Turned, ...]:
    """Accuracy and flags with each sensor worn otherwise: each person judged by a model that never saw the person."""
    turns: list[tuple[str, str, NDArray[np.float32]]] = [("both", Worn.AS_PRESCRIBED, np.eye(6, dtype=np.float32))]
    for sensor, axes in SENSOR_AXES.items():
        for worn, signs in TURNS.items():
            matrix = np.eye(6, dtype=np.float32)
            matrix[axes, axes] = np.diag(signs)
            turns.append((sensor, worn, matrix))
        # A tilt forward: about the axis that points sideways. Not flagged, but met.
        for degrees in (-TILT_DEGREES, TILT_DEGREES):
            matrix = np.eye(6, dtype=np.float32)
            matrix[axes, axes] = rotation(np.array([[0.0, 1.0, 0.0]]), np.radians([degrees]))[0]
            turns.append((sensor, f"tilted {degrees:+.0f} degrees", matrix))
    return tuple(_judge_turn(people, models, *turn) for turn in turns)


def _judge_turn(
    people: Sequence[LabeledPerson],
    models: Sequence[EpochModel],
    sensor: str,
    worn: str,
    matrix: NDArray[np.float32],
) -> Turned:
    right = windows = flagged = 0
    for person, model in zip(people, models, strict=True):
        signal = Signal(person.signal.timestamps, person.signal.acceleration @ matrix)
        activity = predict(model, replace(person, X=window_features(signal, person.starts))).activity
        right += int((activity == person.activity).sum())
        windows += len(activity)
        found = orientation(signal.acceleration, person.starts, activity)
        looked_at = (found.back, found.thigh) if sensor == "both" else (getattr(found, sensor),)
        flagged += any(each not in (Worn.AS_PRESCRIBED, Worn.UNKNOWN) for each in looked_at)
    return Turned(sensor=sensor, worn=str(worn), accuracy=right / windows, people=len(people), flagged=flagged)


def judge_speed(people: Sequence[LabeledPerson]) -> SpeedAgreement | None:
    """Estimated against measured speed, where a set has measured it; epochs labeled walking."""
    numbers, measured, estimated = [], [], []
    for number, person in enumerate(people):
        walking = np.flatnonzero((person.activity == ActivityCode.WALKING) & np.isfinite(person.km_per_hour))
        if len(walking) == 0:
            continue
        numbers.append(np.full(len(walking), number))
        measured.append(person.km_per_hour[walking])
        estimated.append(walking_pace(person.signal, person.starts, person.follows, walking).speed)
    if len(numbers) < protocol().disclosure.smallest_count:
        return None
    return speed_agreement(np.concatenate(numbers), np.concatenate(measured), np.concatenate(estimated))


def agreement_of(
    people: Sequence[LabeledPerson],
    predicted: Sequence[Predicted],
    single: Sequence[PersonAgreement],
    leave_out: set[str],
) -> Agreement:
    """Agreement over the people that are not left out."""
    kept = [i for i, each in enumerate(people) if each.person not in leave_out]
    with_stairs = macro_f1(
        np.concatenate([people[i].classes for i in kept]),
        np.concatenate([to_classes(predicted[i].activity, predicted[i].stairs) for i in kept]),
    )
    return agreement(
        [single[i] for i in kept],
        np.concatenate([people[i].activity for i in kept]),
        np.concatenate([predicted[i].activity for i in kept]),
        with_stairs,
    )


def write_atomically(file: Path, content: bytes) -> None:
    """Write beside the final name, then move, so that a reader sees the old file or the new one."""
    part = file.with_name(file.name + ".part")
    part.write_bytes(content)
    part.replace(file)


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
