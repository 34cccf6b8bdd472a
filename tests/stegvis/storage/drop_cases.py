"""Drops to be mutated: a faultless one of each layout, and what can happen to its files, its table or ``drop.json``."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from stegvis.storage.landing import Kind
from stegvis.study.codebook import DAY, LayoutName
from tests.stegvis.storage.mutations import CONTRACT, HOSTILE, Rng, damaged, people_of_csv, respelled, write

ROWS = 12
KIND_OF: dict[str, Kind] = {
    "participants": "baseline",
    "questionnaire": "followup",
    "days": "recordings",
    "long_days": "recordings",
    "epochs": "recordings",
    "signal": "recordings",
    "withdrawals": "withdrawals",
}
LAYOUTS = tuple(KIND_OF)
NAMES: dict[Kind, str] = {"baseline": "2019", "followup": "2024.2", "recordings": "b", "withdrawals": "june"}
OTHERS: dict[Kind, str] = {"baseline": "2018", "followup": "2024", "recordings": "a", "withdrawals": "may"}
ANY_TABLE = (".csv", ".csv", ".parquet", ".sav", ".zsav", ".dta")
ENDINGS: dict[str, tuple[str, ...]] = {"epochs": (".parquet",), "signal": (".csv", ".parquet")}
ACTIVITIES = (
    "lying", "sitting", "standing", "walking_slow", "walking_moderate", "walking_brisk", "walking", "running",
    "cycling",
)  # fmt: skip


@dataclass
class Case:
    """A drop, and what must hold of it.

    Attributes:
        kind: its folder in the landing zone, and ``name`` its own.
        name: see ``kind``.
        layout: of its table.
        files: contents by name.
        manifest: ``drop.json``; None if there is none.
        what: was done to it.
        people: who may be read from it; None if that is not known.
        untouched: whose rows must be as in the unmutated drop; None if that is not known.
        all_columns: of those rows every cell must be the same, else only person and time.
        special: a file becomes this instead: a link, a pipe or a folder.
    """

    kind: Kind
    name: str
    layout: str
    files: dict[str, bytes]
    manifest: bytes | None = None
    what: str = "nothing"
    people: set[str] | None = None
    untouched: set[str] | None = None
    all_columns: bool = True
    special: str = ""
    anybody: set[str] = field(default_factory=lambda: {str(person) for person in range(990, 1100)})

    def place(self, path: Path, content: bytes) -> None:
        """Write a file of the drop, or what stands in its place."""
        match self.special:
            case "link":
                outside = path.parents[2] / "outside"
                outside.write_bytes(content)
                path.symlink_to(outside)
            case "pipe":
                os.mkfifo(path)
            case "folder":
                path.mkdir()
            case _:
                path.write_bytes(content)


def long_days(codebook: str) -> str:
    """The codebook with one row per person and day in its day totals."""
    columns = "".join(
        f'{name} = {{ source = ["{name}"], type = "number", required = true, range = [0, 86400], unit = "s" }}\n'
        for name in ACTIVITIES
    )
    own = (
        '[days]\nfile = "days"\ngrain = "one row per person and day"\nkey = ["person", "day"]\n\n[days.columns]\n'
        'person = { source = ["person", "PID"], type = "text", required = true, filled = true }\n'
        f'day = {{ source = ["day"], type = "number", required = true, filled = true }}\n{columns}\n'
    )
    return re.sub(r"^\[days\]\n.*?(?=^(#.*\n)*\[epochs\]\n)", lambda _: own, codebook, flags=re.DOTALL | re.MULTILINE)


def seed(layout: str, first: int) -> pd.DataFrame:
    """A faultless table; no two rows are the same."""
    people = [str(first + row) for row in range(ROWS)]
    spread = np.arange(ROWS, dtype="float64")
    if layout == "signal":
        noise = np.random.default_rng(first).normal(0, 0.02, (600, 6))
        axes = {f"{place}_{axis}": noise[:, i] for i, (place, axis) in enumerate(
            (place, axis) for place in ("back", "thigh") for axis in "xyz")}  # fmt: skip
        times = pd.date_range("2018-03-01 08:00", periods=600, freq="20ms").as_unit("us")
        table = pd.DataFrame({"timestamp": times, **axes})
        return table.assign(back_x=table["back_x"] - 1, thigh_x=table["thigh_x"] - 1)
    if layout == "long_days":
        return pd.DataFrame({"person": people, "day": 1.0, **dict.fromkeys(ACTIVITIES, 3000.0 + spread)})
    cells: dict[str, Any] = {}
    for column in CONTRACT.codebook[_known(layout)].columns.values():
        codes = [float(code) if code.isdigit() else code for code in column.codes or {}]
        codes = [code for code in codes if isinstance(code, type(codes[0]))]
        for day in range(1, 8) if DAY in column.source[0] else (0,):
            source = column.source[0].replace(DAY, str(day))
            match column.type:
                case "code":
                    cells[source] = [codes[row % len(codes)] for row in range(ROWS)]
                case "date":
                    cells[source] = pd.date_range("2018-03-01", periods=ROWS).as_unit("us")
                case "timestamp":
                    cells[source] = pd.date_range("2018-03-01 08:00", periods=ROWS, freq="5s").as_unit("us")
                case "tick":
                    cells[source] = [1.0, None] * (ROWS // 2)
                case "number":
                    cells[source] = (3000.0 if day else 10.0) + spread
                case _:
                    cells[source] = people
    table = pd.DataFrame(cells)
    if layout == "epochs":
        table["speed"] = table["speed"].where(table["activity"] == "walking")
    return table


def _known(layout: str) -> LayoutName:
    known: Any = "days" if layout == "long_days" else layout
    return known


def file_name(layout: str, ending: str, first: int) -> str:
    """The name of a layout's file."""
    stem = {"long_days": "days", "signal": str(first), "withdrawals": NAMES["withdrawals"]}.get(layout, layout)
    return f"{stem}{ending}"


