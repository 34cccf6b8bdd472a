"""Files of epochs with whatever a delivery may hold, and what plain Python makes of them."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ORDERS = ("as recorded", "by time", "blocks", "shuffled")
UNITS = ("ms", "us", "ns")
PEOPLE = {"P1": "P1", " P1": "P1", "P2": "P2", "02": "02", "Å": "Å", "": None, None: None, "1e5": None}
ACTIVITIES = {"lying": "lying", "8": "lying", " 8.0": "lying", "walking": "walking", "1": "walking", "4": "walking",
              "13": "cycling", "nonwear": "nonwear", "dancing": None, "": None, None: None}  # fmt: skip
SPEEDS = {"slow": "slow", " slow": "slow", "brisk": "brisk", "": "", None: "", "swift": None}
# The evenings before both changes of the clock in 2018, and the first and the last midnight within the bounds.
STARTS = (
    "2018-03-24 23:59:30",
    "2018-10-27 23:59:40",
    "2018-10-28 01:59:50",
    "2000-01-01 00:00:00",
    "2099-12-31 23:58:50",
)
STEP = dt.timedelta(seconds=5)


@dataclass(frozen=True)
class Row:
    """A row as delivered."""

    person: str | None
    epoch_start: dt.datetime | None
    activity: str | None
    speed: str | None


@dataclass(frozen=True)
class Expected:
    """What a file holds: epochs by person and time (activity and speed in words), the rule broken by each row."""

    epochs: list[tuple[str, dt.datetime, str, str | None]]
    rules: dict[int, str]


def odd_rows(rng: random.Random, faults: float, order: str) -> list[Row]:
    """Rows of some people with pauses, epochs between full ones and repeated ones, in an order."""
    rows: list[Row] = []
    for person in rng.sample([" P1", "P1", "P2", "02", "Å"], rng.randint(1, 4)):
        clock = dt.datetime.fromisoformat(rng.choice(STARTS)) + dt.timedelta(milliseconds=rng.choice([0, 0, 250, 4999]))
        for _ in range(rng.randint(1, 8)):
            activity, speed = rng.choice(["lying", "8", "walking", "1", "13"]), rng.choice(["slow", " slow", "", None])
            for _ in range(rng.choice([1, 2, 8, 20])):
                rows.append(Row(person, clock, activity, speed))
                clock += STEP
            if rng.random() < 0.3:
                clock += rng.choice([1, 3, 17_280, -2, -0.2]) * STEP
    rows = [_spoiled(rng, row) if rng.random() < faults else row for row in rows]
    rows += rng.sample(rows, rng.choice([0, 0, 1, len(rows) // 3]))
    if order == "by time":
        rows.sort(key=lambda row: row.epoch_start or dt.datetime(2018, 3, 25))
    elif order == "shuffled":
        rng.shuffle(rows)
    elif order == "blocks":
        size = rng.randint(1, 30)
        blocks = [rows[place : place + size] for place in range(0, len(rows), size)]
        rng.shuffle(blocks)
        rows = [row for block in blocks for row in block]
    return rows


def _spoiled(rng: random.Random, row: Row) -> Row:
    times = (row.epoch_start, None, dt.datetime(1999, 12, 31, 23, 59, 58), dt.datetime(2100, 1, 1))
    return Row(
        rng.choice([row.person, *PEOPLE]),
        rng.choice(times),
        rng.choice([row.activity, *ACTIVITIES]),
        rng.choice([row.speed, *SPEEDS]),
    )


def write(rows: list[Row], file: Path, unit: str, row_group: int, as_dictionary: bool) -> None:
    """Deliver rows with timestamps of this unit, in row groups of this size, text as values or in a dictionary."""
    text = pa.dictionary(pa.int8(), pa.string()) if as_dictionary else pa.string()
    table = pa.table(
        {
            "person": pa.array([row.person for row in rows], pa.string()).cast(text),
            "epoch_start": pa.array([row.epoch_start for row in rows], pa.timestamp(unit)),
            "activity": pa.array([row.activity for row in rows], pa.string()).cast(text),
            "speed": pa.array([row.speed for row in rows], pa.string()).cast(text),
        }
    )
    pq.write_table(table, file, row_group_size=row_group)


def expected(rows: list[Row]) -> Expected:
    """What plain Python makes of them."""
    epochs: list[tuple[str, dt.datetime, str, str | None]] = []
    rules: dict[int, str] = {}
    seen: set[tuple[str, dt.datetime]] = set()
    for number, row in enumerate(rows, start=2):
        person, activity, speed = PEOPLE[row.person], ACTIVITIES[row.activity], SPEEDS[row.speed]
        if person is None:
            rules[number] = "wrong_type" if row.person else "blank"
        elif row.epoch_start is None:
            rules[number] = "blank"
        elif not 2000 <= row.epoch_start.year < 2100:
            rules[number] = "out_of_range"
        elif activity is None:
            rules[number] = "unknown_code" if row.activity else "blank"
        elif speed is None:
            rules[number] = "unknown_code"
        elif (person, row.epoch_start) in seen:
            rules[number] = "duplicate"
        else:
            seen.add((person, row.epoch_start))
            epochs.append((person, row.epoch_start, activity, speed or None if activity == "walking" else None))
    return Expected(sorted(epochs), rules)
