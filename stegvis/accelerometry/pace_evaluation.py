"""Evaluate how well estimated speed distinguishes self-chosen slow, moderate and fast walking.

A dataset of this kind has one thigh sensor and labels of pace (``pace_sets``). Speed was not measured: the labels can
show whether the estimate increases with pace within a person, and how well common cut points work; they cannot show
whether the estimate is correct in km/h.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stegvis.accelerometry.evaluation import Result, person_met_errors
from stegvis.accelerometry.pace_sets import PaceRecording, read_pace_people
from stegvis.accelerometry.recording import RecordingError
from stegvis.accelerometry.walking_speed import gait_autocorrelation, movement, pace, speed_class
from stegvis.study.protocol import Epochs, Protocol, WalkingSpeed

PACES = ("slow", "moderate", "fast")
# Plain cadence is cut at these steps/min, those of ActiMotus (github.com/acti-motus/acti-motus), set on other people.
CADENCE_CUTS = (100.0, 115.0)
# Resamples of people for an interval (percentile bootstrap; Efron 1979, doi 10.1214/aos/1176344552), and their seed.
RESAMPLES, RESAMPLING_SEED = 2000, 1
# Shorter stretches of one pace are skipped, seconds.
SHORTEST_STRETCH = 10.0


class Share(Result):
    """A share of epochs, with a 95 % interval over people."""

    share: float
    low: float
    high: float


class PaceAgreement(Result):
    """Results over all people; nothing about a single person.

    Attributes:
        people, epochs: their numbers.
        ordered: number of people whose mean speed increases from slow to moderate to fast.
        mean_km_per_hour, mean_cadence: at slow, moderate and fast pace, averaged over people.
        accuracy, met_error: with two cut points learned from all other people: share of correct epochs, and mean
            absolute error of a person's mean METs.
        confusion: likewise, epochs by labeled pace (rows) and estimated pace, slow to fast.
        protocol_accuracy: share of correct epochs with the protocol's cut points in km/h, which need not match people's
            own idea of slow and fast.
        shares: the share of correct epochs by what is cut and how: ``speed, learned``, ``speed, protocol``,
            ``cadence, learned`` and ``cadence, fixed`` (``CADENCE_CUTS``).
        cadence_ordered: number of people whose mean cadence increases from slow to moderate to fast.
    """

    people: int
    epochs: int
    ordered: int
    mean_km_per_hour: tuple[float, float, float]
    mean_cadence: tuple[float, float, float]
    accuracy: float
    met_error: float
    confusion: tuple[tuple[int, ...], ...]
    protocol_accuracy: float
    shares: dict[str, Share]
    cadence_ordered: int


def evaluate_pace(folder: Path, protocol: Protocol) -> PaceAgreement:
    """Evaluate the speed estimate on every recording of a folder.

    Raises:
        RecordingError: a file does not have this layout, or too few people walk at all three paces.
    """
    every_pace = set(range(len(PACES)))
    recordings = [_epochs(person, protocol) for person in read_pace_people(folder)]
    people = [each for each in recordings if set(each["pace"]) == every_pace]
    if len(people) < protocol.disclosure.smallest_count:
        raise RecordingError(f"{folder.name}: too few people walk at all three paces")
    person = np.repeat(np.arange(len(people)), [len(each) for each in people])
    table = pd.concat(people, ignore_index=True)
    labeled, speed = table["pace"].to_numpy(), table["speed"].to_numpy()
    found = leave_one_out(person, labeled, np.log(speed))
    by_protocol = speed_class(speed, protocol.epochs).astype(int) - 1
    # Where no rhythm was found there is no pace either, and the epoch counts as wrong.
    steps = table["cadence"].to_numpy()
    rhythmic = np.isfinite(steps)
    learned = np.full(len(table), -1)
    learned[rhythmic] = leave_one_out(person[rhythmic], labeled[rhythmic], np.log(steps[rhythmic]))
    fixed = np.where(rhythmic, np.digitize(np.nan_to_num(steps), CADENCE_CUTS), -1)
    by = {"speed, learned": found, "speed, protocol": by_protocol, "cadence, learned": learned, "cadence, fixed": fixed}

    means = np.array([each.groupby("pace")["speed"].mean() for each in people])
    cadences = np.array([each.groupby("pace")["cadence"].mean() for each in people])
    errors = person_met_errors(person, labeled, found, protocol.exposures)
    slow, moderate, fast = means.mean(axis=0)
    return PaceAgreement(
        people=len(people),
        epochs=len(table),
        ordered=int((np.diff(means, axis=1) > 0).all(axis=1).sum()),
        mean_km_per_hour=(float(slow), float(moderate), float(fast)),
        mean_cadence=tuple(float(each) for each in cadences.mean(axis=0)),  # type: ignore[arg-type]
        accuracy=float((found == labeled).mean()),
        met_error=float(np.mean(errors)),
        confusion=tuple(tuple(int(np.sum((labeled == i) & (found == j))) for j in range(3)) for i in range(3)),
        protocol_accuracy=float((by_protocol == labeled).mean()),
        shares={name: _share(person, each == labeled) for name, each in by.items()},
        cadence_ordered=int((np.diff(cadences, axis=1) > 0).all(axis=1).sum()),
    )


def _share(person: NDArray[np.int64], right: NDArray[np.bool_]) -> Share:
    """The share of epochs that are right, with an interval from resampling people."""
    epochs = np.bincount(person)
    correct = np.bincount(person, weights=right)
    drawn = np.random.default_rng(RESAMPLING_SEED).integers(len(epochs), size=(RESAMPLES, len(epochs)))
    low, high = np.quantile(correct[drawn].sum(axis=1) / epochs[drawn].sum(axis=1), [0.025, 0.975])
    return Share(share=float(correct.sum() / epochs.sum()), low=float(low), high=float(high))


def leave_one_out(
    person: NDArray[np.int64], labeled: NDArray[np.int64], score: NDArray[np.floating]
) -> NDArray[np.int64]:
    """Each epoch's pace by two cut points learned from the other people.

    A cut point lies between the means of two paces, closer to the one with the smaller SD.

    Args:
        person: (k,) number of the person.
        labeled: (k,) pace, 0 to 2.
        score: (k,) the variable that is cut.
    """
    found = np.empty(len(labeled), dtype=np.int64)
    for each in np.unique(person):
        others = person != each
        groups = [score[others & (labeled == pace)] for pace in range(len(PACES))]
        mean, spread = [np.mean(g) for g in groups], [np.std(g) for g in groups]
        cuts = [(mean[i] * spread[i + 1] + mean[i + 1] * spread[i]) / (spread[i] + spread[i + 1]) for i in (0, 1)]
        found[~others] = np.digitize(score[~others], cuts)
    return found


def _epochs(recordings: Sequence[PaceRecording], protocol: Protocol) -> pd.DataFrame:
    """Pace, speed and cadence of one person's walking epochs; each labeled stretch is cut into epochs separately."""
    parts = [pd.DataFrame(columns=["pace", "speed", "cadence"])]
    for each in recordings:
        new = np.diff(each.pace) != 0
        new |= np.diff(each.seconds) > protocol.epochs.largest_gap_seconds
        for a, b in pairwise([0, *(np.flatnonzero(new) + 1).tolist(), len(each.pace)]):
            if each.pace[a] >= 0 and each.seconds[b - 1] - each.seconds[a] >= SHORTEST_STRETCH:
                found = _stretch(each.seconds[a:b], each.thigh[a:b], protocol.walking_speed, protocol.epochs)
                parts.append(found.assign(pace=each.pace[a]))
    return pd.concat(parts[1:] or parts, ignore_index=True)


def _stretch(
    seconds: NDArray[np.float64], thigh: NDArray[np.float32], rules: WalkingSpeed, epoch_rules: Epochs
) -> pd.DataFrame:
    rate, size = epoch_rules.sampling_rate_hz, epoch_rules.samples_per_epoch
    clock = np.arange(seconds[0], seconds[-1], 1 / rate)
    windows = len(clock) // size
    # There is no back sensor: its half of the signal is zero.
    samples = np.zeros((windows * size, 6), dtype=np.float32)
    for axis in range(3):
        samples[:, 3 + axis] = np.interp(clock[: len(samples)], seconds, thigh[:, axis])
    cut = samples.reshape(windows, size, 6)
    gait, moved = gait_autocorrelation(cut, rules, rate), movement(cut, rules, rate)
    found = pace(gait, moved, np.zeros(windows, dtype=np.int64), rules, rate)
    return pd.DataFrame({"speed": found.speed, "cadence": found.cadence})
