"""The words rules are written in.

Belongs here: what a rule and its verdict are. Does not belong here: running them (``judge.py``) or any table's own
rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

Severity = Literal["critical", "warning"]
CRITICAL: Severity = "critical"
WARNING: Severity = "warning"
SEVERITIES: tuple[Severity, ...] = (CRITICAL, WARNING)


Theme = Literal["keys", "complete", "valid", "plausible"]
# A table's checks in the UI, one per theme: who is in it and once; nothing missing; values possible; values likely.
THEMES: tuple[Theme, ...] = ("keys", "complete", "valid", "plausible")
_KEYS = ("expect_column_values_to_be_unique", "expect_compound_columns_to_be_unique")
_COMPLETE = (
    "expect_column_values_to_not_be_null", "expect_table_row_count_to_be_between", "expect_table_columns_to_match_set",
)  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """One Great Expectations expectation, and what it means to a reader.

    Attributes:
        expectation: its type, for example ``expect_column_values_to_be_unique``.
        meaning: the rule as a sentence, shown in the UI and the report.
        severity: critical stops what follows; warning is reported.
        arguments: the expectation's own.
        about: the table's rows, or the one-row summary of its making.
    """

    expectation: str
    meaning: str
    severity: Severity
    arguments: dict[str, Any] = field(default_factory=dict)
    about: Literal["rows", "summary"] = "rows"

    @property
    def column(self) -> str:
        """The column (or columns) the rule is about; empty for the whole table."""
        if "column_list" in self.arguments:
            return ", ".join(self.arguments["column_list"])
        return str(self.arguments.get("column", ""))

    @property
    def theme(self) -> Theme:
        """The check it belongs to: one that only warns is about plausibility, the others go by their type."""
        if self.severity == WARNING:
            return "plausible"
        if self.expectation in _KEYS:
            return "keys"
        return "complete" if self.expectation in _COMPLETE else "valid"


@dataclass(frozen=True)
class Verdict:
    """Whether a rule held: counts only, never a value."""

    rule: Rule
    passed: bool
    failing: int
    total: int

    def sentence(self) -> str:
        """What failed, for a log line."""
        by_row = self.rule.about == "rows" and "values" in self.rule.expectation
        of = f" ({self.failing} of {self.total} rows)" if by_row and self.failing else ""
        return f"{self.rule.meaning}{of}"

    def as_row(self) -> tuple[str, str, str, str, bool, int, int]:
        """For the warehouse: rule, column, meaning, severity, passed, failing, total."""
        return (
            self.rule.expectation,
            self.rule.column,
            self.rule.meaning,
            self.rule.severity,
            self.passed,
            self.failing,
            self.total,
        )


def not_empty(meaning: str, severity: Severity = CRITICAL) -> Rule:
    """The table has a row."""
    return Rule("expect_table_row_count_to_be_between", meaning, severity, {"min_value": 1})


def unique(*columns: str, meaning: str, severity: Severity = CRITICAL) -> Rule:
    """No two rows share these columns."""
    if len(columns) == 1:
        return Rule("expect_column_values_to_be_unique", meaning, severity, {"column": columns[0]})
    return Rule("expect_compound_columns_to_be_unique", meaning, severity, {"column_list": list(columns)})


def filled(column: str, meaning: str, severity: Severity = CRITICAL) -> Rule:
    """The column has no missing value."""
    return Rule("expect_column_values_to_not_be_null", meaning, severity, {"column": column})


def between(
    column: str,
    low: float | None,
    high: float | None,
    meaning: str,
    severity: Severity = CRITICAL,
    about: Literal["rows", "summary"] = "rows",
) -> Rule:
    """Every value that is present lies between the limits, both included."""
    return Rule(
        "expect_column_values_to_be_between",
        meaning,
        severity,
        {"column": column, "min_value": low, "max_value": high},
        about,
    )


def one_of(column: str, values: list[Any], meaning: str, severity: Severity = CRITICAL) -> Rule:
    """Every value that is present is one of these."""
    return Rule("expect_column_values_to_be_in_set", meaning, severity, {"column": column, "value_set": values})


def mean_between(column: str, low: float | None, high: float | None, meaning: str, severity: Severity) -> Rule:
    """The mean of the column lies between the limits."""
    return Rule(
        "expect_column_mean_to_be_between", meaning, severity, {"column": column, "min_value": low, "max_value": high}
    )


def has_columns(*columns: str, meaning: str, severity: Severity = CRITICAL) -> Rule:
    """The table has exactly these columns."""
    return Rule(
        "expect_table_columns_to_match_set", meaning, severity, {"column_set": list(columns), "exact_match": True}
    )


def quarantine_rules(largest_share: float) -> list[Rule]:
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


def estimate_rules(*expected: str) -> list[Rule]:
    """What must hold of a table of estimates.

    Args:
        expected: analyses that any wave of some size allows. Others may find too few people somewhere in every wave,
            and say so in their rows: a warning for them would be always on.
    """
    key = ("wave", "analysis", "population", "model", "exposure", "term", "level", "measure")
    return [
        unique(*key, meaning="each estimate stands once"),
        one_of("status", ["ok", "not_estimable", "suppressed"], "the status of each estimate is known"),
        where(
            f"analysis in {list(expected)}",
            one_of("status", ["ok"], f"every estimate of {' and '.join(expected)} could be made", WARNING),
        ),
        between("p_value", 0, 1, "p values lie between 0 and 1"),
        Rule(
            "expect_column_pair_values_a_to_be_greater_than_b",
            "no interval is upside down",
            CRITICAL,
            {"column_A": "ci_high", "column_B": "ci_low", "or_equal": True, "ignore_row_if": "either_value_is_missing"},
        ),
    ]


def where(condition: str, rule: Rule) -> Rule:
    """A rule about the rows that meet a condition, in the words of ``pandas.DataFrame.query``."""
    return replace(rule, arguments=rule.arguments | {"row_condition": condition, "condition_parser": "pandas"})