def sealed(kind: Kind, layout: str, name: str, files: dict[str, bytes], what: str = "nothing") -> Case:
    """A drop with its ``drop.json``."""
    if kind == "withdrawals":
        files = {f"{name}.csv": content for content in files.values()}
    listed = {each: {"sha256": hashlib.sha256(content).hexdigest()} for each, content in files.items()}
    return Case(kind, name, layout, files, json.dumps({"files": listed, "synthetic": True}).encode(), what)


def unmutated(layout: str, ending: str | None = None, others: bool = False) -> Case:
    """A faultless drop; ``others``: of other people."""
    first = (301 if layout == "participants" else 501) if others else 1001
    table = seed(layout, first)
    ending = ending or ENDINGS.get(layout, ANY_TABLE)[0]
    kind = KIND_OF[layout]
    case = sealed(kind, layout, NAMES[kind], {file_name(layout, ending, first): write(table, ending)})
    people = {str(first)} if layout == "signal" else set(table["person"])
    return replace(case, people=people, untouched=people)


# ---- what happens to a table ----

Touched = tuple[pd.DataFrame | pa.Table, set[int] | None]  # and the rows that are not touched; None: all of them


def hostile(kinds: tuple[str, ...]) -> Callable[[str, pd.DataFrame, Rng], Touched]:
    """One to four bad cells in a column of one of these types."""

    def mutate(layout: str, table: pd.DataFrame, rng: Rng) -> Touched:
        columns = CONTRACT.codebook[_known(layout)].columns.values()
        of_type = {source.replace(DAY, "1") for column in columns if column.type in kinds for source in column.source}
        names = [name for name in table.columns if name in of_type] or list(table.columns)
        name = names[int(rng.integers(0, len(names)))]
        cells = table[name].astype("str").astype(object)
        rows = {int(row) for row in rng.integers(0, len(table), int(rng.integers(1, 5)))}
        for row in rows:
            cells.iloc[row] = HOSTILE[int(rng.integers(0, len(HOSTILE)))]
        return table.assign(**{name: cells.astype("str")}), set(range(len(table))) - rows

    return mutate


