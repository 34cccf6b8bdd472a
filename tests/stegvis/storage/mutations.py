"""Mutated deliveries of every layout and file type, through the one reading function: what must hold for each.

``python -m tests.stegvis.storage.mutations FIRST LAST`` reads the files with these numbers and prints a summary as
JSON. A number names the same mutated file in every run.
"""

from __future__ import annotations

import csv
import io
import json
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat

from stegvis.deliveries.identifiers import INVISIBLE
from stegvis.sql import sql_text
from stegvis.storage.delivered_files import DeliveredFile, DeliveryContract, read_delivered
from stegvis.study.codebook import DAY, LayoutName
from tests.memory import peak_megabytes
from tests.study import CODEBOOK, PROTOCOL

CONTRACT = DeliveryContract(CODEBOOK, PROTOCOL, sql_text("delivered_epochs"))
# Layouts and file types; those that are read fast more often.
KINDS: list[tuple[LayoutName, str]] = [
    *[("withdrawals", ending) for ending in (".csv", ".csv", ".parquet", ".sav", ".zsav", ".dta")] * 2,
    *[("questionnaire", ending) for ending in (".csv", ".csv", ".parquet", ".sav", ".zsav", ".dta")] * 2,
    *[("participants", ending) for ending in (".csv", ".parquet", ".sav", ".dta")],
    *[("vital_status", ending) for ending in (".csv", ".parquet", ".sav", ".dta")],
    *[("signal", ending) for ending in (".csv", ".parquet")] * 2,
    ("days", ".csv"),
    ("epochs", ".parquet"),
    ("epochs", ".parquet"),
]
SECONDS, MEGABYTES = 10, 1000  # that one file may take
ROWS = 6
UNEXPECTED = "it cannot be read"  # the reason for an error that no reader is known to raise

Rng = np.random.Generator


class TooSlowError(Exception):
    """A file took longer than allowed."""


def seed_table(layout: LayoutName) -> pd.DataFrame:
    """A faultless table of a layout."""
    valid: dict[str, Any] = {"number": 10.0, "date": pd.Timestamp("2018-03-01"), "tick": 1.0}
    cells: dict[str, Any] = {}
    for name, column in CONTRACT.codebook[layout].columns.items():
        codes = list(column.codes or {})
        value = [float(codes[0]) if codes[0].isdigit() else codes[0]] if codes else [valid.get(column.type, "")]
        for day in range(1, 8) if DAY in column.source[0] else (0,):
            source = column.source[0].replace(DAY, str(day))
            cells[source] = [str(1001 + row) for row in range(ROWS)] if name == "person" else value * ROWS
            if column.type == "timestamp":
                step = "5s" if layout == "epochs" else "20ms"
                cells[source] = pd.date_range("2018-03-01 08:00", periods=ROWS, freq=step).as_unit("us")
    table = pd.DataFrame(cells)
    if layout == "epochs":
        table["person"] = "1001"
    return table.replace("", None).dropna(axis=1, how="all")


def write(table: pd.DataFrame | pa.Table, ending: str) -> bytes:
    """The contents of a file with this table."""
    if ending == ".parquet":
        sink = io.BytesIO()
        whole = table if isinstance(table, pa.Table) else pa.Table.from_pandas(table, preserve_index=False)
        pq.write_table(whole, sink, write_page_checksum=True)
        return sink.getvalue()
    if ending == ".csv":
        return table.to_csv(index=False).encode()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"t{ending}"
        match ending:
            case ".dta":
                pyreadstat.write_dta(table, str(file))
            case _:
                pyreadstat.write_sav(table, str(file), compress=ending == ".zsav")
        return file.read_bytes()


# ---- damage to bytes ----

EXTREME = [
    b"\xff" * 4,
    b"\x00" * 4,
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"    ",
    b"\x00\xff" * 4,
    b"\n",
    b'"',
    b"\r",
    b",",
]


