"""Train the epoch classifier from labeled recordings, and evaluate it on people it was not fitted on, in five folds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.classifier import recognize, signal_pace
from stegvis.accelerometry.datasets import Dataset, describe
from stegvis.accelerometry.epoch_columns import decide_by_second
from stegvis.accelerometry.epoch_model import CLASSES, STAIRS, THIGH_COLUMNS, EpochModel, model_bytes
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
    to_classes,
    transitions_of,
)
from stegvis.accelerometry.method import Method
from stegvis.accelerometry.model_card import write_model_card
from stegvis.accelerometry.network import HIDDEN, fit_network
from stegvis.accelerometry.orientation import Worn, orientation_of_signal
from stegvis.accelerometry.pace_evaluation import PaceAgreement, evaluate_pace
from stegvis.accelerometry.processes import single_thread_processes
from stegvis.accelerometry.signal import Signal
from stegvis.accelerometry.tilt import LATERAL, LONG_AXIS, SENSOR_AXES, rotation
from stegvis.accelerometry.windows import signal_windows
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
# Forward and backward, and about the long axis of the thigh, in degrees.
TILTS = {"back": (-30, -20, 20, 30), "thigh": (-30, 30)}
ROLLS = {"back": (), "thigh": (60, 90)}
UPSIDE_DOWN_TILTS = (-30, 30)
# People are left out in this many groups: the first of them in the order of their names, the sixth, the eleventh ...
FOLDS = 5

# Fits a model to people.
Fit = Callable[[Sequence[LabeledPerson]], EpochModel]


class DatasetSummary(Result):
    """The contribution of one dataset."""

    dataset: Dataset
    people: int
    windows: int
    hours: float


class TrainingReport(Result):
    """The content of the model card.

    ``folds``, ``outlying`` and ``people`` name people of public datasets only. Everyone is evaluated by the model
    fitted without the people of their fold.
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
    folds: tuple[tuple[str, ...], ...]
    turned: tuple[RotatedSensorAgreement, ...]
    measured_speed: SpeedAgreement | None
    own_pace: PaceAgreement | None
    external_pace: PaceAgreement | None = None


@dataclass(frozen=True)
class Predicted:
    """Predictions for a person's windows (k,), minutes of walking by the second, and sensors at an unusual angle."""

    activity: NDArray[np.uint8]
    stairs: NDArray[np.bool_]
    walking_minutes: float
    unusual: tuple[str, ...] = ()


def train(folders: Sequence[Path], out: Path, protocol: Protocol, progress: Callable[[str], None]) -> TrainingReport:
    """Train on every labeled recording in the folders; write the model, ``model_card.md`` and ``model_card.json``.

    The same recordings give the same model, byte for byte, with the same version of numpy on the same kind of
    processor, for any number of processors.

    Args:
        folders: each has labeled recordings (``datasets.Dataset.layout``) and may have a ``dataset.toml``. Datasets of
            the layout ``thigh_paces`` are not used for training; walking pace is evaluated on the first of them, with
            which its relations were developed, and on the second, of which nothing was used.
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
        progress(f"fitting on all {len(people)} people, then without each of {FOLDS} groups")
        fitted = pool.submit(_fit_on_all, [without_signal(each) for each in people])
        models = leave_folds_out(people, pool, progress)
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
    predicted = [predict(model, each, protocol.epochs) for model, each in zip(models, people, strict=True)]
    single = individual_agreement(people, predicted)
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
        datasets=dataset_summaries(people, protocol.epochs),
        windows_without_label=sum(each.windows_without_label for each in people),
        everyone=agreement_of(people, predicted, single, excluded=set()),
        outlying=tuple(sorted(outlying)),
        without_outlying=agreement_of(people, predicted, single, excluded=outlying),
        people=tuple(each for each in single if each.person in public),
        folds=tuple(tuple(each.person for each in fold if each.person in public) for fold in folds_of(people)),
        turned=evaluate_rotated(people, models, protocol.epochs),
        measured_speed=evaluate_speed(people, protocol),
        own_pace=evaluate_pace(paces[0], protocol) if paces else None,
        external_pace=evaluate_pace(paces[1], protocol) if len(paces) > 1 else None,
    )


def individual_agreement(people: Sequence[LabeledPerson], predicted: Sequence[Predicted]) -> list[PersonAgreement]:
    """Each person's agreement."""
    return [
        person_agreement(
            each.person,
            each.dataset.name,
            each.activity,
            found.activity,
            each.labeled_walking_minutes,
            found.walking_minutes,
        )
        for each, found in zip(people, predicted, strict=True)
    ]


def folds_of(people: Sequence[LabeledPerson]) -> list[list[LabeledPerson]]:
    """The people of each fold: every fifth by name, so that every fold has people of every dataset."""
    ordered = sorted(people, key=lambda each: each.person)
    return [ordered[number::FOLDS] for number in range(FOLDS)]


def leave_folds_out(
    people: Sequence[LabeledPerson], pool: Executor, progress: Callable[[str], None], fitted_by: Fit | None = None
) -> list[EpochModel]:
    """For each person, the model fitted (by ``fit``) without the people of their fold, by the processes of the pool."""
    folds = [{each.person for each in fold} for fold in folds_of(people)]
    lean = [without_signal(each) for each in people]
    fitting = [pool.submit(fitted_by or fit, [each for each in lean if each.person not in fold]) for fold in folds]
    models = {}
    for number, (fold, model) in enumerate(zip(folds, fitting, strict=True), start=1):
        models.update(dict.fromkeys(fold, model.result()))
        progress(f"fitted without group {number} of {FOLDS}")
    return [models[each.person] for each in people]


