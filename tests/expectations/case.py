"""Rows that meet every expectation of a table, and for each expectation a change that breaks it.

Tables are drawn as text (see ``tests/sql/tables.py``) and pass through DuckDB, so that the
expectations see the same types as in the pipeline.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import duckdb
import pandas as pd

from stegvis.expectations.evaluate import evaluate
from stegvis.expectations.expectation import CheckResult, Expectation, columns_read
from stegvis.study.protocol import Protocol
from tests.sql.tables import create, frame_of
from tests.study import PROTOCOL

NO_ROWS = "no rows"
Cells = Mapping[str, str]


@dataclass(frozen=True)
class Broken:
    """One way to break an expectation.

    Attributes:
        meaning: the expectation's sentence.
        change: new cells for the last row, or ``NO_ROWS``.
        summary: new counts about the making.
        also: other expectations that the same change must break, because they say more.
    """

    meaning: str
    change: Cells | str = field(default_factory=dict)
    summary: Mapping[str, float] = field(default_factory=dict)
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """A table, good rows of it, and how each of its expectations is broken."""

    asset: str
    good: str
    broken: tuple[Broken, ...]
    summary: Mapping[str, float] = field(default_factory=dict)

    def suite(self, in_force: Protocol | None = None) -> list[Expectation]:
        return list(importlib.import_module(f"stegvis.expectations.{self.asset}").suite(in_force or PROTOCOL))

    @cached_property
    def good_rows(self) -> pd.DataFrame:
        return self.table({})

    def table(self, change: Cells | str) -> pd.DataFrame:
        """The good table after a change, typed as the warehouse types it."""
        drawing = frame_of(self.good)
        if change == NO_ROWS:
            drawing = drawing.iloc[:0]
        elif not isinstance(change, str):
            last = drawing.index[-1]
            for column, cell in change.items():
                if column not in drawing:
                    raise KeyError(f"the drawing of {self.asset} has no column {column}")
                drawing.loc[last, column] = None if cell == "-" else cell
        with duckdb.connect() as connection:
            create(connection, self.asset, drawing)
            return connection.execute(f'select * from "{self.asset}"').df()

    def results(self, broken: Broken | None = None) -> list[CheckResult]:
        """The results on the good table, or on a broken one."""
        if broken is None:
            return evaluate(self.suite(), self.good_rows, self.summary)
        return self.of(self.suite(), broken)

    def results_of_broken(self, broken: Broken) -> list[CheckResult]:
        """The results of the expectations that must fail, alone: all others take ten times as long."""
        fail = {broken.meaning, *broken.also}
        return self.of([each for each in self.suite() if each.meaning in fail], broken)

    def of(self, expectations: list[Expectation], broken: Broken) -> list[CheckResult]:
        """The results of these expectations on the columns of a broken table that they read."""
        rows = self.table(broken.change)
        return evaluate(
            expectations, rows[columns_read(expectations, rows.columns)], {**self.summary, **broken.summary}
        )


def beside(table: str, cells: Cells) -> str:
    """A drawn table with further columns that are the same in every row."""
    header, *rows = table.strip().splitlines()
    return "\n".join([" | ".join([header, *cells]), *(" | ".join([row, *cells.values()]) for row in rows)])


def failed(results: list[CheckResult]) -> set[str]:
    """The sentences of the expectations that were not met."""
    return {result.expectation.meaning for result in results if not result.passed}


DELIVERY = {"quarantined_share": 0.0, "rows_quarantined": 0, "files_refused": 0, "recordings_accepted": 2}


def quarantine() -> tuple[Broken, ...]:
    """How the expectations that every delivery shares are broken."""
    share = PROTOCOL.checks.largest_quarantined_share
    return (
        Broken(
            f"at most {share:.0%} of the delivered rows are in quarantine", summary={"quarantined_share": share + 0.01}
        ),
        Broken("no delivered row is in quarantine", summary={"rows_quarantined": 1}),
        Broken("no delivered file is refused as a whole", summary={"files_refused": 1}),
    )