def damaged(content: bytes, rng: Rng) -> bytes:
    """A file with one to four places damaged."""
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        if not data:
            break  # an earlier damage left nothing of it
        at = int(rng.integers(0, len(data)))
        length = int(rng.choice([1, 1, 2, 8, 64, 400]))
        match int(rng.integers(0, 7)):
            case 0:
                data[at] ^= 1 << int(rng.integers(0, 8))
            case 1:
                data[at : at + length] = rng.bytes(min(length, 16))
            case 2:
                del data[at : at + length]
            case 3:
                data[at:at] = data[at : at + length]
            case 4:
                extreme = EXTREME[int(rng.integers(0, len(EXTREME)))]
                data[at : at + len(extreme)] = extreme
            case 5:
                data = data[: max(1, at)]
            case _:
                near = min(len(data) - 1, int(rng.integers(0, 200)))  # headers and footers decide most
                place = near if rng.random() < 0.5 else len(data) - 1 - near
                data[place] = int(rng.integers(0, 256))
    return bytes(data)


def people_of_csv(content: bytes) -> set[str] | None:
    """What the column of people can hold, by another reader of csv; None if that reader finds no such column."""
    try:
        text = content.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=","))
    except (UnicodeDecodeError, csv.Error):
        return None
    if not rows or "person" not in rows[0]:
        return None
    place = rows[0].index("person")
    cells = {row[place].strip(INVISIBLE) for row in rows[1:] if len(row) > place}
    return cells | {cell.split(".")[0] for cell in cells}


# ---- other spellings, and cells that no rule accepts ----


def respelled(table: pd.DataFrame, ending: str, rng: Rng) -> pd.DataFrame | pa.Table:
    """The same table: other types, padding, order and further columns."""
    table = table[list(rng.permutation(table.columns))]
    if rng.random() < 0.5:
        table = table.assign(**{f"extra_{number}": "x" for number in range(int(rng.integers(1, 4)))})
    padding = "".join(rng.choice(list(INVISIBLE.replace("\n", "").replace("\r", "")), 2))
    if ending in (".sav", ".zsav", ".dta") or "person" not in table:
        if "person" in table and rng.random() < 0.5:
            table = table.assign(person=table["person"].astype("float64"))
        return table
    numbers = table["person"].astype("int64")
    if ending == ".csv":
        forms = [table["person"] + ".0", padding + table["person"], table["person"] + padding]
        return table.assign(person=forms[int(rng.integers(0, 3))])
    arrays = [
        lambda: pa.array(numbers, pa.int32()),
        lambda: pa.array(numbers, pa.float32()),
        lambda: pa.array([Decimal(number) for number in numbers.tolist()], pa.decimal128(12, 2)),
        lambda: pa.array([person.encode() + b"\0\0" for person in table["person"]], pa.binary(6)),
        lambda: pa.array(table["person"]).dictionary_encode(),
        lambda: pa.array([padding + person for person in table["person"]]),
    ]
    whole = pa.Table.from_pandas(table, preserve_index=False)
    place = whole.schema.get_field_index("person")
    return whole.set_column(place, "person", arrays[int(rng.integers(0, len(arrays)))]())


HOSTILE: list[Any] = [
    "1E5", '="1001"', "#N/A", "1001,0", "\u200b", "2018-03-01T08:00:00Z", "9999-12-31", "nan", "inf", "-1e400", "1_0",
    "\0", "\uff11", "x" * 300, "+1001", "10\u200d01", "{}", "'1001",
]  # fmt: skip


def with_hostile_cells(table: pd.DataFrame, rng: Rng) -> tuple[pd.DataFrame, set[int]]:
    """The table with a hostile cell in one or two rows, and the numbers of the other rows in the file."""
    table = table.copy()
    rows = {int(row) for row in rng.integers(0, len(table), int(rng.integers(1, 3)))}
    name = str(rng.choice(table.columns))
    cells = table[name].astype("str").astype(object)
    for row in rows:
        cells.iloc[row] = HOSTILE[int(rng.integers(0, len(HOSTILE)))]
    table[name] = cells.astype("str")
    return table, {row + 2 for row in range(len(table)) if row not in rows}


# ---- what must hold ----


@dataclass
class Case:
    """A mutated file: its layout, ending and contents, and what must hold beside what holds for each."""

    layout: LayoutName
    ending: str
    content: bytes
    holds: Callable[[DeliveredFile], str | None]


