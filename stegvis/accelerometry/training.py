"""Train the epoch classifier from labeled recordings, and evaluate it by leave-one-person-out cross-validation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.classifier import decide, signal_pace
from stegvis.accelerometry.datasets import Dataset, describe
from stegvis.accelerometry.epoch_model import CLASSES, STAIRS, EpochModel, model_bytes
from stegvis.accelerometry.evaluation import (
    Agreement,
    PersonAgreement,
    Result,
    RotatedSensorAgreement,
    SpeedAgreement,
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
from stegvis.accelerometry.method import Method
from stegvis.accelerometry.model_card import write_model_card
from stegvis.accelerometry.network import HIDDEN, fit_network
from stegvis.accelerometry.orientation import Worn, orientation_of_signal
from stegvis.accelerometry.pace_evaluation import PaceAgreement, evaluate_pace
from stegvis.accelerometry.processes import single_thread_processes
from stegvis.accelerometry.signal import Signal
from stegvis.accelerometry.smoothing import learn_transitions
from stegvis.study.protocol import Epochs, Protocol

FEWEST_PEOPLE = 5
# Stairs are rare; without more weight they would be classified as level walking.
STAIRS_WEIGHT = 2.0
# One network per seed, averaged, because a single network depends on its initial weights.
NETWORK_SEEDS = (SEED, SEED + 1, SEED + 2)

# How a sensor may be worn other than prescribed, as signs of its axes.
ROTATIONS: dict[Worn, tuple[int, int, int]] = {
    Worn.TURNED: (1, -1, -1),
    Worn.UPSIDE_DOWN: (-1, -1, 1),
    Worn.UPSIDE_DOWN_AND_TURNED: (-1, 1, -1),
}
TILT_DEGREES = 15.0
SENSOR_AXES = {"back": slice(0, 3), "thigh": slice(3, 6)}


class DatasetSummary(Result):
    """The contribution of one dataset."""

    dataset: Dataset
    people: int
    windows: int
    hours: float


class TrainingReport(Result):
    """The content of the model card.

    ``outlying`` and ``people`` name people of public datasets only, each evaluated by a model fitted without them.
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
    turned: tuple[RotatedSensorAgreement, ...]
    measured_speed: SpeedAgreement | None
    own_pace: PaceAgreement | None


@dataclass(frozen=True)
class Predicted:
    """Predictions for a person's windows (k,) by a model fitted without that person."""

    activity: NDArray[np.uint8]
    stairs: NDArray[np.bool_]


def train(folders: Sequence[Path], out: Path, protocol: Protocol, progress: Callable[[str], None]) -> TrainingReport:
    """Train on every labeled recording in the folders; write the model, ``model_card.md`` and ``model_card.json``.

    The same recordings give the same model, byte for byte, with the same version of numpy on the same kind of
    processor, for any number of processors.

    Args:
        folders: each has labeled recordings (``datasets.Dataset.layout``) and may have a ``dataset.toml``. Datasets of
            the layout ``thigh_paces`` are not used for training; walking pace is evaluated on the first of them.
        out: the model file to write; the cards are written to the same folder.
        protocol: the length of epochs, and the settings of walking speed.
        progress: called with one line at a time; lines contain names of datasets and files, never their content.

    Raises:
        RecordingError: a file is not a labeled signal.
        TrainingError: too few people in total or in a dataset that is not public, or a person occurs twice.
        DatasetError: a ``dataset.toml`` is invalid.
    """
    paces = [folder for folder in folders if describe(folder).layout == "thigh_paces"]
    with single_thread_processes() as pool:
        progress(f"reading {len(folders) - len(paces)} datasets")
        people = pool.submit(_read, [folder for folder in folders if folder not in paces], protocol).result()
        if len(people) < FEWEST_PEOPLE:
            raise TrainingError(f"training needs labeled recordings of at least {FEWEST_PEOPLE} people")
        progress(f"fitting on all {len(people)} people, then without each of them in turn")
        fitted = pool.submit(_fit_on_all, [_without_signal(each) for each in people])
        models = leave_one_person_out(people, pool, progress)
        content = fitted.result()
    progress("evaluating rotated sensors")
    report = _report(people, models, out.name, content, paces, protocol)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, content)
    write_model_card(report, out.parent)
    progress(f"wrote {out.name}, {len(content) / 1e6:.1f} MB")
    return report


