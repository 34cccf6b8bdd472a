"""Delivering a file of epochs, for the tests of its contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from stegvis.accelerometry.activity import ACTIVITIES, SPEEDS
from stegvis.sql import sql_text
from stegvis.storage.delivered_epochs import EpochsContract
from stegvis.storage.delivered_files import DeliveryContract
from stegvis.storage.epochs_file import EpochsRead, read_epochs_file
from stegvis.storage.lake import EpochLake, read_epochs
from tests.study import CODEBOOK, PROTOCOL

CONTRACT = DeliveryContract(CODEBOOK, PROTOCOL, sql_text("delivered_epochs"))
ACTIVITY_OF = {code: name for name, code in ACTIVITIES.items()}
SPEED_OF = {code: name if code else None for name, code in SPEEDS.items()}


@dataclass(frozen=True)
class Read:
    """What came of a file.

    Attributes:
        accepted: person, epoch_start, activity, speed and confidence as the lake holds them, in the lake's order.
        rules: the broken rule by row of the file.
        problems: the list of problems.
        people: person, start, hours.
        rows: how many rows were read.
    """

    accepted: list[tuple]
    rules: dict[int, str]
    problems: pd.DataFrame
    people: list[tuple]
    rows: int


@contextmanager
def opened(file: Path, label: str = "epochs.parquet") -> Iterator[EpochsRead]:
    """The file as the refresh reads it."""
    rules = EpochsContract(CONTRACT.codebook["epochs"], CONTRACT.epochs_select, CONTRACT.protocol.epochs.seconds)
    found = read_epochs_file(file, label, rules, file.parent / "kept")
    try:
        yield found
    finally:
        found.bouts.close()


def deliver(folder: Path, frame: pd.DataFrame) -> Path:
    """An epochs file of these rows."""
    folder.mkdir(exist_ok=True, parents=True)
    file = folder / "it's epochs.parquet"
    frame.to_parquet(file)
    return file


def read(file: Path, people: list[str] | None = None) -> Read:
    """The file after its contract; only these people's epochs are taken into the lake, everybody's unless named."""
    lake = EpochLake(file.parent / "lake", "north")
    with opened(file, "north/epochs.parquet") as epochs:
        problems, found, rows = epochs.problems, epochs.people, epochs.rows
        shard = epochs.bouts.write_shard(lake, "shard", list(found["person"]) if people is None else people)
    stored = read_epochs(shard).to_pandas()
    accepted = [
        (row.person, str(row.epoch_start), ACTIVITY_OF[row.activity], SPEED_OF[row.speed], row.confidence)
        for row in stored.itertuples()
    ]
    return Read(
        accepted,
        dict(zip(problems["row"], problems["rule"], strict=True)),
        problems,
        [(row.person, str(row.start), row.hours) for row in found.itertuples()],
        rows,
    )