def make(number: int, seeds: dict[tuple[str, str], bytes], expected: dict[str, pd.DataFrame]) -> Case:
    """The mutated file with this number."""
    rng = np.random.default_rng(number)
    layout, ending = KINDS[number % len(KINDS)]
    what = rng.random()
    if what < 0.6:
        content = damaged(seeds[layout, ending], rng)
        people = people_of_csv(content) if ending == ".csv" and layout != "signal" else None
        return Case(layout, ending, content, lambda found: only_people_of(found, people))
    table = seed_table(layout)
    if what < 0.85:
        content = write(respelled(table, ending, rng), ending)
        return Case(layout, ending, content, lambda found: same_rows(found, expected[layout]))
    table, untouched = with_hostile_cells(table, rng)
    if ending not in (".csv", ".parquet"):
        ending = ".csv"
    return Case(layout, ending, write(table, ending), lambda found: untouched_rows(found, expected[layout], untouched))


def only_people_of(found: DeliveredFile, people: set[str] | None) -> str | None:
    if people is None or "person" not in found.frame:
        return None
    return None if set(found.frame["person"]) <= people else "an identifier that is not in the file"


def same_rows(found: DeliveredFile, expected: pd.DataFrame) -> str | None:
    if len(found.problems):
        return f"a spelling of the same is refused: {found.problems['rule'].iloc[0]}"
    names = [name for name in expected.columns if name != "source_row"]
    same = found.frame[names].astype("str").equals(expected[names].astype("str"))
    return None if same else "a cell changed"


def untouched_rows(found: DeliveredFile, expected: pd.DataFrame, rows: set[int]) -> str | None:
    if found.refused or "source_row" not in expected or "source_row" not in found.frame:
        return None
    ours, theirs = (frame[frame["source_row"].isin(rows)] for frame in (found.frame, expected))
    return (
        None
        if ours.astype("str").reset_index(drop=True).equals(theirs.astype("str").reset_index(drop=True))
        else ("a row changed that was not touched")
    )


def complaint(case: Case, folder: Path) -> str | None:
    """What is wrong with how a mutated file was read; None if nothing."""
    file = folder / f"{case.layout}{case.ending}"
    file.write_bytes(case.content)
    found = read_delivered(file, file.name, case.layout, CONTRACT)
    if found.unreadable:
        return None
    used = len(found.frame)
    if case.layout == "epochs":
        used = round(float(found.frame["hours"].sum()) * 720) if used else 0
    if found.rows_read != used + found.rows_quarantined:
        return f"{found.rows_read} rows read, {used} used and {found.rows_quarantined} quarantined"
    return case.holds(found)


def run(first: int, last: int) -> dict[str, Any]:
    """Read the mutated files from one number to another.

    Returns:
        How many there were, the longest time in seconds, the memory in MB, and what was wrong, by number.
    """

    def too_slow(*_: object) -> None:
        raise TooSlowError

    signal.signal(signal.SIGALRM, too_slow)
    seeds = {kind: write(seed_table(kind[0]), kind[1]) for kind in set(KINDS)}
    wrong: dict[int, str] = {}
    slowest = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected = {}
        for layout, ending in dict(KINDS).items():
            file = folder / f"{layout}{ending}"
            file.write_bytes(seeds[layout, ending])
            expected[layout] = read_delivered(file, "", layout, CONTRACT).frame
        for number in range(first, last):
            print(number, file=sys.stderr, flush=True)  # of a crash, the last one printed
            started = time.process_time()
            try:
                case = make(number, seeds, expected)
                signal.alarm(6 * SECONDS)  # on a busy machine; a processor has fewer
                said = complaint(case, folder)
            except TooSlowError:
                said = "hangs"
            except BaseException as error:
                place = traceback.extract_tb(error.__traceback__)[-1]
                said = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
            signal.alarm(0)
            seconds = time.process_time() - started
            slowest = max(slowest, seconds)
            if seconds > SECONDS:
                said = f"takes {seconds:.0f} s"
            if said is not None:
                wrong[number] = said
    return {"files": last - first, "slowest": slowest, "megabytes": peak_megabytes(), "wrong": wrong}


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]))))
