"""How the expectations of a table are written, and the result of evaluating one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from stegvis.study.plausible_items import LABELS, outside

Severity = Literal["critical", "until accepted", "warning"]
CRITICAL: Severity = "critical"
UNTIL_ACCEPTED: Severity = "until accepted"
WARNING: Severity = "warning"
SEVERITIES: tuple[Severity, ...] = (CRITICAL, WARNING)


Theme = Literal["keys", "complete", "valid", "plausible"]
# A table's checks in the UI, one per theme.
THEMES: dict[Theme, str] = {
    "keys": "Rows are unique. Critical: blocks publication.",
    "complete": "Required values and rows are present. Critical: blocks publication.",
    "valid": "Values are possible. Critical: blocks publication.",
    "plausible": "Values are likely. Warns; a new wave or batch far from what is expected waits until it is accepted.",
}
# What identifies an estimate.
ESTIMATE_KEY = ("wave", "analysis", "population", "model", "exposure", "term", "level", "measure")
_KEYS = ("expect_column_values_to_be_unique", "expect_compound_columns_to_be_unique")
_COMPLETE = (
    "expect_column_values_to_not_be_null", "expect_table_row_count_to_be_between", "expect_table_columns_to_match_set",
)  # fmt: skip


@dataclass(frozen=True)
class Expectation:
    """One Great Expectations expectation, and what it means to a reader.

    Attributes:
        type_name: its type, for example ``expect_column_values_to_be_unique``.
        meaning: the expectation as a sentence, shown in the UI and the report.
        severity: critical stops what follows; until accepted stops a new wave or batch until a named person accepts it,
            and is reported otherwise; warning is reported.
        arguments: the expectation's own.
        about: the table's rows, or the one-row summary of its making.
    """

    type_name: str
    meaning: str
    severity: Severity
    arguments: dict[str, Any] = field(default_factory=dict)
    about: Literal["rows", "summary"] = "rows"

    @property
    def column(self) -> str:
        """The column (or columns) it is about; empty for the whole table."""
        if "column_list" in self.arguments:
            return ", ".join(self.arguments["column_list"])
        return str(self.arguments.get("column", ""))

    @property
    def theme(self) -> Theme:
        """The check it belongs to: one that is not critical is about plausibility, the others go by their type."""
        if self.severity != CRITICAL:
            return "plausible"
        if self.type_name in _KEYS:
            return "keys"
        return "complete" if self.type_name in _COMPLETE else "valid"


@dataclass(frozen=True)
class CheckResult:
    """Whether an expectation was met: counts only, never a person's value.

    Attributes:
        expectation: which.
        passed: whether it was met.
        failing: rows that do not meet it.
        total: all rows.
        detail: of a wave or batch as a whole, what was found and what was expected.
        waits: nobody has accepted it yet.
    """

    expectation: Expectation
    passed: bool
    failing: int
    total: int
    detail: str = ""
    waits: bool = False

    @property
    def blocks(self) -> bool:
        """Whether the table is not published if it failed."""
        return self.expectation.severity == CRITICAL or self.waits

    def as_row(self) -> tuple[str, str, str, str, bool, int, int]:
        """For the warehouse: type, column, meaning, severity, passed, failing, total."""
        return (
            self.expectation.type_name,
            self.expectation.column,
            self.expectation.meaning,
            CRITICAL if self.expectation.severity == CRITICAL else WARNING,
            self.passed,
            self.failing,
            self.total,
        )


def not_empty(meaning: str, severity: Severity = CRITICAL) -> Expectation:
    """The table has a row."""
    return Expectation("expect_table_row_count_to_be_between", meaning, severity, {"min_value": 1})


def unique(*columns: str, meaning: str, severity: Severity = CRITICAL) -> Expectation:
    """No two rows share these columns."""
    if len(columns) == 1:
        return Expectation("expect_column_values_to_be_unique", meaning, severity, {"column": columns[0]})
    return Expectation("expect_compound_columns_to_be_unique", meaning, severity, {"column_list": list(columns)})


def filled(column: str, meaning: str, severity: Severity = CRITICAL) -> Expectation:
    """The column has no missing value."""
    return Expectation("expect_column_values_to_not_be_null", meaning, severity, {"column": column})


def between(
    column: str,
    low: float | None,
    high: float | None,
    meaning: str,
    severity: Severity = CRITICAL,
    about: Literal["rows", "summary"] = "rows",
) -> Expectation:
    """Every value that is present lies between the limits, both included."""
    return Expectation(
        "expect_column_values_to_be_between",
        meaning,
        severity,
        {"column": column, "min_value": low, "max_value": high},
        about,
    )


def one_of(column: str, values: list[Any], meaning: str, severity: Severity = CRITICAL) -> Expectation:
    """Every value that is present is one of these."""
    return Expectation("expect_column_values_to_be_in_set", meaning, severity, {"column": column, "value_set": values})


def mean_between(column: str, low: float | None, high: float | None, meaning: str, severity: Severity) -> Expectation:
    """The mean of the column lies between the limits."""
    return Expectation(
        "expect_column_mean_to_be_between", meaning, severity, {"column": column, "min_value": low, "max_value": high}
    )


def has_columns(*columns: str, meaning: str, severity: Severity = CRITICAL) -> Expectation:
    """The table has exactly these columns."""
    return Expectation(
        "expect_table_columns_to_match_set", meaning, severity, {"column_set": list(columns), "exact_match": True}
    )


def quarantine_expectations(largest_share: float) -> list[Expectation]:
    """What every delivery's summary must show: little in quarantine, and no file refused."""
    return [
        between(
            "quarantined_share",
            None,
            largest_share,
            f"at most {largest_share:.0%} of the delivered rows are in quarantine",
            CRITICAL,
            "summary",
        ),
        between("rows_quarantined", None, 0, "no delivered row is in quarantine", WARNING, "summary"),
        between("files_refused", None, 0, "no delivered file is refused as a whole", WARNING, "summary"),
    ]


