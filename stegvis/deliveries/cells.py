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
import pyarrow as pa
import pyarrow.compute as pc

from stegvis.deliveries.identifiers import INVISIBLE, BadIdentifierError, read_identifier
from stegvis.deliveries.times import (
    DATE_TEXT,
    NO_DATE,
    NO_TIME,
    TIMESTAMP_TEXT,
    ZONED,
    ZONED_TEXT,
    Mask,
    out_of_bounds,
    within,
)
from stegvis.study.codebook import Column, normal_code

LARGEST_WHOLE_NUMBER = 2**53  # beyond it a float cannot represent every whole number
TICKED, UNTICKED = ("1", "yes", "true", "checked"), ("0", "no", "false", "unchecked")
TICKS = dict.fromkeys(TICKED, True) | dict.fromkeys(UNTICKED, False)
NUMBER_TEXT = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
NESTED_CELLS = (list, tuple, dict, set, np.ndarray)


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
    raw = _dense(raw.reset_index(drop=True))
    values, breaches = _READERS[column.type](raw, column)
    broken = np.logical_or.reduce([np.zeros(len(raw), dtype=bool), *(breach.cells for breach in breaches)])
    if column.filled:
        blank = values.isna().to_numpy() & ~broken
        breaches.append(Breach("blank", blank, "the cell must not be blank"))
    return Cells(values, tuple(breach for breach in breaches if breach.cells.any()))


def blank_cells(column: Column, rows: int) -> pd.Series:
    """A column of the canonical type in which every cell is missing: an optional column that was not delivered."""
    return _READERS[column.type](pd.Series([None] * rows, dtype="str"), column)[0]


def _dense(raw: pd.Series) -> pd.Series:
    """Categories become their values."""
    return raw.astype(raw.cat.categories.dtype) if isinstance(raw.dtype, pd.CategoricalDtype) else raw


def _text(raw: pd.Series) -> pd.Series:
    """The cells as text without white space or invisible characters around it; blank cells are missing.

    Whole numbers are written without a decimal part, truth values as 1 and 0.
    """
    if pd.api.types.is_bool_dtype(raw):
        raw = raw.astype("Int64")
    if pd.api.types.is_integer_dtype(raw):
        return raw.astype("str")
    if pd.api.types.is_numeric_dtype(raw):
        raw = raw.astype(object)
    if raw.dtype == object:
        raw = pd.Series([_object_text(cell) for cell in raw], dtype="str")
    text = pc.utf8_trim(pa.array(raw.astype("str"), pa.large_string(), from_pandas=True), INVISIBLE)
    return pd.Series(pc.if_else(pc.equal(text, ""), None, text).to_pandas(), dtype="str")


def _object_text(cell: Any) -> str | None:
    """One cell of a column that has no single type; what is no text reads as text that no rule accepts."""
    if cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float | np.floating) and np.isnan(cell)):
        return None
    if isinstance(cell, bool | np.bool_):
        return str(int(cell))
    if isinstance(cell, float | np.floating) and float(cell).is_integer() and abs(float(cell)) <= LARGEST_WHOLE_NUMBER:
        return str(int(cell))
    if isinstance(cell, bytes | bytearray):
        return bytes(cell).decode("utf-8", errors="replace")
    return "[nested]" if isinstance(cell, NESTED_CELLS) else str(cell).encode("utf-8", "replace").decode("utf-8")


def _read_text(raw: pd.Series, column: Column) -> tuple[pd.Series, list[Breach]]:
    """Identifiers and other text, by ``stegvis.deliveries.identifiers``."""
    if raw.dtype == object or raw.dtype == np.float16:  # equal cells of different types differ
        places, cells = np.arange(len(raw)), list(raw)
    else:
        places, distinct = pd.factorize(raw)
        known = distinct.to_numpy() if isinstance(raw.dtype, np.dtype) else distinct  # an index widens single precision
        cells = [*known, None]  # the last entry is for missing cells, which factorize labels -1
    texts: list[str | None] = []
    refused: dict[str, list[int]] = {}
    for place, cell in enumerate(cells):
        try:
            texts.append(read_identifier(cell))
        except BadIdentifierError as problem:
            texts.append(None)
            refused.setdefault(str(problem), []).append(place)
    values = pd.Series(np.array(texts, dtype=object)[places], dtype="str")
    breaches = []
    for message, spellings in refused.items():
        wrong = np.zeros(len(cells), dtype=bool)
        wrong[spellings] = True
        breaches.append(Breach("wrong_type", wrong[places], message))
    return values, breaches


