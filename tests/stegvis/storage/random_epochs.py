"""Random epochs, in the order of person and time, that hold whatever an epoch can hold."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from stegvis.storage.bouts import EPOCHS

# The evenings before and of both changes of the clock in 2018, a leap day, and before 1970. A device's clock goes on.
STARTS = (
    "2018-03-24 23:59:30",
    "2018-10-28 00:00:00",
    "2018-10-28 01:59:50",
    "2020-02-29 23:59:58",
    "1969-12-31 23:59:50",
)
LENGTHS = (1, 5, 15, 60)


@dataclass(frozen=True)
class Epoch:
    """One epoch, as plain Python has it."""

    person: str
    epoch_start: dt.datetime
    activity: int
    speed: int
    confidence: int
    wear_back: bool | None
    wear_thigh: bool | None
    cadence: int
    centimeters_per_second: int


def random_epochs(seed: int) -> tuple[list[Epoch], int]:
    """Epochs, with gaps, repeated ones, days without any activity and starts between full seconds; their length."""
    rng = random.Random(seed)
    seconds = rng.choice(LENGTHS)
    epochs: list[Epoch] = []
    for number in range(rng.randint(0, 4)):
        wears = rng.choice([(None,), (True, False), (True, False, None)])
        backs = rng.choice([wears, wears, (None,)])
        clock = dt.datetime.fromisoformat(rng.choice(STARTS)) + dt.timedelta(milliseconds=rng.choice([0, 0, 250, 4999]))
        mine: list[Epoch] = []
        for _ in range(rng.randint(1, 25)):
            activity = rng.choice([0, 0, 1, 2, 3, 4, 4, 5, 6, 200])
            speed = rng.choice([0, 1, 2, 3]) if activity == 4 else 0
            wear = rng.choice(backs), rng.choice(wears)
            steady = rng.random() < 0.5
            for _ in range(rng.choice([1, 1, 2, 8, 30])):
                values = (153, 104, 121) if steady else (rng.randint(0, 255), rng.randint(0, 2), rng.randint(0, 255))
                mine.append(Epoch(f"P{number}", clock, activity, speed, values[0], *wear, *values[1:]))
                clock += dt.timedelta(seconds=seconds)
            chance = rng.random()
            if chance < 0.1:
                clock += dt.timedelta(seconds=rng.choice([seconds, 3, 3600, 86_400, 7 * 86_400]))
            elif chance < 0.15:
                clock -= dt.timedelta(seconds=rng.choice([seconds, 2 * seconds]))
        epochs += sorted(mine, key=lambda epoch: epoch.epoch_start)
    return epochs, seconds


def as_table(epochs: list[Epoch]) -> pa.Table:
    """Epochs in the columns of the lake."""
    return pa.Table.from_pylist([vars(epoch) for epoch in epochs], schema=EPOCHS)


def as_frame(epochs: list[Epoch]) -> pd.DataFrame:
    """The same as a frame."""
    return as_table(epochs).to_pandas()
