"""The delivery contract: which columns a file must have, which of its rows are used, and why the others are not.

Pure functions from a table as delivered to canonical rows and a list of problems. Names and codes come from the
codebook; one cell is read by ``cells``.

A row that breaks the contract is quarantined: excluded, counted and listed. A bad cell of an optional column costs only
the cell, which is listed. A breach of the whole file (a missing
column) refuses the file. No problem and no note contains a delivered value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np
import pandas as pd

from stegvis.deliveries.cells import Breach, Mask, blank_cells, read_cells
from stegvis.deliveries.day_units import in_minutes, seconds_of_day, to_seconds
from stegvis.deliveries.problems import file_problem, join_problems, no_problems, row_problems
from stegvis.study.codebook import DAY, Column, Layout
from stegvis.study.protocol_recordings import Days

FIRST_ROW = 2  # the header of a csv is line 1; the other formats are numbered alike

Found = list[tuple[str, Breach]]  # canonical column, breach


@dataclass(frozen=True)
class Contracted:
    """A table after the contract: ``rows_read`` = rows of ``frame`` + ``rows_quarantined``.

    Attributes:
        frame: the rows used, in canonical columns, with ``source_row``.
        problems: columns of ``stegvis.deliveries.problems``.
        rows_read: rows of the delivered table (of day totals, days).
        rows_quarantined: rows not used.
        notes: remarks that need no correction.
        people: of a questionnaire, ``source_row`` and ``person`` of every row, used or not; otherwise None.
    """

    frame: pd.DataFrame
    problems: pd.DataFrame
    rows_read: int
    rows_quarantined: int
    notes: tuple[str, ...] = ()
    people: pd.DataFrame | None = None

    @property
    def refused(self) -> bool:
        """Whether a problem with the whole file means that none of it is used."""
        return bool(self.problems["row"].isna().any())


def apply_contract(
    raw: pd.DataFrame, layout: Layout, file: str, first_row: int = FIRST_ROW, names: Sequence[str] | None = None
) -> Contracted:
    """Check a delivered table against its layout and convert it to canonical form.

    Args:
        raw: the columns as delivered, text or typed, in any order.
        layout: the codebook's layout, with one source column for each canonical column.
        file: the file's name, for the list of problems.
        first_row: the row number of the table's first row, if the table is a part of a longer one.
        names: of all columns of the file, if ``raw`` has only some of them.

    Returns:
        ``frame`` has the layout's columns in its order (person, text and codes ``str``, numbers ``float64``, dates
        and times ``datetime64[us]``, ticks ``bool``) and ``source_row`` (``int64``). Of rows with the same identity
        the first that has no other problem is kept. A cell of an optional column that breaks a rule is listed and
        missing; its row is used.
    """
    sources, refusal, notes = match_columns(_names(raw, names), len(raw), layout.columns, file)
    if refusal is not None:
        return Contracted(blank_frame(layout.columns), refusal, len(raw), len(raw))

    table, found = _read_columns(raw, layout.columns, sources, first_row)
    # An epoch is used whole or not at all.
    needed = [name for name, column in layout.columns.items() if column.required or column.filled or layout.key]
    found = [(name, breach if name in needed else _costs_the_cell(breach)) for name, breach in found]
    frame, repeats = _first_of_each(table[~_broken(found, needed, len(raw))], layout, sources, file)
    problems = join_problems([*_listed(found, sources, file, table["source_row"]), repeats])
    people = table[["source_row", "person"]] if "person" in table else None
    return Contracted(frame.reset_index(drop=True), problems, len(raw), len(raw) - len(frame), notes, people)


def contract_days(
    raw: pd.DataFrame, layout: Layout, file: str, rules: Days, names: Sequence[str] | None = None
) -> Contracted:
    """Check delivered day totals and turn them from one row per person into one row per person and day.

    Args:
        raw: the columns as delivered: one per activity and day, named by the layout with ``{day}`` = 1, 2, ...
        layout: the codebook's layout of day totals, in its units (s, min or h).
        file: the file's name, for the list of problems.
        rules: days per recording, seconds per day and the tolerance of their sum.
        names: of all columns of the file, if ``raw`` has only some of them.

    Returns:
        ``frame``: person, day (``int64``, from 1), one ``float64`` column of seconds per activity, source_row; only
        days with at least one delivered cell. ``rows_read`` and ``rows_quarantined`` count such days (delivered rows
        if the file is refused). A day with a broken cell, or of more than 24 hours, is quarantined alone; a row whose
        person is blank or repeated is quarantined with all its days.
    """
    activities = {name: column for name, column in layout.columns.items() if DAY in column.source[0]}
    people = {name: column for name, column in layout.columns.items() if name not in activities}
    days = range(1, rules.days_per_recording + 1)
    wide = columns_of_days(layout, rules)
    sources, refusal, notes = match_columns(_names(raw, names), len(raw), wide, file)
    if refusal is not None:
        empty = blank_frame(layout.columns)
        empty.insert(len(people), "day", pd.Series(dtype="int64"))
        return Contracted(empty, refusal, len(raw), len(raw))

    table, found = _read_columns(raw, wide, sources)
    table = to_seconds(table, wide)
    lists = _listed(found, sources, file, table["source_row"])
    whole = table[~_broken(found, people, len(raw))]
    first, repeats = _first_of_each(whole, layout.model_copy(update={"columns": wide}), sources, file)
    row_used = table.index.isin(first.index)

    limit, tolerance = rules.seconds_per_day, rules.speed_sum_tolerance_seconds
    used, read, all_sums = [], 0, []
    for day in days:
        columns = {_of_day(name, day): name for name in activities}
        one_day = table[[*people, *columns, "source_row"]].rename(columns=columns)
        one_day.insert(len(people), "day", day)
        broken = _broken(found, columns, len(raw))
        delivered = one_day[list(activities)].notna().to_numpy().any(axis=1) | broken
        sums = seconds_of_day(one_day)
        all_sums.append(sums[delivered & ~broken])
        long = ~broken & (sums > limit + tolerance)
        message = f"the activities of day {day} must not take more than {limit} seconds together"
        lists.append(
            row_problems(file, "day_over_24_hours", message, one_day["source_row"].to_numpy()[long], f"day {day}")
        )
        used.append(one_day[row_used & delivered & ~broken & ~long])
        read += int(delivered.sum())

    frame = pd.concat(used).sort_values(["source_row", "day"], ignore_index=True)
    minutes = in_minutes(np.concatenate(all_sums), file, limit)
    if minutes is not None:
        return Contracted(frame.iloc[:0], join_problems([minutes, *lists, repeats]), read, read)
    return Contracted(frame, join_problems([*lists, repeats]), read, read - len(frame), notes)


def columns_of_days(layout: Layout, rules: Days) -> dict[str, Column]:
    """The columns of a file of day totals: people's, and each activity's of each day, in the order of the days."""
    activities = {name: column for name, column in layout.columns.items() if DAY in column.source[0]}
    return {name: column for name, column in layout.columns.items() if name not in activities} | {
        _of_day(name, day): column.model_copy(update={"source": tuple(s.replace(DAY, str(day)) for s in column.source)})
        for day in range(1, rules.days_per_recording + 1)
        for name, column in activities.items()
    }


def contract_signal(raw: pd.DataFrame, layout: Layout, file: str, names: Sequence[str] | None = None) -> Contracted:
    """Check one person's synchronized signal; a breach anywhere refuses the file.

    Args:
        raw: the columns as delivered: time, six axes in g, and optionally ``label``, which is passed on unchanged.
        layout: the codebook's layout of a signal.
        file: the file's name, for the list of problems.
        names: of all columns of the file, if ``raw`` has only some of them.

    Returns:
        ``frame``: timestamp (``datetime64[us]``, strictly increasing), six ``float64`` axes, and ``label`` if
        delivered; no ``source_row``. A problem names the first row that breaks a rule, and the number of rows that do.
    """
    sources, refusal, notes = match_columns(_names(raw, names), len(raw), layout.columns, file, welcome=("label",))
    if refusal is None:
        frame, found = _read_columns(raw, layout.columns, sources)
        times = frame["timestamp"].to_numpy()
        stalled = np.append(False, times[1:] <= times[:-1])  # a missing time compares false; it is already a breach
        if stalled.any():
            found.append(("timestamp", Breach("time_not_increasing", stalled, "each time must be later than the last")))
        if not found:
            frame = frame.drop(columns="source_row")
            if "label" in raw.columns:
                frame["label"] = raw["label"].reset_index(drop=True)
            return Contracted(frame, no_problems(), len(raw), 0, notes)
        refusal = join_problems(
            file_problem(
                file,
                breach.rule,
                f"{breach.message}; first in row {int(breach.cells.argmax()) + FIRST_ROW}, "
                f"in {int(breach.cells.sum())} of {len(raw)} rows",
                sources[name],
            )
            for name, breach in found
        )
    return Contracted(blank_frame(layout.columns).drop(columns="source_row"), refusal, len(raw), len(raw))


def blank_frame(columns: Mapping[str, Column]) -> pd.DataFrame:
    """No rows, with the canonical dtypes and ``source_row``."""
    frame = pd.DataFrame({name: blank_cells(column, 0) for name, column in columns.items()})
    return frame.assign(source_row=pd.Series(dtype="int64"))


def match_columns(
    delivered: Sequence[str],
    rows: int,
    columns: Mapping[str, Column],
    file: str,
    welcome: tuple[str, ...] = (),
) -> tuple[dict[str, str], pd.DataFrame | None, tuple[str, ...]]:
    """Find the columns of a layout among those of a file.

    Args:
        delivered: the names of the file's columns, in order.
        rows: number of rows of the file; one without rows is refused.
        columns: the layout's columns by canonical name.
        file: the file's name, for the list of problems.
        welcome: further columns that may be there.

    Returns:
        The delivered name of each canonical column, the problems that refuse the file (or None), and notes.
    """
    there = set(delivered)
    sources = {
        name: next(source for source in column.source if source in there)  # the codebook's first name wins
        for name, column in columns.items()
        if not there.isdisjoint(column.source)
    }
    used = set(sources.values())
    spare = [name for name in delivered if name not in used]
    refusal = [
        file_problem(file, "missing_column", _missing_message(column, spare, known=bool(sources)), column.source[0])
        for name, column in columns.items()
        if column.required and name not in sources
    ]
    refusal += [
        file_problem(file, "repeated_column", "the column is in the file twice", source)
        for source in dict.fromkeys(sources.values())
        if delivered.count(source) > 1
    ]
    if not refusal and rows == 0:
        refusal = [file_problem(file, "empty", "the file has a header and no rows")]
    if refusal:
        return sources, join_problems(refusal), ()
    notes = [
        f"optional column {' or '.join(column.source)} is not in the file: its cells are missing"
        for name, column in columns.items()
        if name not in sources
    ]
    extra = [name for name in spare if name not in welcome]
    if extra:
        notes.append(f"columns not in the codebook, ignored: {', '.join(extra)}")
    return sources, None, tuple(notes)


def _missing_message(column: Column, spare: list[str], known: bool) -> str:
    """The missing column, and the nearest delivered name that no other column uses.

    A name that differs only by case or blanks is always offered. A merely similar one is offered only if the file has
    a known column: the first line of a file without a header is a person's row.
    """
    wanted = " or ".join(column.source)
    folded = {source.casefold() for source in column.source}
    near = [name for name in spare if name.strip().casefold() in folded]
    if known:
        near += [match for source in column.source for match in get_close_matches(source, spare, n=1)]
    if near:
        return f"the required column {wanted} is not in the file; the nearest delivered name is '{near[0]}'"
    if known:
        return f"the required column {wanted} is not in the file"
    return f"the required column {wanted} is not in the file, nor is any known column: is the first line a header?"


def _read_columns(
    raw: pd.DataFrame, columns: Mapping[str, Column], sources: Mapping[str, str], first_row: int = FIRST_ROW
) -> tuple[pd.DataFrame, Found]:
    """All canonical columns with ``source_row``, including the broken rows, and the breaches."""
    table, found = {}, []
    for name, column in columns.items():
        if name not in sources:
            table[name] = blank_cells(column, len(raw))
            continue
        cells = read_cells(raw[sources[name]], column)
        table[name] = cells.values
        found += [(name, breach) for breach in cells.breaches]
    table["source_row"] = pd.Series(np.arange(len(raw), dtype="int64") + first_row)
    return pd.DataFrame(table, copy=False), found


def _broken(found: Found, columns: Iterable[str], rows: int) -> Mask:
    """The rows with a breach in any of the columns."""
    wanted = set(columns)
    masks = [breach.cells for name, breach in found if name in wanted]
    broken: Mask = np.logical_or.reduce([np.zeros(rows, dtype=bool), *masks])
    return broken


def _costs_the_cell(breach: Breach) -> Breach:
    return replace(breach, message=f"{breach.message}; the cell is read as missing, and the row is used")


def _listed(found: Found, sources: Mapping[str, str], file: str, rows: pd.Series) -> list[pd.DataFrame]:
    numbers = rows.to_numpy()
    return [row_problems(file, b.rule, b.message, numbers[b.cells], sources[name]) for name, b in found]


def _first_of_each(
    table: pd.DataFrame, layout: Layout, sources: Mapping[str, str], file: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The first row of each identity, and the problems of the later ones."""
    identity = list(layout.identity)
    if not identity:
        return table, no_problems()
    repeated = table.duplicated(identity).to_numpy()
    if not repeated.any():
        return table, no_problems()
    first = table.groupby(identity, sort=False)["source_row"].transform("first")[repeated]
    same = table.duplicated(list(layout.columns)).to_numpy()[repeated]
    messages = (
        pd.Series(np.where(same, "an exact repeat of row ", f"the same {' and '.join(identity)} as row "))
        + first.astype("str").to_numpy()
        + np.where(same, "", ", with other contents")
        + "; the first is kept"
    )
    rows = table["source_row"].to_numpy()[repeated]
    return table[~repeated], row_problems(file, "duplicate", messages, rows, sources[identity[0]])


def _names(raw: pd.DataFrame, names: Sequence[str] | None) -> list[str]:
    return [str(name) for name in (raw.columns if names is None else names)]


def _of_day(name: str, day: int) -> str:
    return f"{name} on day {day}"
