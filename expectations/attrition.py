"""attrition: The exclusion steps with their counts."""

from __future__ import annotations

from stegvis.expectations.expectation import CRITICAL, WARNING, Expectation, between
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    steps = len(protocol.exclusions.order) + 1
    return [
        Expectation(
            "expect_table_row_count_to_equal", "the table has each step of the protocol", CRITICAL, {"value": steps}
        ),
        Expectation(
            "expect_column_values_to_be_decreasing",
            "no step adds participants",
            CRITICAL,
            {"column": "remaining", "strictly": False},
        ),
        between("remaining", 0, None, "no step excludes more participants than there are"),
        between("remaining", 1, None, "participants remain to be analyzed", WARNING),
    ]
