"""fitted_models: Every estimate of a wave."""

from __future__ import annotations

from expectations.rules import CRITICAL, WARNING, Rule, between, one_of, unique
from study.protocol import Protocol

KEY = ("wave", "analysis", "population", "model", "exposure", "term", "level", "measure")


def rules(protocol: Protocol) -> list[Rule]:
    """What must hold before the table is published, and what is reported."""
    return [
        unique(*KEY, meaning="each estimate stands once"),
        one_of("status", ["ok", "not_estimable", "suppressed"], "the status of each estimate is known"),
        one_of("status", ["ok"], "every estimate could be made", WARNING),
        between("p_value", 0, 1, "p values lie between 0 and 1"),
        Rule(
            "expect_column_pair_values_a_to_be_greater_than_b",
            "no interval is upside down",
            CRITICAL,
            {"column_A": "ci_high", "column_B": "ci_low", "or_equal": True, "ignore_row_if": "either_value_is_missing"},
        ),
    ]
