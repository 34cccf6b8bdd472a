"""Exporting a wave's participant-level tables, for researchers who are allowed to have them.

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
from stegvis.storage.lock import locked
from stegvis.storage.warehouse import Warehouse, table_exists
from stegvis.storage.wave_people import DAYS, ELIGIBLE, PEOPLE
from stegvis.study.protocol import Protocol

REFUSAL = """these tables hold a row for each person, and are exported only with a permission to process them:
an ethics approval or data agreement that names the recipient. Name it with --permission, for example
  stegvis export --wave {wave} -o FOLDER --permission "REC 2024/1234, ANALYST"
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
    if not permission.strip():
        raise ExportError(REFUSAL.format(wave=wave))
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ExportError(f"{out} is not an empty folder")
    frames = _numbered(_read(home, wave, protocol))
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, frame in frames.items():
        frame.to_csv(out / f"{name}.csv", index=False)
    rows = {name: len(frame) for name, frame in frames.items()}
    _register(home, wave, permission.strip(), rows, out)
    return rows


def _read(home: Home, wave: str, protocol: Protocol) -> Mapping[str, pd.DataFrame]:
    """The tables that reproduction commands read, each participant under their own identifier."""
    if not home.warehouse.exists():
        raise ExportError(f"{home.root} has no warehouse yet; run stegvis refresh")
    smallest = "exposures.minimum_valid_days"
    with Warehouse(home).session("export", {"wave": wave, smallest: protocol.value(smallest)}) as connection:
        if not table_exists(connection, "analysis_set"):
            raise ExportError("nothing has been analyzed yet; run stegvis refresh")
        if wave == ALL_WAVES:
            stacked = connection.execute("select * from analysis_set order by wave, person").df()
            histories = connection.execute(sql_text("pain_histories")).df()
        else:
            people = connection.execute(PEOPLE).df()
            eligible = connection.execute(ELIGIBLE).df()
            days = walking_days(connection.execute(DAYS).df(), protocol)
    if wave == ALL_WAVES:
        return tables_across(stacked, histories, protocol)
    if people.empty:
        raise ExportError(f"there is no analyzed wave {wave}")
    return tables_of_wave(people, eligible, days, protocol)


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


def _register(home: Home, wave: str, permission: str, rows: Mapping[str, int], out: Path) -> None:
    with locked(home.root / "exports.lock", "export"):
        files = sorted(out.glob("*.csv"))
        sha256 = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
        add_line(home.root / REGISTER, {"wave": wave, "permission": permission, "rows": dict(rows), "sha256": sha256})
