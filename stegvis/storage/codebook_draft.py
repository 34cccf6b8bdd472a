"""What the columns of a questionnaire's file are, as far as a codebook may say: names, labels, missing values, codes.

The codebook of a study is published with each release, so nothing of a single person may get into it: a code, or the
label of a code, is taken only if at least ten people have it, and no smallest or largest number is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stegvis.deliveries.identifiers import BadIdentifierError, read_identifier
from stegvis.storage.names import SPSS_ENDINGS, STATISTICS_ENDINGS
from stegvis.storage.reading import DeliveredTable, read_columns
from stegvis.study.codebook import normal_code
from stegvis.study.codebook_text import DraftColumn, codebook_text

FEWEST_PEOPLE = 10
MOST_CODES = 12  # a column of whole numbers without labels with more values than this is a number
PERSON_NAMES = ("person", "pid", "id", "subjectid", "subject_id", "participant", "participant_id", "person_id")


def draft_codebook(sources: Sequence[Path], template: Path) -> tuple[dict[str, list[DraftColumn]], str]:
    """Draft a codebook from the baseline file and any follow-up files, whose columns are joined.

    Args:
        sources: the baseline file first.
        template: a codebook, for the layouts that are not drafted.

    Returns:
        The columns of ``participants`` and, with follow-up files, ``questionnaire``; and the text.

    Raises:
        UnreadableFile: a file cannot be read.
        CodebookError: a file has no column that identifies people.
    """
    baseline, *later = sources
    columns = {"participants": describe(baseline)}
    if later:
        joined: dict[str, DraftColumn] = {}
        for file in later:
            for column in describe(file):
                if not (column.person and any(known.person for known in joined.values())):
                    joined.setdefault(column.source, column)
        columns["questionnaire"] = list(joined.values())
    return columns, codebook_text(columns, template)


def describe(file: Path) -> list[DraftColumn]:
    """The columns of a file, in their order.

    Args:
        file: csv, parquet, sav, zsav or dta, one row per person or per answer.

    Raises:
        UnreadableFile: it cannot be read.
    """
    table = read_columns(file, None)
    person = _person(table)
    people = table.frame[person].to_numpy() if person else np.arange(len(table.frame))
    missing = _declared_missing(file, people)
    return [
        DraftColumn(name, "text", person=True)
        if name == person
        else _column(name, table.frame[name], table.labels.get(name, {}), people, missing.get(name, ()))
        for name in table.names
    ]


def _person(table: DeliveredTable) -> str | None:
    """The column that identifies people: by its name, else the first whose cells are identifiers and all differ."""
    named = [name for name in table.names if name.strip().casefold() in PERSON_NAMES]
    return next((name for name in [*named, *table.names] if _identifies(table.frame[name])), None)


def _identifies(cells: pd.Series) -> bool:
    if len(cells) < 2 or pd.api.types.is_datetime64_any_dtype(cells) or cells.isna().any() or cells.duplicated().any():
        return False
    try:
        return all(read_identifier(cell) is not None for cell in cells)
    except BadIdentifierError:
        return False


def _column(
    name: str, cells: pd.Series, labels: dict[str, str], people: np.ndarray, missing: tuple[str, ...]
) -> DraftColumn:
    if pd.api.types.is_datetime64_any_dtype(cells):
        return DraftColumn(name, "date", missing=missing)
    codes = cells.dropna().map(_code)
    codes = codes[codes != ""]
    if len(codes) and codes.str.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T].*)?").all():
        return DraftColumn(name, "date", missing=missing)
    counts = pd.Series(people[codes.index], index=codes.to_numpy()).groupby(level=0).nunique()
    frequent = sorted(counts[counts >= FEWEST_PEOPLE].index, key=_order)
    spelled = {normal_code(code): label for code, label in labels.items()}
    numbers = pd.to_numeric(codes, errors="coerce")
    number = bool(numbers.notna().all())
    # A scale whose only labels are of special values is a number.
    labeled = sum(code in spelled for code in counts.index) * 2 >= len(counts) and bool(spelled)
    whole = number and bool((numbers % 1 == 0).all())
    if number and not labeled and not (whole and len(counts) <= MOST_CODES):
        return DraftColumn(name, "number", missing=missing)
    if not frequent or (not number and not labeled and len(frequent) > MOST_CODES):
        return DraftColumn(name, "text", missing=missing, rare=bool(len(counts)))
    if set(counts.index) == {"1"} and not labeled:
        return DraftColumn(name, "tick", missing=missing)
    return DraftColumn(
        name,
        "code",
        {code: spelled.get(code, code) for code in frequent},
        missing,
        rare=len(frequent) < len(counts),
    )


def _code(cell: Any) -> str:
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return normal_code(str(cell))


def _order(code: str) -> tuple[int, float, str]:
    try:
        return 0, float(code), code
    except ValueError:
        return 1, 0.0, code


def _declared_missing(file: Path, people: np.ndarray) -> dict[str, tuple[str, ...]]:
    """The values that the file declares as missing, by column, except those that one to nine people have."""
    if file.suffix.lower() not in STATISTICS_ENDINGS:
        return {}
    import pyreadstat

    spss = file.suffix.lower() in SPSS_ENDINGS
    read = pyreadstat.read_sav if spss else pyreadstat.read_dta
    _, meta = read(str(file), user_missing=True, row_limit=1)  # without rows these declarations are not read
    declared = list(meta.missing_ranges) if spss else list(meta.column_names)
    if not declared:
        return {}
    table, meta = read(str(file), usecols=declared, user_missing=True, disable_datetime_conversion=True)
    ranges: dict[str, list[Any]] = dict(meta.missing_ranges)
    tags: dict[str, list[Any]] = dict(meta.missing_user_values)
    found = {}
    for name in declared:
        if spss:
            values = [_range(each["lo"], each["hi"], table[name], people) for each in ranges.get(name, [])]
        else:
            values = [_tag(str(tag), table[name], people) for tag in tags.get(name, [])]
        if kept := tuple(value for value in values if value):
            found[name] = kept
    return found


def _range(low: Any, high: Any, cells: pd.Series, people: np.ndarray) -> str:
    if isinstance(low, str) or isinstance(high, str):
        having, text = (cells == low).to_numpy(), str(low)
    else:
        numbers = pd.to_numeric(cells, errors="coerce")
        having = ((numbers >= low) & (numbers <= high)).to_numpy()
        text = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    return text if _often_or_never(having, people) else ""


def _tag(tag: str, cells: pd.Series, people: np.ndarray) -> str:
    return f".{tag}" if _often_or_never((cells == tag).to_numpy(), people) else ""


def _often_or_never(having: np.ndarray, people: np.ndarray) -> bool:
    count = len(np.unique(people[having].astype(str)))
    return count == 0 or count >= FEWEST_PEOPLE