def _read(folders: list[Path], protocol: Protocol) -> list[LabeledPerson]:
    return read_people(folders, protocol, lambda _: None)


def _fit_on_all(people: list[LabeledPerson]) -> bytes:
    return model_bytes(fit(people))


def without_signal(person: LabeledPerson) -> LabeledPerson:
    """The person without the signal, which fitting does not need and which is slow to send to another process."""
    return replace(person, signal=Signal(person.signal.timestamps[:0], person.signal.acceleration[:0]))


def fit(people: Sequence[LabeledPerson]) -> EpochModel:
    """Networks on copies of the windows, and the transitions between classes, by window and by second."""
    X = np.concatenate([each.copies[0] for each in people])
    y = np.concatenate([each.copies[1] for each in people])
    weight = np.where(y == STAIRS, STAIRS_WEIGHT, 1.0).astype(np.float32)
    network = fit_network(X, y, weight, len(CLASSES), NETWORK_SEEDS)
    thigh = fit_network(np.ascontiguousarray(X[:, THIGH_COLUMNS]), y, weight, len(CLASSES), NETWORK_SEEDS[:1])
    return EpochModel(network, *transitions_of(people), thigh)


def predict(
    model: EpochModel, person: LabeledPerson, epoch_rules: Epochs, matrix: NDArray[np.float32] | None = None
) -> Predicted:
    """A model's predictions for a person's windows.

    Args:
        model: the model.
        person: the person.
        epoch_rules: length and sampling rate of the windows.
        matrix: (6, 6) by which the samples are multiplied first, for rotated sensors.
    """
    acceleration = person.signal.acceleration if matrix is None else person.signal.acceleration @ matrix
    windows = signal_windows(acceleration, person.starts, epoch_rules.samples_per_epoch)
    found = recognize(windows, person.follows, model, epoch_rules)
    decided = decide_by_second(found.probabilities)
    minutes = float((decided.seconds["activity"] == ActivityCode.WALKING).sum()) / 60
    return Predicted(decided.epochs["activity"], decided.epochs["stairs"], minutes, found.tilt.unusual)


def evaluate_rotated(
    people: Sequence[LabeledPerson], models: Sequence[EpochModel], epoch_rules: Epochs
) -> tuple[RotatedSensorAgreement, ...]:
    """Accuracy and flags with each sensor rotated.

    Args:
        people: labeled people.
        models: for each person, a model fitted without that person.
        epoch_rules: length and sampling rate of the windows.
    """
    return tuple(_evaluate_rotation(people, models, epoch_rules, *each) for each in _rotations())


def _rotations() -> Iterator[tuple[str, str, NDArray[np.float32]]]:
    """The sensor, how it is worn, and the (6, 6) that the samples are multiplied with."""
    yield "both", Worn.AS_PRESCRIBED, np.eye(6, dtype=np.float32)
    for sensor in SENSOR_AXES:
        for worn, signs in ROTATIONS.items():
            yield sensor, worn, _of_sensor(sensor, np.diag(signs).astype(np.float32))
        for name, axis, angles in (("tilted", LATERAL, TILTS[sensor]), ("rolled", LONG_AXIS, ROLLS[sensor])):
            for degrees in angles:
                matrix = rotation(axis[None], np.radians([float(degrees)]))[0]
                yield sensor, f"{name} {degrees:+d} degrees", _of_sensor(sensor, matrix)
        upside_down = np.diag(ROTATIONS[Worn.UPSIDE_DOWN]).astype(np.float32)
        for degrees in UPSIDE_DOWN_TILTS:
            matrix = rotation(LATERAL[None], np.radians([float(degrees)]))[0] @ upside_down
            yield sensor, f"upside down and tilted {degrees:+d} degrees", _of_sensor(sensor, matrix)


def _of_sensor(sensor: str, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    both = np.eye(6, dtype=np.float32)
    both[SENSOR_AXES[sensor], SENSOR_AXES[sensor]] = matrix
    return both


def _evaluate_rotation(
    people: Sequence[LabeledPerson],
    models: Sequence[EpochModel],
    epoch_rules: Epochs,
    sensor: str,
    worn: str,
    matrix: NDArray[np.float32],
) -> RotatedSensorAgreement:
    windows = flagged = 0
    right = []
    for person, model in zip(people, models, strict=True):
        predicted = predict(model, person, epoch_rules, matrix)
        right.append(int((predicted.activity == person.activity).sum()))
        windows += len(predicted.activity)
        found = orientation_of_signal(
            person.signal.acceleration @ matrix, person.starts, predicted.activity, epoch_rules.samples_per_epoch
        ).with_tilted(predicted.unusual)
        sensors = (found.back, found.thigh) if sensor == "both" else (getattr(found, sensor),)
        flagged += any(each not in (Worn.AS_PRESCRIBED, Worn.UNKNOWN) for each in sensors)
    return RotatedSensorAgreement(
        sensor=sensor, worn=str(worn), accuracy=sum(right) / windows, people=len(people), flagged=flagged
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


def dataset_summaries(people: Sequence[LabeledPerson], epoch_rules: Epochs) -> tuple[DatasetSummary, ...]:
    """The contribution of each dataset."""
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
