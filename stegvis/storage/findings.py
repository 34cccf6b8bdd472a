"""The problems of a delivery for a person to read: grouped by file, rule and column, with where the rule comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from stegvis.storage.reading import UnreadableFile, read_columns
from stegvis.study.codebook import DAY, Codebook, LayoutName

MOST_NAMES = 40


@dataclass(frozen=True)
class Finding:
    """Every problem of one file, rule and column.

    Attributes:
        file: as in the list of problems.
        rule: the rule's short name.
        column: the source column; empty if there is none.
        count: how many rows break the rule; 0 for a problem of the whole file.
        rows: all of these rows, in order.
        message: the sentence of the first.
        codebook: file and line of the codebook that the rule comes from; empty if there is none.
    """

    file: str
    rule: str
    column: str
    count: int
    rows: tuple[int, ...]
    message: str
    codebook: str


def group(problems: pd.DataFrame, layouts: dict[str, LayoutName], codebook_file: Path) -> list[Finding]:
    """Group a list of problems, whole files first, then by the number of rows.

    Args:
        problems: file, row, column, rule, message (``stegvis/deliveries/problems.py``).
        layouts: the layout of each file of the drop, by name.
        codebook_file: where the rules are written.
    """
    lines = source_lines(codebook_file)
    filled = problems.assign(column=problems["column"].fillna(""))
    found = []
    for (file, rule, column), rows in filled.groupby(["file", "rule", "column"], sort=False):
        numbers = tuple(int(row) for row in rows["row"].dropna())
        line = _line_of(str(column), layouts.get(str(file)), lines)
        where = f"{codebook_file.name} line {line}" if line else ""
        found.append(
            Finding(str(file), str(rule), str(column), len(numbers), numbers, str(rows["message"].iloc[0]), where)
        )
    return sorted(found, key=lambda finding: (finding.count > 0, finding.file, -finding.count))


def source_lines(codebook_file: Path) -> dict[tuple[str, str], int]:
    """Line of the codebook for each layout and source name (``{day}`` as written)."""
    lines: dict[tuple[str, str], int] = {}
    layout = ""
    for number, line in enumerate(codebook_file.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if section := re.match(r"\s*\[(\w+)", line):
            layout = section[1]
        if sources := re.search(r"source\s*=\s*\[([^\]]*)\]", line):
            for name in re.findall(r"\"([^\"]*)\"|'([^']*)'", sources[1]):
                lines.setdefault((layout, name[0] or name[1]), number)
    return lines


def _line_of(column: str, layout: LayoutName | None, lines: dict[tuple[str, str], int]) -> int | None:
    for (its_layout, source), number in lines.items():
        if its_layout == layout and re.fullmatch(re.escape(source).replace(re.escape(DAY), "[0-9]+"), column):
            return number
    return None


def columns_found(
    folder: Path, findings: list[Finding], layouts: dict[str, LayoutName], codebook: Codebook
) -> Iterator[str]:
    """For each file that lacks a column, a sentence with the columns it has.

    Nothing is said of a csv without any known column: its first line may be a person's row.
    """
    for file in dict.fromkeys(finding.file for finding in findings if finding.rule == "missing_column"):
        layout = layouts.get(file)
        if layout is None:
            continue
        try:
            names = read_columns(folder / file, ()).names
        except UnreadableFile:
            continue
        known = {source.replace(DAY, "1") for column in codebook[layout].columns.values() for source in column.source}
        if known.isdisjoint(names) and file.lower().endswith(".csv"):
            continue
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        yield f"{file} has the columns {', '.join(names[:MOST_NAMES])}{more}"
