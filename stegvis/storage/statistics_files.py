"""Opening files of SPSS (sav, zsav) and Stata (dta) as codes, numbers, text and dates.

Dates are converted here and not by the library, which gives up a whole file for one date that Python cannot hold.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stegvis.storage.names import SPSS_ENDINGS

# A zlib block holds at most 1,032 bytes for each of its own; without it every cell takes at least one byte.
_MOST_CELLS_PER_BYTE = {".sav": 1, ".zsav": 1032, ".dta": 1}

_SPSS_DATE = re.compile(r"(?:DATE|ADATE|EDATE|JDATE|SDATE|QYR|MOYR|WKYR|DATETIME|YMDHMS)[0-9.]*")
_STATA_DAYS, _STATA_MILLISECONDS = re.compile(r"%-?t?d.*"), re.compile(r"%-?tc.*")
_SPSS_ORIGIN, _STATA_ORIGIN = np.datetime64("1582-10-14", "us"), np.datetime64("1960-01-01", "us")
_FARTHEST = 9.2e18  # microseconds that fit into 64 bits

NOT_WHOLE = "not a whole {program} file; it may be cut off"
WRONG_ENCODING = "its text is not in the encoding that the file states; save it again as Unicode (UTF-8)"
FALSE_CLAIM = "its header claims more rows than a file of this size can hold"
MORE_ROWS = "it holds more rows than its header states: save it again"
# Where the header of an SPSS file has the number of rows; -1 if the program that wrote it did not know.
_ROWS_AT, _UNKNOWN = 80, b"\xff\xff\xff\xff"


class StatisticsFileError(ValueError):
    """The file cannot be read; the message is a reason without its contents."""


def read_statistics_file(
    path: Path, wanted: Collection[str] | None, most_cells: int
) -> tuple[list[str], pd.DataFrame, dict[str, dict[str, str]]]:
    """Read the columns of a file of SPSS or Stata.

    Args:
        path: the file; its ending says which program wrote it.
        wanted: the columns to read; None reads all.
        most_cells: how many cells the wanted columns may have by the header before any is read.

    Returns:
        The names of all columns, the wanted columns (numbers as ``float64`` or ``float32``, text as ``str``, dates and
        times as ``datetime64[us]``), and the value labels of each column that has any, by code.

    Raises:
        StatisticsFileError: the file is damaged, or claims more than it can hold.
    """
    ending = path.suffix.lower()
    meta = _call(path, metadataonly=True)[1]
    names = [str(name) for name in meta.column_names]
    rows, held = meta.number_rows or 0, _MOST_CELLS_PER_BYTE[ending] * path.stat().st_size
    chosen = names if wanted is None else [name for name in names if name in wanted]
    if rows * len(names) > held:
        raise StatisticsFileError(FALSE_CLAIM)
    if rows * len(chosen) > most_cells:
        raise StatisticsFileError(f"it has more than {most_cells:,} cells to read")
    labels = {
        str(name): {_code(code): str(label) for code, label in by_code.items()}
        for name, by_code in meta.variable_value_labels.items()
    }
    if ending in SPSS_ENDINGS and names:
        most = min(most_cells // max(1, len(chosen)), held // len(names))
        rows = _rows_of_spss(path, meta.number_rows, names[0], most)
    if not chosen:
        return names, pd.DataFrame(index=range(rows)), labels
    # The library takes a repeated name for the last column of that name; the caller refuses such files by their names.
    selected: dict[str, Any] = {} if len(chosen) == len(names) else {"usecols": chosen}
    table, meta = _call(path, **selected)
    if rows and len(table) != rows:
        raise StatisticsFileError(NOT_WHOLE.format(program=_program(path)))
    types, formats = meta.readstat_variable_types, meta.original_variable_types
    if len(set(names)) == len(names):
        for name in table.columns:
            table[name] = _typed(table[name], types.get(name), str(formats.get(name)), ending)
    return names, table, labels


def _rows_of_spss(path: Path, stated: int | None, column: str, most: int) -> int:
    """How many rows an SPSS file has: the library reads as many as the header states, and passes over the others.

    Args:
        path: the file.
        stated: the number of rows in its header; None if that does not say.
        column: one of its columns.
        most: how many rows there may be.

    Raises:
        StatisticsFileError: there are more than the header states, or more than there may be.
    """
    content = bytearray(path.read_bytes())
    content[_ROWS_AT : _ROWS_AT + len(_UNKNOWN)] = _UNKNOWN
    limit = most if stated is None else stated
    # Read from memory: nobody's data is written anywhere.
    table = _call(path, io.BytesIO(content), usecols=[column], row_limit=limit + 1)[0]
    if len(table) > limit:
        raise StatisticsFileError(MORE_ROWS if stated is not None else f"it has more than {most:,} rows to read")
    return len(table)


def _call(path: Path, content: io.BytesIO | None = None, **options: Any) -> tuple[pd.DataFrame, Any]:
    import pyreadstat

    read = pyreadstat.read_sav if path.suffix.lower() in SPSS_ENDINGS else pyreadstat.read_dta
    try:
        result: tuple[pd.DataFrame, Any] = read(
            content or str(path),
            apply_value_formats=False,
            user_missing=False,
            disable_datetime_conversion=True,
            **options,
        )
    except Exception as error:  # the library raises errors of many kinds, whose text may hold data
        said = str(error).lower()
        if isinstance(error, UnicodeError) or "convert string" in said or "encoding" in said:
            raise StatisticsFileError(WRONG_ENCODING) from None
        raise StatisticsFileError(NOT_WHOLE.format(program=_program(path))) from None
    return result


def _program(path: Path) -> str:
    return "SPSS" if path.suffix.lower() in SPSS_ENDINGS else "Stata"


def _code(code: object) -> str:
    return str(int(code)) if isinstance(code, float) and code.is_integer() else str(code)


def _typed(column: pd.Series, kind: str | None, form: str, ending: str) -> pd.Series:
    """A number as the value it means: single precision as such, a date by its format."""
    if not pd.api.types.is_numeric_dtype(column):
        return column
    if ending in SPSS_ENDINGS:
        return _moments(column, _SPSS_ORIGIN, 1e6) if _SPSS_DATE.fullmatch(form.upper()) else column
    if _STATA_DAYS.fullmatch(form):
        return _moments(column, _STATA_ORIGIN, 86_400e6)
    if _STATA_MILLISECONDS.fullmatch(form):
        return _moments(column, _STATA_ORIGIN, 1e3)
    return column.astype("float32") if kind == "float" else column


def _moments(column: pd.Series, origin: np.datetime64, microseconds: float) -> pd.Series:
    """Counts of a unit since an origin as ``datetime64[us]``; those out of reach become the farthest moment."""
    counts = column.to_numpy(dtype="float64", na_value=np.nan)
    missing = np.isnan(counts)
    since = np.clip(np.where(missing, 0, counts) * microseconds, -_FARTHEST, _FARTHEST)
    since = np.clip(since + float(origin.astype("int64")), -_FARTHEST, _FARTHEST)
    moments = np.rint(since).astype("int64").astype("datetime64[us]")
    return pd.Series(np.where(missing, np.datetime64("NaT", "us"), moments), index=column.index)


def contradictions(labels: Mapping[str, str], codes: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Value labels that the codebook gives to another code.

    Args:
        labels: the file's label of each code.
        codes: the codebook's level of each code, both in the spelling of ``normal_code``.

    Returns:
        Code, the codebook's level of it, and the level that the file's label names instead.
    """
    by_word = {_words(level): level for level in codes.values()}
    found = []
    for code, label in labels.items():
        named = by_word.get(_words(label))
        if named is not None and codes.get(code) != named:
            found.append((code, codes.get(code, "not in the codebook"), named))
    return found


def _words(text: str) -> str:
    """A label without case, punctuation or a leading number."""
    return " ".join(re.findall(r"\w+", re.sub(r"^[\W\d]+", "", text) or text)).casefold()