def in_minutes(layout: str, table: pd.DataFrame, rng: Rng) -> Touched:
    names = table.select_dtypes("number").columns
    return table.assign(**{name: table[name] / 60 for name in names}), set()


def in_other_units(layout: str, table: pd.DataFrame, rng: Rng) -> Touched:
    names = list(table.select_dtypes("number").columns) or list(table.columns)
    name = names[int(rng.integers(0, len(names)))]
    numbers = table[name]
    return table.assign(**{name: numbers * 1000 if numbers.dtype.kind == "f" else numbers}), set()


def without_a_column(layout: str, table: pd.DataFrame, rng: Rng) -> Touched:
    return table.drop(columns=str(rng.choice(table.columns))), set()


def with_repeated_rows(layout: str, table: pd.DataFrame, rng: Rng) -> Touched:
    rows = table.iloc[rng.integers(0, len(table), int(rng.integers(1, 5)))]
    return pd.concat([table, rows], ignore_index=True), set(range(len(table)))


def in_another_order(layout: str, table: pd.DataFrame, rng: Rng) -> Touched:
    return (table if layout == "signal" else table.iloc[rng.permutation(len(table))]), set(range(len(table)))


TABLE: dict[str, Callable[[str, pd.DataFrame, Rng], Touched]] = {
    "identifiers": hostile(("text",)),
    "times": hostile(("date", "timestamp")),
    "codes": hostile(("code", "tick")),
    "numbers": hostile(("number",)),
    "minutes": in_minutes,
    "units": in_other_units,
    "a column less": without_a_column,
    "rows twice": with_repeated_rows,
    "another order": in_another_order,
    "respelled": lambda layout, table, rng: (table, None),
}


def with_mutated_table(layout: str, what: str, ending: str, rng: Rng) -> Case:
    """A drop whose table is mutated and its ``drop.json`` right."""
    table, rows = TABLE[what](layout, seed(layout, 1001), rng)
    people = list(table["person"]) if "person" in table else ["1001"]
    whole = rows is not None and what not in ("minutes", "units", "a column less")
    if what == "respelled":
        table = respelled(table, ending, rng)
    elif rows is not None and len(rows) < len(table) and ending not in (".csv", ".parquet") and layout != "epochs":
        ending = ".csv"
    case = sealed(KIND_OF[layout], layout, NAMES[KIND_OF[layout]], {}, f"{what} in {ending}")
    case = replace(case, files={file_name(layout, ending, 1001): write(table, ending)})
    again = sealed(case.kind, layout, case.name, case.files, case.what)
    if layout == "signal":
        return replace(again, people={"1001"})
    untouched = {people[row] for row in rows} if rows is not None and whole else None
    if rows is None:
        untouched = {str(1001 + row) for row in range(ROWS)}
    seen = {str(1001 + row) for row in range(ROWS)} | {str(person) for person in people}
    # A bad cell may be a good identifier: only spellings of it are known.
    anybody = again.anybody | seen
    return replace(again, untouched=untouched, people=None if what == "identifiers" else seen, anybody=anybody)


# ---- what happens to a file ----


def _expanding() -> bytes:
    """A parquet file of a few kB that claims many rows of long text."""
    sink = io.BytesIO()
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(3_000_000, dtype="int32")), pa.array(["x" * 1000]))
    pq.write_table(pa.table({"person": text}), sink)
    return sink.getvalue()


def _claiming() -> bytes:
    """A .sav that claims 500 million rows."""
    content = write(seed("withdrawals", 1), ".sav")
    return content[:80] + (500_000_000).to_bytes(4, "little") + content[84:]


