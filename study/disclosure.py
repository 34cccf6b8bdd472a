"""Disclosure control: which counts may leave, and which must not.

Belongs here: hiding small counts, and further counts from which they could be worked out, in results, Table 1 and the
attrition steps, with a log of what was held back. Does not belong here: computing those tables; comparing with earlier
releases; the audit of attackers' bounds.

The rules (Hundepool et al. 2012, Statistical Disclosure Control, doi 10.1002/9781118348239). Primary: a count above
zero and below the smallest that may be told. Complementary: where exactly one count of a total is hidden, the
next smallest is hidden too, since subtraction would give the first away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from study.characteristics import ALL, CHARACTERISTICS_COLUMNS, PEOPLE
from study.statistics.results import ESTIMATE_COLUMNS, RESULT_COLUMNS, joined

HELD_BACK_COLUMNS = ("table", "where", "rule")
COMPLEMENTARY = "complementary: a hidden count could be worked out from it"


def primary_rule(smallest_count: int) -> str:
    """The primary rule in words."""
    return f"count below {smallest_count}"


def is_small(counts: np.ndarray, smallest_count: int) -> np.ndarray:
    """Where a count is above zero and below the smallest that may be told; same shape."""
    return (counts > 0) & (counts < smallest_count)


def hidden_counts(
    inner: np.ndarray, smallest_count: int, closed: Sequence[bool] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """What to hide in a table of counts whose row, column and grand totals are told too.

    Args:
        inner: levels x categories, counts of people, each in exactly one cell.
        smallest_count: the smallest count that may be told.
        closed: columns, the last being the total, that are hidden entirely for another reason.

    Returns:
        (hidden, primary), boolean, (levels + 1) x (categories + 1): the last row holds the totals of the columns, the
        last column those of the rows. ``primary`` marks the small ones among the hidden.
    """
    counts = np.asarray(inner, dtype="int64")
    table = np.zeros((counts.shape[0] + 1, counts.shape[1] + 1), dtype="int64")
    table[:-1, :-1] = counts
    table[:-1, -1] = counts.sum(axis=1)
    table[-1] = table[:-1].sum(axis=0)
    primary = is_small(table, smallest_count)
    hidden = primary.copy()
    if closed is not None:
        hidden[:, list(closed)] = True
    before = -1
    while before != (before := int(hidden.sum())):
        _hide_a_second_in_rows(table, hidden)
        _hide_a_second_in_rows(table.T, hidden.T)
    return hidden, primary


def _hide_a_second_in_rows(table: np.ndarray, hidden: np.ndarray) -> None:
    """In each row with exactly one hidden count, hide a second (in place)."""
    last_row, last_column = table.shape[0] - 1, table.shape[1] - 1
    for row in np.flatnonzero(hidden.sum(axis=1) == 1).tolist():

        def cost(column: int, row: int = row) -> tuple[bool, bool, bool, int]:
            """Counts before totals, people before zeros, then what also helps its column, then the smallest."""
            is_total = row == last_row or column == last_column
            helps_column = bool(hidden[:, column].sum() == 1)
            return is_total, bool(table[row, column] == 0), not helps_column, int(table[row, column])

        hidden[row, min(np.flatnonzero(~hidden[row]).tolist(), key=cost)] = True


def suppress_results(results: pd.DataFrame, smallest_count: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hide small n, events and non-events in results, and the estimates made from them.

    Rows that differ only in their level are the columns of one table of events and non-events. A row with a hidden
    count gets status ``suppressed`` and no estimate.

    Returns:
        (results, held_back).
    """
    # Tables read back from a database come with other types, in which a count cannot be missing.
    results = results.astype(RESULT_COLUMNS)
    keys = ["wave", "analysis", "population", "model", "exposure", "term", "measure"]
    counted = results.dropna(subset=["n", "events"])
    counts = np.stack([counted["n"] - counted["events"], counted["events"], counted["n"]]).astype("int64")
    block = counted.groupby(keys, sort=False).ngroup().to_numpy()
    rules: dict[Any, str] = {}
    without_n = []
    # A block without a small count has nothing to hide: its totals are no smaller than what they add up.
    for number in np.unique(block[is_small(counts, smallest_count).any(axis=0)]):
        places = np.flatnonzero(block == number)
        hidden, primary = hidden_counts(counts[:2, places], smallest_count)
        for position, index in enumerate(counted.index[places]):
            if hidden[:, position].any():
                rules[index] = primary_rule(smallest_count) if primary[:, position].any() else COMPLEMENTARY
            if hidden[-1, position]:
                without_n.append(index)
    rows = list(rules)
    results.loc[rows, ["events", *ESTIMATE_COLUMNS]] = np.nan
    results.loc[without_n, "n"] = pd.NA
    results.loc[rows, "status"] = "suppressed"
    results.loc[rows, "note"] = [joined(str(results["note"][row]), rule) for row, rule in rules.items()]
    held_back = [
        ("results", _where(row, [*keys, "level"]), rule)
        for (_, row), rule in zip(results.loc[rows].iterrows(), rules.values(), strict=True)
    ]
    return results, _log(held_back)


