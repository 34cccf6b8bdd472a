"""Train the classifier of one thigh sensor for one sampling rate, and evaluate it as a recording is classified.

The people, the copies, the five groups and the networks are those of the pair's classifier (``training``); the back is
zero, and the thigh is as a device of that rate would have measured it. Sitting and lying are evaluated apart, as the
network has them, and together, as they are reported. Sets of one thigh sensor are used for evaluation alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from stegvis.accelerometry.datasets import describe
from stegvis.accelerometry.epoch_model import CLASSES, STAIRS, THIGH_COLUMNS, EpochModel
from stegvis.accelerometry.evaluation import Agreement, PersonAgreement, Result, agreement, person_agreement
from stegvis.accelerometry.labeled_people import LabeledPerson, TrainingError, labeled_person, transitions_of
from stegvis.accelerometry.method import Method
from stegvis.accelerometry.network import HIDDEN, fit_network
from stegvis.accelerometry.processes import single_thread_processes
from stegvis.accelerometry.recording import read_labeled
from stegvis.accelerometry.thigh_card import write_thigh_card
from stegvis.accelerometry.thigh_evaluation import (
    TURNS,
    OtherSet,
    Together,
    TurnedThigh,
    evaluate_set,
    evaluate_turned,
    predict_thigh,
    together,
)
from stegvis.accelerometry.thigh_model import THIGH_MODELS, model_file_for, thigh_model, thigh_model_bytes
from stegvis.accelerometry.thigh_sets import thigh_people, without_back
from stegvis.accelerometry.training import (
    FEWEST_PEOPLE,
    NETWORK_SEEDS,
    STAIRS_WEIGHT,
    DatasetSummary,
    dataset_summaries,
    folds_of,
    leave_folds_out,
    without_signal,
    write_atomically,
)
from stegvis.study.protocol import Protocol

# With few features, dropping some of them costs sitting and lying: accuracy of six activities in cross-validation,
# three times with other seeds, 93.3 to 93.4 % without, 92.7 to 93.1 with 2 %, 92.6 with the pair's 5 %.
THIGH_DROPOUT = 0.0


class ThighReport(Result):
    """The content of the card; people of public datasets alone are named."""

    model: str
    model_sha256: str
    numpy_version: str
    rate_hz: float
    networks: int
    hidden_units: int
    features: int
    window_seconds: int
    datasets: tuple[DatasetSummary, ...]
    apart: Agreement
    together: Together
    people: tuple[PersonAgreement, ...]
    folds: tuple[tuple[str, ...], ...]
    turned: tuple[TurnedThigh, ...]
    other_sets: tuple[OtherSet, ...]


def train_thigh(
    folders: Sequence[Path], out: Path, rate_hz: float, protocol: Protocol, progress: Callable[[str], None]
) -> ThighReport:
    """Train on every labeled pair in the folders, by the thigh alone; write the model and its card beside it.

    The same recordings give the same model, as with ``training.train``.

    Args:
        folders: as of ``training.train``; sets of one thigh sensor are evaluated, if this model is the one for their
            sampling rate.
        out: the model file to write; the card is ``<its name>_card.md`` and ``.json``.
        rate_hz: samples per second of the recordings that the model is for, a key of ``THIGH_MODELS``.
        protocol: the length of epochs, and the settings of walking speed.
        progress: called with one line at a time; lines contain names of datasets and files, never their content.

    Raises:
        RecordingError: a file is not a labeled recording.
        TrainingError: too few people, a person occurs twice, or there is no model for this rate.
        DatasetError: a ``dataset.toml`` is invalid.
    """
    if rate_hz not in THIGH_MODELS:
        rates = " or ".join(f"{rate:g}" for rate in THIGH_MODELS)
        raise TrainingError(f"a model of the thigh is trained for {rates} samples per second, not {rate_hz:g}")
    sets = [folder for folder in folders if describe(folder).layout == "thigh_paces"]
    with single_thread_processes() as pool:
        people = pool.submit(_read, [each for each in folders if each not in sets], rate_hz, protocol).result()
        if len(people) < FEWEST_PEOPLE:
            raise TrainingError(f"training needs labeled recordings of at least {FEWEST_PEOPLE} people")
        progress(f"fitting on all {len(people)} people, then without each of {len(folds_of(people))} groups")
        everyone = pool.submit(fit_thigh, [without_signal(each) for each in people])
        models = leave_folds_out(people, pool, progress, fit_thigh)
        model = everyone.result()
    progress("evaluating")
    content = thigh_model_bytes(model)
    report = _report(people, models, out.name, content, rate_hz, protocol).model_copy(
        update={"other_sets": tuple(_other_sets(sets, model, rate_hz, protocol))}
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, content)
    write_thigh_card(report, out)
    progress(f"wrote {out.name}, {len(content) / 1e6:.1f} MB")
    return report


def fit_thigh(people: Sequence[LabeledPerson]) -> EpochModel:
    """Networks on the thigh's columns of the people's copies, and the transitions between classes."""
    X = np.concatenate([each.copies[0] for each in people])
    y = np.concatenate([each.copies[1] for each in people])
    weight = np.where(y == STAIRS, STAIRS_WEIGHT, 1.0).astype(np.float32)
    network = fit_network(X, y, weight, len(CLASSES), NETWORK_SEEDS, THIGH_DROPOUT)
    return thigh_model(network, *transitions_of(people))


def _read(folders: Sequence[Path], rate_hz: float, protocol: Protocol) -> list[LabeledPerson]:
    every = round(protocol.epochs.sampling_rate_hz / rate_hz)
    people: dict[str, LabeledPerson] = {}
    for folder in folders:
        dataset, found = describe(folder), 0
        for file in sorted(file for file in folder.rglob("*") if file.suffix in {".parquet", ".csv"}):
            if file.stem in people:
                raise TrainingError(f"{file.name} occurs twice; each person needs exactly one recording")
            recording = without_back(read_labeled(file, protocol.epochs), every, protocol.epochs)
            people[file.stem] = _of_thigh(labeled_person(file.stem, recording, dataset, protocol.epochs))
            found += 1
        if found < (1 if dataset.public else protocol.disclosure.smallest_count):
            raise TrainingError(f"{folder.name} has too few recordings: the card would describe individuals")
    return [people[name] for name in sorted(people) if len(people[name].activity)]


def _of_thigh(person: LabeledPerson) -> LabeledPerson:
    X, classes = person.copies
    return replace(person, copies=(np.ascontiguousarray(X[:, THIGH_COLUMNS]), classes))


def _report(
    people: Sequence[LabeledPerson],
    models: Sequence[EpochModel],
    name: str,
    content: bytes,
    rate_hz: float,
    protocol: Protocol,
) -> ThighReport:
    """The card without the other sets; ``models`` has for each person the one fitted without their group."""
    method, seconds = Method.of(protocol), protocol.epochs.seconds
    found = [predict_thigh(model, each.signal, each.starts, method) for model, each in zip(models, people, strict=True)]
    single = [
        person_agreement(
            person.person,
            person.dataset.name,
            person.activity,
            each.own,
            person.labeled_walking_minutes,
            each.walking_minutes,
        )
        for person, each in zip(people, found, strict=True)
    ]
    public = {each.person for each in people if each.dataset.public}
    return ThighReport(
        model=name,
        model_sha256=hashlib.sha256(content).hexdigest(),
        numpy_version=np.__version__,
        rate_hz=rate_hz,
        networks=len(NETWORK_SEEDS),
        hidden_units=HIDDEN,
        features=len(THIGH_COLUMNS),
        window_seconds=seconds,
        datasets=dataset_summaries(people, protocol.epochs),
        apart=agreement(
            single, np.concatenate([each.activity for each in people]), np.concatenate([each.own for each in found])
        ),
        together=together([each.activity for each in people], found, single),
        people=tuple(each for each in single if each.person in public),
        folds=tuple(tuple(each.person for each in fold if each.person in public) for fold in folds_of(people)),
        turned=tuple(evaluate_turned(people, models, name, method) for name in TURNS),
        other_sets=(),
    )


def _other_sets(folders: Sequence[Path], model: EpochModel, rate_hz: float, protocol: Protocol) -> list[OtherSet]:
    """Evaluation on the sets for whose sampling rate this model is."""
    found = []
    for folder in folders:
        rates, people = zip(*thigh_people(folder, protocol.epochs), strict=True)
        if model_file_for(rates[0]) == THIGH_MODELS[rate_hz]:
            found.append(evaluate_set(folder, people, model, protocol))
    return found