def estimate_expectations(*expected: str) -> list[Expectation]:
    """What every table of estimates must meet.

    Args:
        expected: analyses that any wave of some size allows; may be none. Others may find too few people somewhere in
            every wave, and say so in their rows: a warning for them would always be shown.
    """
    return [
        unique(*ESTIMATE_KEY, meaning="estimates are unique"),
        one_of("status", ["ok", "not_estimable", "suppressed"], "the status of each estimate is known"),
        *(
            [
                where(
                    f"analysis in {list(expected)}",
                    one_of("status", ["ok"], f"every estimate of {' and '.join(expected)} could be made", WARNING),
                )
            ]
            if expected
            else []
        ),
        between("p_value", 0, 1, "p values lie between 0 and 1"),
        Expectation(
            "expect_column_pair_values_a_to_be_greater_than_b",
            "lower limits do not exceed upper limits",
            CRITICAL,
            {"column_A": "ci_high", "column_B": "ci_low", "or_equal": True, "ignore_row_if": "either_value_is_missing"},
        ),
    ]


def as_expected(items: Iterable[str]) -> list[Expectation]:
    """Each item of a wave's or batch's profile lies in its expected range, which the protocol and earlier ones give."""
    return [
        Expectation(
            "expect_column_values_to_be_between",
            f"{LABELS[item][0]} is in the expected range",
            UNTIL_ACCEPTED,
            {"column": outside(item), "min_value": 0, "max_value": 0},
            "summary",
        )
        for item in items
    ]


def measured(expectations: Sequence[Expectation], summary: Collection[str]) -> list[Expectation]:
    """Without those on what could not be measured of a delivery as a whole, such as the age of nobody."""
    return [
        each
        for each in expectations
        if each.severity == CRITICAL or each.about == "rows" or not each.column or each.column in summary
    ]


def columns_read(expectations: Iterable[Expectation], columns: Sequence[str]) -> list[str]:
    """Those of a table's columns that its expectations read; at least one, so that its rows can be counted."""
    about_rows = [each.arguments for each in expectations if each.about == "rows"]
    if any("column_set" in arguments for arguments in about_rows):
        return list(columns)
    named: set[Any] = set()
    for arguments in about_rows:
        named.update(each for each in arguments.values() if isinstance(each, str))
        named.update(arguments.get("column_list", ()))
    conditions = " ".join(arguments.get("row_condition", "") for arguments in about_rows)
    return [each for each in columns if each in named or each in conditions] or list(columns[:1])


def settled(results: Sequence[CheckResult], found: Mapping[str, str], waiting: Set[str]) -> list[CheckResult]:
    """The check results with what was found of each item of a profile.

    Args:
        results: of all expectations.
        found: by item, what was found and what was expected.
        waiting: the items that nobody has accepted yet.
    """
    items = {outside(item): item for item in found}
    return [
        replace(result, detail=found[item], waits=item in waiting)
        if not result.passed and (item := items.get(result.expectation.column))
        else result
        for result in results
    ]


def where(condition: str, expectation: Expectation) -> Expectation:
    """An expectation of the rows that meet a condition, in the syntax of ``pandas.DataFrame.query``."""
    conditional = {"row_condition": condition, "condition_parser": "pandas"}
    return replace(expectation, arguments=expectation.arguments | conditional)