def suppress_characteristics(table: pd.DataFrame, smallest_count: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hide small counts in Table 1, and the percentages, means and deviations that rest on them.

    Every variable with levels is a table of levels by categories with its totals told. A category whose number of
    people is hidden is hidden entirely, since any percentage beside a count would give its base away.

    Returns:
        (table, held_back).
    """
    table = table.astype(CHARACTERISTICS_COLUMNS)
    held_back: list[tuple[str, str, str]] = []
    for _, block in table.groupby(["wave", "exposure"], sort=False):
        for index, rule in _hidden_characteristics(block, smallest_count).items():
            table.loc[index, ["n", "percent", "mean", "sd"]] = np.nan
            table.loc[index, "status"] = "suppressed"
            where = _where(table.loc[index], ["wave", "exposure", "category", "variable", "level"])
            held_back.append(("characteristics", where, rule))
    return table, _log(held_back)


def suppress_attrition(steps: pd.DataFrame, smallest_count: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hide small exclusions in the ordered steps of one or more waves.

    Args:
        steps: rows in order; ``remaining`` people after the step, and ``step`` its name; optionally ``wave`` and
            ``excluded``. The people excluded at a step are the difference from the remaining before it.
        smallest_count: the smallest count that may be told.

    The people excluded at each step and those left at the end are the cells; a small cell is merged with its neighbor:
    what remains between the two, and both cells, are hidden, so that only their sum can be worked out. The first and
    the last remaining count are kept, unless the last is small, or all exclusions together are; then the last, or the
    first, is hidden too.

    Returns:
        (steps with status, held_back).

    Raises:
        ValueError: the remaining counts rise.
    """
    steps = steps.astype({"remaining": "Int64"})
    steps["status"] = "ok"
    if "excluded" in steps:
        steps = steps.astype({"excluded": "Int64"})
    held_back: list[tuple[str, str, str]] = []
    blocks = [block for _, block in steps.groupby("wave", sort=False)] if "wave" in steps else [steps]
    for block in blocks:
        remaining = block["remaining"].to_numpy(dtype="int64")
        excluded = -np.diff(remaining)
        if (excluded < 0).any():
            raise ValueError("the people remaining increase from one step to the next")
        cells = np.append(excluded, remaining[-1])
        for group in _merged(cells, smallest_count):
            if len(group) == 1 and not is_small(cells[group], smallest_count)[0]:
                continue
            # Cell k leads from remaining[k] to remaining[k + 1]; the last cell is the last remaining count itself.
            hide_excluded = {k + 1 for k in group if k < len(excluded)}
            hide_remaining = {k + 1 for k in group[:-1]}
            if is_small(cells[group].sum(keepdims=True), smallest_count)[0]:
                hide_remaining.add(0)
            for row in sorted(hide_remaining | hide_excluded):
                index = block.index[row]
                steps.loc[index, "status"] = "suppressed"
                if row in hide_remaining:
                    steps.loc[index, "remaining"] = pd.NA
                if "excluded" in steps and row in hide_excluded:
                    steps.loc[index, "excluded"] = pd.NA
                told = np.array([remaining[row], excluded[row - 1] if row > 0 else 0])
                small = is_small(told, smallest_count).any()
                rule = primary_rule(smallest_count) if small else COMPLEMENTARY
                names = [name for name in ("wave", "step") if name in steps]
                held_back.append(("attrition", _where(steps.loc[index], names), rule))
    return steps, _log(held_back)


def _hidden_characteristics(block: pd.DataFrame, smallest_count: int) -> dict[Any, str]:
    """Rows of one Table 1 to hide, with the rule, in the table's order."""
    categories = [category for category in block["category"].unique() if category != ALL]
    columns = [*categories, ALL]
    rules: dict[Any, str] = {}

    people = block[block["variable"] == PEOPLE].set_index("category")["n"]
    hidden, small = hidden_counts(people[categories].to_numpy(dtype="int64")[np.newaxis], smallest_count)
    closed = hidden[-1].tolist()
    for position, category in enumerate(columns):
        if closed[position]:
            rule = primary_rule(smallest_count) if small[-1, position] else COMPLEMENTARY
            rules |= dict.fromkeys(block.index[block["category"] == category], rule)
    for variable in block.loc[block["percent"].notna(), "variable"].unique():
        rows = block[block["variable"] == variable]
        levels = list(rows["level"].unique())
        index = pd.Series(rows.index, index=pd.MultiIndex.from_frame(rows[["level", "category"]]))
        counts = rows.pivot(index="level", columns="category", values="n").loc[levels, categories]
        hidden, primary = hidden_counts(counts.to_numpy(dtype="int64"), smallest_count, closed)
        for row, level in enumerate(levels):
            for column, category in enumerate(columns):
                if hidden[row, column]:
                    rule = primary_rule(smallest_count) if primary[row, column] else COMPLEMENTARY
                    rules.setdefault(index[(level, category)], rule)
    return {row_index: rules[row_index] for row_index in block.index if row_index in rules}


def _merged(cells: np.ndarray, smallest_count: int) -> list[list[int]]:
    """Consecutive cells put together until no group's sum is small.

    The last cell, those left at the end, stands alone unless it is small itself.
    """
    groups: list[list[int]] = []

    def small(group: list[int]) -> bool:
        return bool(is_small(cells[group].sum(keepdims=True), smallest_count)[0])

    def close(group: list[int]) -> None:
        while small(group) and groups:
            group = [*groups.pop(), *group]
        groups.append(group)

    current: list[int] = []
    for cell in range(len(cells) - 1):
        current.append(cell)
        if not small(current):
            groups.append(current)
            current = []
    if current:
        close(current)
    close([len(cells) - 1])
    return groups


def _where(row: pd.Series, names: Sequence[str]) -> str:
    return " / ".join(str(row[name]) for name in names if str(row[name]))


def _log(held_back: Sequence[tuple[str, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(list(held_back), columns=list(HELD_BACK_COLUMNS)).astype("str")
