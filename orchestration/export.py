"""Exporting a wave's participant-level tables, or a batch's epochs, for researchers who are allowed to have them.

Releases hold no participant's row and need no permission.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from stegvis.analyses.wave_data import walking_days
from stegvis.reproduction.tables import tables_across, tables_of_wave
from stegvis.sql import sql_text
from stegvis.storage.hash_chain import add_line
from stegvis.storage.home import Home
from stegvis.storage.lake import EpochLake, create_views, views_of
from stegvis.storage.lock import locked
from stegvis.storage.warehouse import Warehouse, table_exists
from stegvis.storage.wave_people import DAYS, ELIGIBLE, PEOPLE
from stegvis.study.codebook import read_codebook
from stegvis.study.covariates import composed
from stegvis.study.literals import literal
from stegvis.study.protocol import Protocol

REFUSAL = """these tables hold a row for each person, and are exported only with a permission to process them:
an ethics approval or data agreement that names the recipient. Name it with --permission, for example
  stegvis export --{kind} {name} -o FOLDER --permission "REC 2024/1234, ANALYST"
The permission, the time and the number of rows are written to the home's register of exports. Estimates need no
permission: take results.csv from a release."""
REGISTER = "exports.jsonl"
ALL_WAVES = "all"


class ExportError(ValueError):
    """Nothing was exported; the message says why."""


def export(home: Home, wave: str, out: Path, permission: str, protocol: Protocol) -> Mapping[str, int]:
    """Write a wave's analysis tables to a folder and enter it in the register of exports.

    Participants get new numbers, the same in every file, so that no identifier is exported.

    Args:
        home: the home that has the tables.
        wave: the follow-up wave, or ``all`` for the tables across waves.
        out: a folder that is created, or is empty.
        permission: the permission under which the rows are exported; not blank.
        protocol: the protocol that the tables are made by.

    Returns:
        Rows of each file.

    Raises:
        ExportError: no permission, no such wave, or the folder is not empty.
    """
    _allow("wave", wave, out, permission)
    frames = _numbered(_read(home, wave, protocol))
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, frame in frames.items():
        frame.to_csv(out / f"{name}.csv", index=False)
    rows = {name: len(frame) for name, frame in frames.items()}
    _register(home, {"wave": wave}, permission, rows, out)
    return rows


def export_epochs(home: Home, batch: str, out: Path, permission: str, protocol: Protocol) -> Mapping[str, int]:
    """Write a batch's epochs to ``epochs.parquet`` in a folder, a row for each, and enter it in the register.

    The lake stores bouts (``stegvis/storage/bouts.py``); the rows are the epochs they were made from, of the study's
    length, activity and speed in words, by person and time. Participants get new numbers, so that no identifier is
    exported.

    Args:
        home: the home that has the epochs.
        batch: the batch of recordings.
        out: a folder that is created, or is empty.
        permission: the permission under which the rows are exported; not blank.
        protocol: the protocol that the epochs are made by.

    Returns:
        Rows of the file.

    Raises:
        ExportError: no permission, no such batch, or the folder is not empty.
    """
    _allow("batch", batch, out, permission)
    with Warehouse(home).session("export") as connection:
        files = EpochLake(home.lake, batch).files()
        if not files:
            raise ExportError(f"there are no epochs of a batch {batch}")
        create_views(connection, files, protocol.epochs.seconds)
        people = [person for (person,) in connection.execute("select distinct person from bouts").fetchall()]
        numbers = pd.DataFrame({"person": _shuffled(people)}, dtype="str").assign(number=range(1, len(people) + 1))
        connection.register("numbers", numbers)
        # Sorted while they are bouts, which are far fewer; the rows keep the order.
        connection.execute(
            """
            create temp table numbered as
            select * replace (number as person)
            from bouts
            join numbers using (person)
            order by number, start
            """
        )
        views_of(connection, protocol.epochs.seconds, "select * exclude (number) from numbered")
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
        target = literal(str(out / "epochs.parquet"))
        # Those by the second are put together after the others.
        mixed = "exists (from numbered where epoch_seconds < ?)"
        (unordered,) = connection.execute(f"select {mixed}", [protocol.epochs.seconds]).fetchall()[0]
        rows_in_order = "select * from epochs" + (" order by person, epoch_start" if unordered else "")
        copied = connection.execute(f"copy ({rows_in_order}) to {target} (format parquet, compression zstd)")
        rows = {"epochs": int(copied.fetchall()[0][0])}
    _register(home, {"batch": batch}, permission, rows, out)
    return rows


def _allow(kind: str, name: str, out: Path, permission: str) -> None:
    if not permission.strip():
        raise ExportError(REFUSAL.format(kind=kind, name=name))
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ExportError(f"{out} is not an empty folder")


def _read(home: Home, wave: str, protocol: Protocol) -> Mapping[str, pd.DataFrame]:
    """The tables that reproduction commands read, each participant under their own identifier."""
    if not home.warehouse.exists():
        raise ExportError(f"{home.root} has no warehouse yet; run stegvis refresh")
    values = ("exposures.minimum_valid_days", "models.adjusted", "exclusions.complete_case")
    variables = {"wave": wave} | {name: protocol.value(name) for name in values}
    with Warehouse(home).session("export", variables) as connection:
        if not table_exists(connection, "analysis_set"):
            raise ExportError("nothing has been analyzed yet; run stegvis refresh")
        if wave == ALL_WAVES:
            stacked = connection.execute("select * from analysis_set order by wave, person").df()
            codebook = read_codebook(home.study / "codebook.toml")
            histories = connection.execute(composed("pain_histories", sql_text("pain_histories"), codebook)).df()
        else:
            people = connection.execute(PEOPLE).df()
            eligible = connection.execute(ELIGIBLE).df()
            days = walking_days(connection.execute(DAYS).df(), protocol)
            cohort = connection.execute(sql_text("cohort_selection")).df()
    if wave == ALL_WAVES:
        return tables_across(stacked, histories, protocol)
    if people.empty:
        raise ExportError(f"there is no analyzed wave {wave}")
    return tables_of_wave(people, eligible, days, cohort, protocol)


def _numbered(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Participants by numbers, the same in every frame, which the rows are sorted by."""
    people = sorted({person for frame in frames.values() for person in frame["person"]})
    number = {person: index for index, person in enumerate(_shuffled(people), start=1)}
    return {
        name: frame.assign(person=frame["person"].map(number)).sort_values(
            [*(["wave"] if name in ("answers", "histories") else []), "person", *(["day"] if "day" in frame else [])],
            ignore_index=True,
        )
        for name, frame in frames.items()
    }


def _shuffled(people: Iterable[str]) -> list[str]:
    """Identifiers in an order that cannot be reconstructed: numbers in their own order would reveal something."""
    salt = os.urandom(16)
    return sorted(people, key=lambda person: hashlib.sha256(salt + str(person).encode()).digest())


def _register(home: Home, what: Mapping[str, str], permission: str, rows: Mapping[str, int], out: Path) -> None:
    with locked(home.root / "exports.lock", "export"):
        sha256 = {}
        for file in sorted(out.iterdir()):
            with file.open("rb") as content:  # epochs may be larger than memory
                sha256[file.name] = hashlib.file_digest(content, "sha256").hexdigest()
        entry = {**what, "permission": permission.strip(), "rows": dict(rows), "sha256": sha256}
        add_line(home.root / REGISTER, entry)
