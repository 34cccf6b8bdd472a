"""Tables of ratios by category and model, in one form for all analyses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stegvis.reporting.formatting import interval_name
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.rows import by_level
from stegvis.reporting.tables import estimate_cell, p_cell, people_cells
from stegvis.reporting.wording import level_label
from stegvis.study.protocol import Protocol

Rows = Sequence[Mapping[str, Any]]


def ratios_table(
    identifier: str,
    caption: str,
    first: str,
    groups: Sequence[tuple[str, Rows]],
    protocol: Protocol,
    note: str = "",
) -> Table | None:
    """Both models' ratios by category, the fully adjusted one first, with participants and cases; in groups.

    Args:
        identifier, caption, note: of the table.
        first: heading of the column of categories.
        groups: heading and rows of results (measure rr, either model or both). Groups without rows are omitted.
        protocol: gives the level of the intervals.
    """
    shown = [Group(lines(rows), heading) for heading, rows in groups if rows]
    if not shown:
        return None
    columns = (
        first,
        f"Fully adjusted RR ({interval_name(protocol)})",
        "p, fully adjusted",
        f"Age-adjusted RR ({interval_name(protocol)})",
        "Participants",
        "Cases",
    )
    reasons = dict.fromkeys(
        reason
        for _, rows in groups
        for row in rows
        if row["status"] == "not_estimable" and (reason := str(row["note"]).split("; ")[-1])
    )
    notes = " ".join([note, *(f"Not estimable: {reason}." for reason in list(reasons)[:3])]).strip()
    return Table(identifier, caption, columns, tuple(shown), note=notes)


def lines(rows: Rows) -> tuple[tuple[str, ...], ...]:
    """One line per category, the reference first."""
    levels: dict[str, dict[str, Mapping[str, Any]]] = {}
    for each in by_level([dict(row) for row in rows]):
        levels.setdefault(str(each["level"]), {})[str(each["model"])] = each
    made = []
    for level, by_model in levels.items():
        row = by_model.get("adjusted", next(iter(by_model.values())))
        adjusted, age = (estimate_cell(by_model[name]) if name in by_model else "–" for name in ("adjusted", "age"))
        made.append((level_label(level), adjusted, p_cell(row), age, *people_cells(row)))
    return tuple(made)


def variants_table(
    identifier: str, caption: str, levels: Sequence[str], entries: Sequence[tuple[str, Rows]], note: str = ""
) -> Table | None:
    """Fully adjusted ratios of the same categories by analysis: one row per analysis, one column per category.

    Args:
        identifier, caption, note: of the table.
        levels: the categories except the reference, as spelled in the rows.
        entries: name and rows of each analysis. Analyses without a ratio are omitted.
    """
    made = []
    for label, rows in entries:
        by_name = {str(row["level"]): row for row in rows if row["measure"] == "rr" and row["model"] == "adjusted"}
        if by_name:
            made.append((label, *(estimate_cell(by_name[level]) if level in by_name else "–" for level in levels)))
    if not made:
        return None
    columns = ("Analysis", *(level_label(level) for level in levels))
    return Table(identifier, caption, columns, (Group(tuple(made)),), note=note)
