"""Reading the cells of one delivered column: text, numbers, dates, codes and ticks, and their errors.

A column as delivered (text or typed) is converted to its canonical type, and the cells that do not fit are listed.

No message contains a delivered value: a message says what is allowed, never what was found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from stegvis.study.codebook import Column, normal_code

Mask = npt.NDArray[np.bool_]

DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
TIME = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
LARGEST_WHOLE_NUMBER = 2**53  # beyond it a float cannot represent every whole number
TICKS = {"1": True, "0": False}


@dataclass(frozen=True)
class Breach:
    """A rule of the contract, and the cells of a column that break it (a mask over the rows)."""

    rule: str
    cells: Mask
    message: str


@dataclass(frozen=True)
class Cells:
    """A column in its canonical type, missing where the cell was blank or broken, and its breaches."""

    values: pd.Series
    breaches: tuple[Breach, ...]


def read_cells(raw: pd.Series, column: Column) -> Cells:
    """Read one delivered column.

    Args:
        raw: the column as delivered, of any dtype; blank text counts as missing.
        column: its codebook entry.

    Returns:
        Values as ``str`` (text, code), ``float64`` (number), ``datetime64[us]`` (date at midnight, timestamp) or
        ``bool`` (tick; blank is not ticked), and the breaches ``wrong_type``, ``unknown_code``, ``out_of_range`` and
        ``blank``, of which a cell has at most one.
    """
    raw = _plain(raw.reset_index(drop=True))
    values, breaches = _READERS[column.type](raw, column)
    broken = np.logical_or.reduce([np.zeros(len(raw), dtype=bool), *(breach.cells for breach in breaches)])
    if column.filled:
        blank = values.isna().to_numpy() & ~broken
        breaches.append(Breach("blank", blank, "the cell must not be blank"))
    return Cells(values, tuple(breach for breach in breaches if breach.cells.any()))


def blank_cells(column: Column, rows: int) -> pd.Series:
    """A column of the canonical type in which every cell is missing: an optional column that was not delivered."""
    return _READERS[column.type](pd.Series([None] * rows, dtype="str"), column)[0]


def _plain(raw: pd.Series) -> pd.Series:
    """Categories become their values, and booleans 1 and 0, so that only text, numbers and times remain."""
    if isinstance(raw.dtype, pd.CategoricalDtype):
        raw = raw.astype(raw.cat.categories.dtype)
    return raw.astype("Int64") if pd.api.types.is_bool_dtype(raw) else raw


def _text(raw: pd.Series) -> pd.Series:
    """The cells as stripped text; blank cells are missing. Whole numbers are written without a decimal part."""
    if pd.api.types.is_integer_dtype(raw):
        return raw.astype("str")
    if pd.api.types.is_numeric_dtype(raw):
        raw = raw.astype(object)
    if raw.dtype == object:
        raw = pd.Series([_object_text(cell) for cell in raw], dtype="str")
    elif not pd.api.types.is_string_dtype(raw):
        raw = raw.astype("str")
    stripped = raw.astype("str").str.strip()
    return stripped.mask(stripped == "")


def _object_text(cell: Any) -> str | None:
    """One cell of a column that has no single type; nested values read as text that no rule accepts."""
    if cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and np.isnan(cell)):
        return None
    if isinstance(cell, bool | np.bool_):
        return str(int(cell))
    if isinstance(cell, float) and cell.is_integer() and abs(cell) <= LARGEST_WHOLE_NUMBER:
        return str(int(cell))
    return str(cell)


def _read_text(raw: pd.Series, column: Column) -> tuple[pd.Series, list[Breach]]:
    text = _text(raw)
    if pd.api.types.is_string_dtype(raw) or raw.dtype == object:
        # A spreadsheet writes the identifier 1001 as 1001.0 once a cell of its column is blank.
        text = text.str.replace(r"^([0-9]+)\.0+$", r"\1", regex=True)
        wrong = np.zeros(len(raw), dtype=bool)
    else:
        wrong = (text.notna() & ~text.str.fullmatch(r"-?[0-9]+")).to_numpy()
    return text.mask(wrong), [Breach("wrong_type", wrong, "the cell must hold text or a whole number")]


def _read_number(raw: pd.Series, column: Column) -> tuple[pd.Series, list[Breach]]:
    comma = np.zeros(len(raw), dtype=bool)
    if pd.api.types.is_numeric_dtype(raw):
        plain_array = isinstance(raw.dtype, np.dtype)
        numbers = np.array(raw, dtype="float64") if plain_array else raw.to_numpy(dtype="float64", na_value=np.nan)
        given = ~np.isnan(numbers)
    else:
        text = _text(raw)
        given = text.notna().to_numpy()
        numbers = pd.to_numeric(text, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
        suspects = given & np.isnan(numbers)
        if suspects.any():
            comma[suspects] = text[suspects].str.fullmatch(r"[+-]?[0-9]+,[0-9]+").to_numpy(dtype=bool)
    wrong = given & ~np.isfinite(numbers) & ~comma
    breaches = [
        Breach("wrong_type", wrong, "the cell must hold a number with a decimal point, such as 12.5"),
        Breach("wrong_type", comma, "the cell must hold a number with a decimal point; here it is a decimal comma"),
    ]
    if column.range:
        low, high = column.range
        outside = (numbers < low) | (numbers > high)  # a missing number compares false
        allowed = " ".join(filter(None, (f"{low:g} and {high:g}", column.unit)))
        breaches.append(Breach("out_of_range", outside & ~wrong, f"the number must be between {allowed}"))
    for breach in breaches:
        if breach.cells.any():
            numbers = np.where(breach.cells, np.nan, numbers)
    return pd.Series(numbers, copy=False), breaches  # a week of a signal is large: no copies


def _read_times(raw: pd.Series, pattern: str) -> tuple[pd.Series, Mask]:
    """Times as ``datetime64[us]``, and the cells that are not times. A time zone is refused: sensors have none."""
    if pd.api.types.is_datetime64_dtype(raw):
        return raw.astype("datetime64[us]"), np.zeros(len(raw), dtype=bool)
    text = _text(raw)
    shaped = text.str.fullmatch(pattern)
    times = pd.to_datetime(text.where(shaped), format="ISO8601", errors="coerce").astype("datetime64[us]")
    return times, (text.notna() & times.isna()).to_numpy()


def _read_date(raw: pd.Series, column: Column) -> tuple[pd.Series, list[Breach]]:
    times, wrong = _read_times(raw, rf"{DATE}(?:[ T]{TIME})?")
    return times.dt.normalize(), [Breach("wrong_type", wrong, "the cell must hold a date written YYYY-MM-DD")]


def _read_timestamp(raw: pd.Series, column: Column) -> tuple[pd.Series, list[Breach]]:
    times, wrong = _read_times(raw, rf"{DATE}[ T]{TIME}")
    message = "the cell must hold a time written YYYY-MM-DD HH:MM:SS, without a time zone"
    return times, [Breach("wrong_type", wrong, message)]


def _read_codes(raw: pd.Series, known: dict[str, Any]) -> tuple[npt.NDArray[Any], Mask]:
    """The level of each cell (``None`` if blank or unknown), and the cells whose code is unknown."""
    raw = _text(raw) if raw.dtype == object else raw  # objects may be of a kind that cannot be looked up
    labels, delivered = pd.factorize(raw)  # few codes, many rows: each code is looked up once
    codes = _text(_plain(pd.Series(delivered)))
    found = [None if pd.isna(code) else known.get(normal_code(code)) for code in codes]
    unknown = [level is None and not pd.isna(code) for code, level in zip(codes, found, strict=True)]
    # The last entry is for missing cells, which factorize labels -1.
    return np.array([*found, None], dtype=object)[labels], np.array([*unknown, False])[labels]


def _read_code(raw: pd.Series, column: Column) -> tuple[pd.Series, list[Breach]]:
    codes = column.codes or {}
    values, unknown = _read_codes(raw, {normal_code(code): level for code, level in codes.items()})
    allowed = ", ".join(code if code == level else f"{code} ({level})" for code, level in codes.items())
    message = f"the code must be one of {allowed}" + ("" if column.filled else ", or blank")
    return pd.Series(values, dtype="str"), [Breach("unknown_code", unknown, message)]


def _read_tick(raw: pd.Series, column: Column) -> tuple[pd.Series, list[Breach]]:
    values, unknown = _read_codes(raw, TICKS)
    ticked = np.array([value is True for value in values], dtype=bool)
    return pd.Series(ticked, dtype="bool"), [Breach("unknown_code", unknown, "the box must be 1 (ticked), 0 or blank")]


_READERS = {
    "text": _read_text,
    "number": _read_number,
    "date": _read_date,
    "timestamp": _read_timestamp,
    "code": _read_code,
    "tick": _read_tick,
}