def _read_number(raw: pd.Series, column: Column) -> tuple[pd.Series, list[Breach]]:
    comma = np.zeros(len(raw), dtype=bool)
    if pd.api.types.is_numeric_dtype(raw) and not pd.api.types.is_bool_dtype(raw):
        plain_array = isinstance(raw.dtype, np.dtype)
        numbers = np.array(raw, dtype="float64") if plain_array else raw.to_numpy(dtype="float64", na_value=np.nan)
        given = ~np.isnan(numbers)
    else:
        text = _text(raw.astype("str") if pd.api.types.is_bool_dtype(raw) else raw)  # a truth value is no number
        given = text.notna().to_numpy()
        shaped = text.where(text.str.fullmatch(NUMBER_TEXT))
        numbers = pd.to_numeric(shaped, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
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


def _read_times(raw: pd.Series, column: Column, pattern: str, wanted: str) -> tuple[pd.Series, list[Breach]]:
    """Times as ``datetime64[us]``, and the cells that are not times, have a zone, or are out of bounds."""
    nothing = np.zeros(len(raw), dtype=bool)
    wrong, zoned = nothing, nothing
    if pd.api.types.is_datetime64_dtype(raw):
        times = raw
    elif isinstance(raw.dtype, pd.DatetimeTZDtype):
        zoned, times = raw.notna().to_numpy(), pd.Series(pd.NaT, index=raw.index, dtype="datetime64[us]")
    else:
        text = _text(raw)
        times = pd.to_datetime(text.where(text.str.fullmatch(pattern)), format="ISO8601", errors="coerce")
        wrong = (text.notna() & times.isna()).to_numpy()
        if wrong.any():
            zoned = wrong.copy()
            zoned[wrong] = text[wrong].str.fullmatch(ZONED_TEXT).to_numpy(dtype=bool)
    moments, outside = within(times, column.bounds)
    return moments, [
        Breach("wrong_type", wrong & ~zoned, wanted),
        Breach("wrong_type", zoned, ZONED),
        Breach("out_of_range", outside, out_of_bounds(column.bounds)),
    ]


def _read_date(raw: pd.Series, column: Column) -> tuple[pd.Series, list[Breach]]:
    times, breaches = _read_times(raw, column, DATE_TEXT, NO_DATE)
    return times.dt.normalize(), breaches


def _read_timestamp(raw: pd.Series, column: Column) -> tuple[pd.Series, list[Breach]]:
    return _read_times(raw, column, TIMESTAMP_TEXT, NO_TIME)


def _read_codes(raw: pd.Series, known: dict[str, Any], fold: bool = False) -> tuple[npt.NDArray[Any], Mask]:
    """The level of each cell (``None`` if blank or unknown), and the cells whose code is unknown.

    ``fold``: words are known in any case.
    """
    raw = _text(raw) if raw.dtype == object else raw  # objects may be of a kind that cannot be looked up
    labels, delivered = pd.factorize(raw)  # few codes, many rows: each code is looked up once
    codes = _text(pd.Series(delivered))
    codes = codes.str.casefold() if fold else codes
    found = [None if pd.isna(code) else known.get(normal_code(code)) for code in codes]
    unknown = [level is None and not pd.isna(code) for code, level in zip(codes, found, strict=True)]
    # The last entry is for missing cells, which factorize labels -1.
    return np.array([*found, None], dtype=object)[labels], np.array([*unknown, False])[labels]


def _read_code(raw: pd.Series, column: Column) -> tuple[pd.Series, list[Breach]]:
    codes = column.codes or {}
    if pd.api.types.is_bool_dtype(raw) and not {"0", "1"} <= {normal_code(code) for code in codes}:
        raw = raw.astype(object).map({True: "true", False: "false"})  # a truth value is the code 1 or 0 of a pair
    values, unknown = _read_codes(raw, {normal_code(code): level for code, level in codes.items()})
    allowed = ", ".join(code if code == level else f"{code} ({level})" for code, level in codes.items())
    message = f"the code must be one of {allowed}" + ("" if column.filled else ", or blank")
    return pd.Series(values, dtype="str"), [Breach("unknown_code", unknown, message)]


def _read_tick(raw: pd.Series, column: Column) -> tuple[pd.Series, list[Breach]]:
    values, unknown = _read_codes(raw, TICKS, fold=True)
    ticked = np.array([value is True for value in values], dtype=bool)
    message = "the box must be 1, yes or checked (ticked); 0, no, unchecked or blank"
    return pd.Series(ticked, dtype="bool"), [Breach("unknown_code", unknown, message)]


_READERS = {
    "text": _read_text,
    "number": _read_number,
    "date": _read_date,
    "timestamp": _read_timestamp,
    "code": _read_code,
    "tick": _read_tick,
}
