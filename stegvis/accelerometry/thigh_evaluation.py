"""Evaluate the classifier of one thigh sensor on labeled recordings, as a recording's file is classified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.activity import UNLABELED, ActivityCode
from stegvis.accelerometry.datasets import Dataset, describe
from stegvis.accelerometry.epoch_columns import decide
from stegvis.accelerometry.epoch_model import CLASSES, EpochModel
from stegvis.accelerometry.evaluation import Agreement, PersonAgreement, Result, agreement, person_agreement
from stegvis.accelerometry.labeled_people import LabeledPerson
from stegvis.accelerometry.method import Method
from stegvis.accelerometry.mixed_epochs import seconds_of
from stegvis.accelerometry.pace_evaluation import PaceAgreement, evaluate_pace
from stegvis.accelerometry.recording import LabeledRecording
from stegvis.accelerometry.signal import Signal
from stegvis.accelerometry.thigh_classification import RECLINING, classify_thigh_epochs
from stegvis.accelerometry.thigh_posture import Mounted, mounted, surely_lying, usual_roll
from stegvis.accelerometry.tilt import LATERAL, LONG_AXIS, SENSOR_AXES, rotation
from stegvis.accelerometry.windows import continues, majority_labels, signal_windows, window_starts
from stegvis.study.protocol import Protocol

# How the sensor is worn for the card: turned about the lateral axis of the thigh and its long axis, degrees.
TURNS: dict[str, tuple[NDArray[np.float64], float]] = {
    "as it is": (LATERAL, 0.0),
    "tilted -30 degrees": (LATERAL, -30.0),
    "tilted +30 degrees": (LATERAL, 30.0),
    "rolled 60 degrees": (LONG_AXIS, 60.0),
    "rolled 90 degrees": (LONG_AXIS, 90.0),
    "rolled -90 degrees": (LONG_AXIS, -90.0),
    "turned (180 degrees)": (LONG_AXIS, 180.0),
    "upside down": (np.array([0.0, 0.0, 1.0]), 180.0),
}


class Together(Result):
    """Agreement as it is reported: sitting and lying as one, lying apart only where it is certain.

    Attributes:
        people, windows: their numbers.
        accuracy: of five activities.
        walking_sensitivity, walking_predictive_value: of epochs of walking.
        walking_bias_percent, mean_absolute_person_bias_percent, largest_absolute_person_bias_percent: of walking
            minutes, of people with enough of it.
        lying, certain, right: epochs labeled lying; reported as lying; both.
    """

    people: int
    windows: int
    accuracy: float
    walking_sensitivity: float
    walking_predictive_value: float
    walking_bias_percent: float | None
    mean_absolute_person_bias_percent: float | None
    largest_absolute_person_bias_percent: float | None
    lying: int
    certain: int
    right: int


class TurnedThigh(Result):
    """Accuracy with sitting and lying together when the sensor is worn in another way, and where it seemed to be."""

    worn: str
    accuracy: float
    on_the_side: int
    people: int


class OtherSet(Result):
    """A set of one thigh sensor, of which nothing was used for fitting.

    Attributes:
        dataset: the set.
        apart: agreement of six activities as they are reported.
        together: agreement with sitting and lying as one.
        on_the_side: people whose sensor seems to have been on the side of the thigh.
        pace: how well self-chosen paces are distinguished.
    """

    dataset: Dataset
    apart: Agreement
    together: Together
    on_the_side: int
    pace: PaceAgreement


@dataclass(frozen=True)
class ThighPrediction:
    """Of a recording's epochs (k,): activity as the network has it, and as it is reported; minutes of walking by the
    second; and where the sensor was.
    """

    own: NDArray[np.uint8]
    stairs: NDArray[np.bool_]
    reported: NDArray[np.uint8]
    walking_minutes: float
    where: Mounted


def predict_thigh(
    model: EpochModel,
    signal: Signal,
    starts: NDArray[np.int64],
    method: Method,
    matrix: NDArray[np.float32] | None = None,
) -> ThighPrediction:
    """A recording's epochs, as ``thigh_classification.classify_thigh`` classifies those of a file.

    Args:
        model: the model.
        signal: with a back of zeros.
        starts: (k,) first sample of each epoch.
        method: the settings of the classification.
        matrix: (3, 3) by which the thigh's samples are multiplied first.
    """
    acceleration, size, seconds = signal.acceleration, method.epochs.samples_per_epoch, method.epochs.seconds
    if matrix is not None:
        acceleration = acceleration.copy()
        acceleration[:, SENSOR_AXES["thigh"]] = acceleration[:, SENSOR_AXES["thigh"]] @ matrix
    windows = signal_windows(acceleration, starts, size)
    parts = [(some[:, :, 3:].mean(axis=1), some[:, :, 3:].std(axis=1)) for some in windows(np.arange(len(starts)))]
    gravity, sd = (np.concatenate(each) for each in zip(*parts, strict=True))
    begin = signal.timestamps[starts].astype("datetime64[us]")
    clock = (begin - begin[0].astype("datetime64[D]")) / np.timedelta64(1, "s")
    usual = usual_roll(gravity, sd, clock, seconds)
    certain = surely_lying(gravity, sd, clock, seconds)
    follows = continues(signal.timestamps, starts, method.epochs)
    # Walking speed, which depends on the sampling rate, is not evaluated here.
    rate = method.epochs.sampling_rate_hz
    classified = classify_thigh_epochs(windows, follows, usual, certain, model, method, rate)
    found, mixed = classified.columns, classified.mixed
    own, _, stairs = decide(np.stack([found[f"probability_{name}"] for name in CLASSES], axis=1))
    walking = seconds_of(found["activity"], mixed, ActivityCode.WALKING, seconds)
    return ThighPrediction(own, stairs, found["activity"], float(walking.sum(dtype=np.int64)) / 60, mounted(usual))


def together(
    labeled: Sequence[NDArray[np.uint8]], found: Sequence[ThighPrediction], single: Sequence[PersonAgreement]
) -> Together:
    """Agreement as it is reported, by person: labels (k,), what was found, and individual results."""
    true, reported = np.concatenate(labeled), np.concatenate([each.reported for each in found])
    walked, walking = true == ActivityCode.WALKING, reported == ActivityCode.WALKING
    labeled_minutes, minutes = (
        sum(getattr(each, f"{which}_walking_minutes") for each in single) for which in ("labeled", "predicted")
    )
    bias = [abs(each.bias_percent) for each in single if each.bias_percent is not None]
    lying, certain = true == ActivityCode.LYING, reported == ActivityCode.LYING
    return Together(
        people=len(single),
        windows=len(true),
        accuracy=float((_merged(true) == _merged(reported)).mean()),
        walking_sensitivity=float((walked & walking).sum() / max(walked.sum(), 1)),
        walking_predictive_value=float((walked & walking).sum() / max(walking.sum(), 1)),
        walking_bias_percent=100 * (minutes / labeled_minutes - 1) if labeled_minutes else None,
        mean_absolute_person_bias_percent=float(np.mean(bias)) if bias else None,
        largest_absolute_person_bias_percent=max(bias, default=None),
        lying=int(lying.sum()),
        certain=int(certain.sum()),
        right=int((lying & certain).sum()),
    )


def _merged(activity: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.where(np.isin(activity, RECLINING), np.uint8(ActivityCode.SITTING), activity)


def evaluate_turned(
    people: Sequence[LabeledPerson], models: Sequence[EpochModel], name: str, method: Method
) -> TurnedThigh:
    """Agreement with the sensor worn as one of ``TURNS``; each person by a model fitted without them."""
    axis, degrees = TURNS[name]
    matrix = rotation(axis[None], np.radians([degrees]))[0]
    right = side = windows = 0
    for person, model in zip(people, models, strict=True):
        found = predict_thigh(model, person.signal, person.starts, method, matrix)
        right += int((_merged(found.reported) == _merged(person.activity)).sum())
        windows += len(person.activity)
        side += found.where == Mounted.SIDE
    return TurnedThigh(worn=name, accuracy=right / windows, on_the_side=side, people=len(people))


def evaluate_set(
    folder: Path, people: Sequence[Sequence[LabeledRecording]], model: EpochModel, protocol: Protocol
) -> OtherSet:
    """Evaluate a model on a set of one thigh sensor.

    Args:
        folder: of the set.
        people: the recordings of each person (``thigh_sets.thigh_people``).
        model: not fitted on any of them.
        protocol: the settings.
    """
    dataset = describe(folder)
    evaluated = [_person(str(number), each, dataset, model, protocol) for number, each in enumerate(people)]
    labeled, found, single = zip(*evaluated, strict=True)
    true, reported = np.concatenate(labeled), np.concatenate([each.reported for each in found])
    return OtherSet(
        dataset=dataset,
        # The individuals are evaluated, not reported.
        apart=agreement(single, true, reported),
        together=together(labeled, found, single),
        on_the_side=sum(each.where == Mounted.SIDE for each in found),
        pace=evaluate_pace(folder, protocol),
    )


def _person(
    name: str, recordings: Sequence[LabeledRecording], dataset: Dataset, model: EpochModel, protocol: Protocol
) -> tuple[NDArray[np.uint8], ThighPrediction, PersonAgreement]:
    method, rules = Method.of(protocol), protocol.epochs
    labeled, found, walking = [], [], 0
    for each in recordings:
        starts = window_starts(each.signal.timestamps, rules)
        labels = majority_labels(each.activity, starts, rules.samples_per_epoch)
        starts, labels = starts[labels != UNLABELED], labels[labels != UNLABELED]
        if len(starts):
            inside = each.activity[starts[:, None] + np.arange(rules.samples_per_epoch)]
            walking += int((inside == ActivityCode.WALKING).sum())
            labeled.append(labels)
            found.append(predict_thigh(model, each.signal, starts, method))
    true, reported = np.concatenate(labeled), np.concatenate([each.reported for each in found])
    minutes = walking / rules.sampling_rate_hz / 60
    agreed = person_agreement(name, dataset.name, true, reported, minutes, sum(each.walking_minutes for each in found))
    return true, replace(found[0], reported=reported), agreed