FILE: dict[str, Callable[[str, str, bytes, Rng], tuple[str, bytes]]] = {
    "damaged": lambda name, ending, content, rng: (name, damaged(content, rng)),
    "damaged again": lambda name, ending, content, rng: (name, damaged(content, rng)),
    "cut off": lambda name, ending, content, rng: (name, content[: int(rng.integers(1, len(content)))]),
    "empty": lambda name, ending, content, rng: (name, b""),
    "renamed": lambda name, ending, content, rng: (f"{Path(name).stem}{rng.choice(ANY_TABLE)}", content),
    "another name": lambda name, ending, content, rng: (str(rng.choice(["x y.csv", "ø.parquet", "data"])), content),
    "expands": lambda name, ending, content, rng: (f"{Path(name).stem}.parquet", _expanding()),
    "claims": lambda name, ending, content, rng: (f"{Path(name).stem}.sav", _claiming()),
    "many columns": lambda name, ending, content, rng: (f"{Path(name).stem}.csv", b"c," * 100_000 + b"d\n1\n"),
    "a long line": lambda name, ending, content, rng: (f"{Path(name).stem}.csv", b"x" * 6_000_000),
    "noise": lambda name, ending, content, rng: (name, rng.bytes(5000)),
}  # fmt: skip


def with_mutated_file(layout: str, what: str, ending: str, rng: Rng) -> Case:
    """A drop whose file is mutated and its ``drop.json`` right."""
    case = unmutated(layout, ending)
    ((name, content),) = case.files.items()
    new, changed = FILE[what](name, ending, content, rng)
    again = sealed(case.kind, layout, case.name, {new: changed}, f"{what} {ending}")
    readable = what.startswith("damaged") and ending == ".csv" and layout != "signal"
    return replace(again, people=people_of_csv(changed) if readable else None)


# ---- what happens to drop.json, and to what it names ----

MANIFEST: dict[str, Callable[[bytes, Rng], bytes | None]] = {
    "no manifest": lambda content, rng: None,
    "empty manifest": lambda content, rng: b"",
    "damaged manifest": lambda content, rng: damaged(content, rng),
    "an array": lambda content, rng: b"[" + content + b"]",
    "a number": lambda content, rng: b"1e999",
    "deep": lambda content, rng: b"[" * 200_000,
    "utf-16": lambda content, rng: content.decode().encode("utf-16"),
    "byte order mark": lambda content, rng: b"\xef\xbb\xbf" + content,
    "hash is a number": lambda content, rng: re.sub(rb'"[0-9a-f]{64}"', b"1234", content),
    "wrong hash": lambda content, rng: re.sub(rb'"[0-9a-f]{64}"', b'"' + b"0" * 64 + b'"', content),
    "a file twice": lambda content, rng: content.replace(b'{"files": {', b'{"files": {"x": {"sha256": "a"}, ', 1),
    "files twice": lambda content, rng: b'{"files": {}, ' + content[1:],
    "outside": lambda content, rng: content.replace(b'{"files": {"', b'{"files": {"../', 1),
    "not there": lambda content, rng: content.replace(b'{"files": {"', b'{"files": {"y', 1),
    "replaces itself": lambda content, rng: content[:-1] + b', "replaces": "june"}',
    "replaces a list": lambda content, rng: content[:-1] + b', "replaces": ["june"]}',
    "synthetic is text": lambda content, rng: content.replace(b"true", b'"yes"'),
}
SPECIAL = ("link", "pipe", "folder")


def make(rng: Rng, number: int) -> Case:
    """The mutated drop with this number."""
    layout = LAYOUTS[number % len(LAYOUTS)]
    endings = ENDINGS.get(layout, ANY_TABLE) if layout != "withdrawals" else (".csv",)
    ending = str(rng.choice(endings))
    what = rng.random()
    if what < 0.4:
        return with_mutated_file(layout, str(rng.choice(list(FILE))), ending, rng)
    if what < 0.75:
        return with_mutated_table(layout, str(rng.choice(list(TABLE))), ending, rng)
    case = unmutated(layout, ending)
    if what < 0.8:
        special = str(rng.choice(SPECIAL))
        return replace(case, special=special, what=special)
    how = str(rng.choice(list(MANIFEST)))
    assert case.manifest is not None
    return replace(case, manifest=MANIFEST[how](case.manifest, rng), what=how)
