"""baseline_questionnaire: The baseline questionnaire as canonical columns."""

from __future__ import annotations

from stegvis.expectations.expectation import (
    WARNING,
    Expectation,
    between,
    filled,
    not_empty,
    quarantine_expectations,
    unique,
)
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    low, high = protocol.checks.plausible_age
    return [
        not_empty("the baseline has participants"),
        unique("person", meaning="participants are unique"),
        filled("person", "every row names a person"),
        between("age", low, high, f"ages lie between {low:.0f} and {high:.0f}", WARNING),
        *quarantine_expectations(protocol.checks.largest_quarantined_share),
    ]