def _report(
    people: Sequence[LabeledPerson],
    models: Sequence[EpochModel],
    name: str,
    content: bytes,
    paces: Sequence[Path],
    protocol: Protocol,
) -> TrainingReport:
    """The content of the model card.

    Args:
        people: everyone the model was fitted on.
        models: for each person, the model fitted on everyone else.
        name: of the model file.
        content: of the model file.
        paces: folders on which walking pace is evaluated.
        protocol: the settings of epochs, walking speed and disclosure.
    """
    predicted = [predict(model, each) for model, each in zip(models, people, strict=True)]
    single = individual_agreement(people, predicted, protocol.epochs)
    # Only people of public datasets are named, as outlying or in the table of individuals.
    public = {each.person for each in people if each.dataset.public}
    outlying = public.intersection(outlying_people(single))
    return TrainingReport(
        model=name,
        model_sha256=hashlib.sha256(content).hexdigest(),
        numpy_version=np.__version__,
        networks=len(NETWORK_SEEDS),
        hidden_units=HIDDEN,
        features=len(FEATURE_NAMES),
        window_seconds=protocol.epochs.seconds,
        datasets=_summaries(people, protocol.epochs),
        windows_without_label=sum(each.windows_without_label for each in people),
        everyone=agreement_of(people, predicted, single, excluded=set()),
        outlying=tuple(sorted(outlying)),
        without_outlying=agreement_of(people, predicted, single, excluded=outlying),
        people=tuple(each for each in single if each.person in public),
        turned=evaluate_rotated(people, models, protocol.epochs),
        measured_speed=evaluate_speed(people, protocol),
        own_pace=evaluate_pace(paces[0], protocol) if paces else None,
    )


def individual_agreement(
    people: Sequence[LabeledPerson], predicted: Sequence[Predicted], epoch_rules: Epochs
) -> list[PersonAgreement]:
    """Each person's agreement."""
    return [
        person_agreement(
            each.person,
            each.dataset.name,
            each.activity,
            found.activity,
            each.labeled_walking_minutes,
            epoch_rules.seconds,
        )
        for each, found in zip(people, predicted, strict=True)
    ]


def leave_one_person_out(
    people: Sequence[LabeledPerson], pool: Executor, progress: Callable[[str], None]
) -> list[EpochModel]:
    """For each person, the model fitted on everyone else, by the processes of the pool."""
    lean = [_without_signal(each) for each in people]
    fitting = [pool.submit(fit, [*lean[:number], *lean[number + 1 :]]) for number in range(len(lean))]
    models = []
    for number, model in enumerate(fitting, start=1):
        models.append(model.result())
        progress(f"fitted without person {number} of {len(people)}")
    return models


def _read(folders: list[Path], protocol: Protocol) -> list[LabeledPerson]:
    return read_people(folders, protocol, lambda _: None)


def _fit_on_all(people: list[LabeledPerson]) -> bytes:
    return model_bytes(fit(people))


def _without_signal(person: LabeledPerson) -> LabeledPerson:
    """The person without the signal, which fitting does not need and which is slow to send to another process."""
    return replace(person, signal=Signal(person.signal.timestamps[:0], person.signal.acceleration[:0]))


def fit(people: Sequence[LabeledPerson]) -> EpochModel:
    """Networks on the people's windows and their copies, and the transitions between classes."""
    X = np.concatenate([part for each in people for part in (each.X, each.copies[0])])
    y = np.concatenate([part for each in people for part in (each.classes, each.copies[1])])
    weight = np.where(y == STAIRS, STAIRS_WEIGHT, 1.0).astype(np.float32)
    network = fit_network(X, y, weight, len(CLASSES), NETWORK_SEEDS)
    return EpochModel(network, learn_transitions([(each.classes, each.follows) for each in people], len(CLASSES)))


def predict(model: EpochModel, person: LabeledPerson) -> Predicted:
    """A model's predictions for a person's windows."""
    activity, _, stairs = decide(model.probabilities(person.X, person.follows))
    return Predicted(activity, stairs)


