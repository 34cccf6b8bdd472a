"""How well estimated speed tells slow, moderate and fast walking apart when people chose the pace themselves.

A set of this layout holds one thigh sensor: ``timestamp``, ``thigh_x`` to ``thigh_z`` (g, or integer counts of 1/4096
g) and ``label`` with ``walk_slow``, ``walk_mod`` and ``walk_fast`` (Sani et al. 2017, selfBACK). Nobody measured a
speed: the labels can show whether the estimate rises with pace within a person, and how far one cut for all people can
go; they cannot show whether it is right in km/h.

Belongs here: reading such a set and judging pace on it. Does not belong here: measured speeds (``evaluation``).
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stegvis.accelerometry.evaluation import Result
from stegvis.accelerometry.recording import COUNTS_PER_G, RecordingError
from stegvis.accelerometry.walking_speed import gait_autocorrelation, movement, pace, speed_class
from stegvis.study.protocol import protocol

AXES = ("thigh_x", "thigh_y", "thigh_z")
PACES = ("walk_slow", "walk_mod", "walk_fast")
# Shorter stretches of one pace are left out, seconds.
SHORTEST_STRETCH = 10.0


class PaceAgreement(Result):
    """Totals over people; nothing of a single person.

    Attributes:
        people, epochs: how many.
        ordered: people whose mean speed rises from slow over moderate to fast.
        mean_km_per_hour, mean_cadence: at slow, moderate and fast pace, means of people.
        accuracy, met_error: with two cuts learned from all other people: share of right epochs, and mean absolute error
            of a person's mean METs.
        confusion: the same, epochs by labeled pace (rows) and found pace, slow to fast.
        protocol_accuracy: with the protocol's cuts in km/h, which people's own idea of slow and fast need not follow.
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


def evaluate_pace(folder: Path) -> PaceAgreement:
    """Judge the speed estimate on every recording of a folder.

    Raises:
        RecordingError: a file is not of this layout, or nobody walks at all three paces.
    """
    files = sorted(folder.glob("*.parquet"))
    people = [each for each in (_epochs(file) for file in files) if set(each["pace"]) == set(range(len(PACES)))]
    if len(people) < protocol().disclosure.smallest_count:
        raise RecordingError(f"{folder.name}: too few people walk at all three paces")
    person = np.repeat(np.arange(len(people)), [len(each) for each in people])
    table = pd.concat(people, ignore_index=True)
    labeled, speed = table["pace"].to_numpy(), table["speed"].to_numpy()
    found = leave_one_out(person, labeled, np.log(speed))

    means = np.array([each.groupby("pace")["speed"].mean() for each in people])
    cadences = np.array([each.groupby("pace")["cadence"].mean() for each in people])
    exposures = protocol().exposures
    met = np.array([exposures.met_slow, exposures.met_moderate, exposures.met_brisk])
    errors = [abs(met[found[person == p]].mean() - met[labeled[person == p]].mean()) for p in range(len(people))]
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
        protocol_accuracy=float((speed_class(speed).astype(int) - 1 == labeled).mean()),
    )


def leave_one_out(
    person: NDArray[np.int64], labeled: NDArray[np.int64], score: NDArray[np.floating]
) -> NDArray[np.int64]:
    """Each epoch's pace by two cuts learned from the other people.

    A cut lies between the means of two paces, nearer to the one that spreads less.

    Args:
        person: (k,) number of the person.
        labeled: (k,) pace, 0 to 2.
        score: (k,) what is cut.
    """
    found = np.empty(len(labeled), dtype=np.int64)
    for each in np.unique(person):
        others = person != each
        groups = [score[others & (labeled == pace)] for pace in range(len(PACES))]
        mean, spread = [np.mean(g) for g in groups], [np.std(g) for g in groups]
        cuts = [(mean[i] * spread[i + 1] + mean[i + 1] * spread[i]) / (spread[i] + spread[i + 1]) for i in (0, 1)]
        found[~others] = np.digitize(score[~others], cuts)
    return found


def _epochs(file: Path) -> pd.DataFrame:
    """Pace, speed and cadence of one person's walking epochs; each labeled stretch is cut into epochs by itself."""
    try:
        table = pd.read_parquet(file, columns=["timestamp", *AXES, "label"]).dropna()
    except (OSError, ValueError) as error:
        raise RecordingError(f"{file.name}: not a thigh recording with paces ({type(error).__name__})") from None
    seconds = (table["timestamp"] - table["timestamp"].iloc[0]).dt.total_seconds().to_numpy()
    counts = all(pd.api.types.is_integer_dtype(table[axis].dtype) for axis in AXES)
    thigh = np.asarray(table[list(AXES)], dtype=np.float32) / (COUNTS_PER_G if counts else np.float32(1))
    label = table["label"].astype(str).to_numpy()
    new = (label[1:] != label[:-1]) | (np.diff(seconds) > protocol().epochs.largest_gap_seconds)
    borders = np.concatenate([[0], np.flatnonzero(new) + 1, [len(label)]])
    parts = [
        _stretch(seconds[a:b], thigh[a:b]).assign(pace=PACES.index(label[a]))
        for a, b in pairwise(borders)
        if label[a] in PACES and seconds[b - 1] - seconds[a] >= SHORTEST_STRETCH
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["pace", "speed", "cadence"])


def _stretch(seconds: NDArray[np.float64], thigh: NDArray[np.float32]) -> pd.DataFrame:
    epochs = protocol().epochs
    clock = np.arange(seconds[0], seconds[-1], 1 / epochs.sampling_rate_hz)
    windows = len(clock) // epochs.samples_per_epoch
    # Without a back sensor its half of the signal stays at rest.
    samples = np.zeros((windows * epochs.samples_per_epoch, 6), dtype=np.float32)
    for axis in range(3):
        samples[:, 3 + axis] = np.interp(clock[: len(samples)], seconds, thigh[:, axis])
    cut = samples.reshape(windows, epochs.samples_per_epoch, 6)
    found = pace(gait_autocorrelation(cut), movement(cut), np.zeros(windows, dtype=np.int64))
    return pd.DataFrame({"speed": found.speed, "cadence": found.cadence})
