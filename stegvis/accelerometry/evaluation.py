"""Agreement of predicted with labeled epochs.

The most important measure for the study is the bias in walking minutes per person, not the share of correct epochs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from stegvis.accelerometry.activity import CLASSIFIED
from stegvis.accelerometry.walking_speed import speed_class
from stegvis.study.protocol import Exposures, Protocol

Codes = NDArray[np.uint8]

# With less labeled walking than this, a person's relative bias is not reported.
FEWEST_WALKING_MINUTES = 5.0


class Result(BaseModel):
    """A part of an evaluation: immutable, serialized to JSON."""

    model_config = ConfigDict(frozen=True)


class ClassAgreement(Result):
    """Agreement for one activity; ``None`` where the denominator is zero."""

    activity: str
    windows: int
    precision: float | None
    recall: float | None
    f1: float | None


class PersonAgreement(Result):
    """Agreement for one person. Walking minutes are labeled by sample and predicted by second."""

    person: str
    dataset: str
    windows: int
    accuracy: float
    labeled_walking_minutes: float
    predicted_walking_minutes: float

    @property
    def bias_percent(self) -> float | None:
        """Bias of the predicted walking minutes; ``None`` with too little labeled walking."""
        if self.labeled_walking_minutes < FEWEST_WALKING_MINUTES:
            return None
        return 100 * (self.predicted_walking_minutes / self.labeled_walking_minutes - 1)


class Agreement(Result):
    """Agreement over several people. ``confusion[i][j]`` is the number of windows labeled i and predicted j."""

    people: int
    windows: int
    accuracy: float
    macro_f1: float
    classes: tuple[ClassAgreement, ...]
    confusion: tuple[tuple[int, ...], ...]
    labeled_walking_minutes: float
    predicted_walking_minutes: float
    walking_bias_percent: float | None
    mean_absolute_person_bias_percent: float | None
    largest_absolute_person_bias_percent: float | None
    macro_f1_with_stairs: float | None = None


class RotatedSensorAgreement(Result):
    """Accuracy for the same people with one sensor rotated, and how many recordings ``orientation`` flags.

    ``worn`` is the rotation; ``flagged`` is the number of recordings that ``orientation`` reports as neither prescribed
    nor unknown. For the unrotated sensor these are false alarms.
    """

    sensor: str
    worn: str
    accuracy: float
    people: int
    flagged: int


class SpeedAgreement(Result):
    """Estimated compared with measured speed of epochs labeled walking; ``confusion`` by class, slow to brisk."""

    people: int
    windows: int
    mean_error_km_per_hour: float
    mean_absolute_error_km_per_hour: float
    accuracy: float
    confusion: tuple[tuple[int, ...], ...]
    mean_absolute_person_met_error: float


def person_agreement(
    person: str,
    dataset: str,
    labeled: Codes,
    predicted: Codes,
    labeled_walking_minutes: float,
    predicted_walking_minutes: float,
) -> PersonAgreement:
    """One person's agreement.

    Args:
        person: identifier, for the model card.
        dataset: the person's dataset.
        labeled: (k,) majority code of each window.
        predicted: (k,) predicted code of each window.
        labeled_walking_minutes: walking in these windows, from the labels of the samples; the majority labels would
            overestimate it.
        predicted_walking_minutes: walking found in them, counted second by second.
    """
    return PersonAgreement(
        person=person,
        dataset=dataset,
        windows=len(labeled),
        accuracy=float((labeled == predicted).mean()),
        labeled_walking_minutes=labeled_walking_minutes,
        predicted_walking_minutes=predicted_walking_minutes,
    )


def agreement(
    people: Sequence[PersonAgreement], labeled: Codes, predicted: Codes, macro_f1_with_stairs: float | None = None
) -> Agreement:
    """Agreement of all windows of the people whose individual results are in ``people``."""
    confusion = np.array([[np.sum((labeled == i) & (predicted == j)) for j in CLASSIFIED] for i in CLASSIFIED])
    classes = tuple(_class_agreement(confusion, i) for i in range(len(CLASSIFIED)))
    f1 = [each.f1 for each in classes if each.f1 is not None and each.windows > 0]
    biases = [person.bias_percent for person in people if person.bias_percent is not None]
    labeled_minutes = sum(person.labeled_walking_minutes for person in people)
    predicted_minutes = sum(person.predicted_walking_minutes for person in people)
    return Agreement(
        people=len(people),
        windows=len(labeled),
        accuracy=float((labeled == predicted).mean()),
        macro_f1=float(np.mean(f1)),
        classes=classes,
        confusion=tuple(tuple(int(n) for n in row) for row in confusion),
        labeled_walking_minutes=labeled_minutes,
        predicted_walking_minutes=predicted_minutes,
        walking_bias_percent=100 * (predicted_minutes / labeled_minutes - 1) if labeled_minutes else None,
        mean_absolute_person_bias_percent=float(np.mean(np.abs(biases))) if biases else None,
        largest_absolute_person_bias_percent=float(np.max(np.abs(biases))) if biases else None,
        macro_f1_with_stairs=macro_f1_with_stairs,
    )


def _class_agreement(confusion: NDArray[np.int64], row: int) -> ClassAgreement:
    right, labeled, predicted = confusion[row, row], confusion[row].sum(), confusion[:, row].sum()
    return ClassAgreement(
        activity=CLASSIFIED[row].name.lower(),
        windows=int(labeled),
        precision=float(right / predicted) if predicted else None,
        recall=float(right / labeled) if labeled else None,
        f1=float(2 * right / (labeled + predicted)) if labeled + predicted else None,
    )


def outlying_people(people: Sequence[PersonAgreement]) -> tuple[str, ...]:
    """People whose accuracy is below the outer fence, Q1 - 3 (Q3 - Q1) (Tukey 1977, Exploratory Data Analysis).

    Their recordings were probably worn incorrectly or mislabeled; results are reported with and without them.
    """
    accuracy = np.array([person.accuracy for person in people])
    lower, upper = np.quantile(accuracy, [0.25, 0.75])
    fence = lower - 3 * (upper - lower)
    return tuple(person.person for person, value in zip(people, accuracy, strict=True) if value < fence)


def macro_f1(labeled: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """Mean F1 of the classes that occur among the labels; any integer codes."""
    scores = []
    for code in np.unique(labeled):
        right = np.sum((labeled == code) & (predicted == code))
        scores.append(2 * right / (np.sum(labeled == code) + np.sum(predicted == code)))
    return float(np.mean(scores))


def walking_mets(exposures: Exposures) -> NDArray[np.float64]:
    """(3,) METs of slow, moderate and brisk walking."""
    return np.array(exposures.needed_mets())


def person_met_errors(
    person: NDArray[np.int64], true: NDArray[np.int64], found: NDArray[np.int64], exposures: Exposures
) -> list[float]:
    """Absolute error of each person's mean METs.

    Args:
        person: (k,) number of the person of each walking epoch.
        true: (k,) true class of speed, 0 slow to 2 brisk.
        found: (k,) estimated class.
        exposures: the METs of the classes.
    """
    met = walking_mets(exposures)
    return [abs(met[found[person == p]].mean() - met[true[person == p]].mean()) for p in np.unique(person)]


def speed_agreement(
    person: NDArray[np.int64], measured: NDArray[np.float32], estimated: NDArray[np.float32], protocol: Protocol
) -> SpeedAgreement:
    """Agreement of walking speeds.

    Args:
        person: (k,) number of the person of each walking epoch.
        measured: (k,) km/h.
        estimated: (k,) km/h.
        protocol: for the classes of speed and their METs.
    """
    true, found = (speed_class(each, protocol.epochs).astype(np.int64) - 1 for each in (measured, estimated))
    errors = person_met_errors(person, true, found, protocol.exposures)
    return SpeedAgreement(
        people=len(errors),
        windows=len(measured),
        mean_error_km_per_hour=float(np.mean(estimated - measured)),
        mean_absolute_error_km_per_hour=float(np.mean(np.abs(estimated - measured))),
        accuracy=float((true == found).mean()),
        confusion=tuple(tuple(int(np.sum((true == i) & (found == j))) for j in range(3)) for i in range(3)),
        mean_absolute_person_met_error=float(np.mean(errors)),
    )