def evaluate_rotated(
    people: Sequence[LabeledPerson], models: Sequence[EpochModel], epoch_rules: Epochs
) -> tuple[RotatedSensorAgreement, ...]:
    """Accuracy and flags with each sensor rotated.

    Args:
        people: labeled people.
        models: for each person, a model fitted without that person.
        epoch_rules: length and sampling rate of the windows.
    """
    rotations: list[tuple[str, str, NDArray[np.float32]]] = [("both", Worn.AS_PRESCRIBED, np.eye(6, dtype=np.float32))]
    for sensor, axes in SENSOR_AXES.items():
        for worn, signs in ROTATIONS.items():
            matrix = np.eye(6, dtype=np.float32)
            matrix[axes, axes] = np.diag(signs)
            rotations.append((sensor, worn, matrix))
        # A tilt forward or backward, about the lateral axis. It is common, and is not flagged.
        for degrees in (-TILT_DEGREES, TILT_DEGREES):
            matrix = np.eye(6, dtype=np.float32)
            matrix[axes, axes] = rotation(np.array([[0.0, 1.0, 0.0]]), np.radians([degrees]))[0]
            rotations.append((sensor, f"tilted {degrees:+.0f} degrees", matrix))
    return tuple(_evaluate_rotation(people, models, epoch_rules, *each) for each in rotations)


def _evaluate_rotation(
    people: Sequence[LabeledPerson],
    models: Sequence[EpochModel],
    epoch_rules: Epochs,
    sensor: str,
    worn: str,
    matrix: NDArray[np.float32],
) -> RotatedSensorAgreement:
    right = windows = flagged = 0
    for person, model in zip(people, models, strict=True):
        signal = Signal(person.signal.timestamps, person.signal.acceleration @ matrix)
        activity = predict(model, replace(person, X=window_features(signal, person.starts, epoch_rules))).activity
        right += int((activity == person.activity).sum())
        windows += len(activity)
        found = orientation_of_signal(signal.acceleration, person.starts, activity, epoch_rules.samples_per_epoch)
        sensors = (found.back, found.thigh) if sensor == "both" else (getattr(found, sensor),)
        flagged += any(each not in (Worn.AS_PRESCRIBED, Worn.UNKNOWN) for each in sensors)
    return RotatedSensorAgreement(
        sensor=sensor, worn=str(worn), accuracy=right / windows, people=len(people), flagged=flagged
    )


def evaluate_speed(people: Sequence[LabeledPerson], protocol: Protocol) -> SpeedAgreement | None:
    """Estimated compared with measured speed of epochs labeled walking; ``None`` if too few people have it measured."""
    method = Method.of(protocol)
    numbers, measured, estimated = [], [], []
    for number, person in enumerate(people):
        walking = np.flatnonzero((person.activity == ActivityCode.WALKING) & np.isfinite(person.km_per_hour))
        if len(walking) == 0:
            continue
        numbers.append(np.full(len(walking), number))
        measured.append(person.km_per_hour[walking])
        estimated.append(signal_pace(person.signal, person.starts, person.follows, walking, method).speed)
    if len(numbers) < protocol.disclosure.smallest_count:
        return None
    return speed_agreement(np.concatenate(numbers), np.concatenate(measured), np.concatenate(estimated), protocol)


def agreement_of(
    people: Sequence[LabeledPerson],
    predicted: Sequence[Predicted],
    single: Sequence[PersonAgreement],
    excluded: set[str],
) -> Agreement:
    """Agreement over the people who are not excluded."""
    kept = [i for i, each in enumerate(people) if each.person not in excluded]
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
    """Write to a temporary name, then rename, so that a reader sees either the old file or the new one."""
    part = file.with_name(file.name + ".part")
    part.write_bytes(content)
    part.replace(file)


def _summaries(people: Sequence[LabeledPerson], epoch_rules: Epochs) -> tuple[DatasetSummary, ...]:
    summaries = []
    for dataset in dict.fromkeys(each.dataset for each in people):
        members = [each for each in people if each.dataset == dataset]
        windows = sum(len(each.activity) for each in members)
        summaries.append(
            DatasetSummary(
                dataset=dataset,
                people=len(members),
                windows=windows,
                hours=windows * epoch_rules.seconds / 3600,
            )
        )
    return tuple(summaries)
