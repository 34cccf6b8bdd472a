"""vital_status: who died or emigrated, and when."""

from __future__ import annotations

from stegvis.expectations.expectation import (
    CRITICAL,
    WARNING,
    Expectation,
    between,
    filled,
    one_of,
    quarantine_expectations,
    unique,
)
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    share = protocol.checks.smallest_share_in_cohort
    return [
        unique("person", meaning="people with an event are unique"),
        filled("date", "the date of each event is known"),
        one_of("event", ["died", "emigrated"], "each event is a death or an emigration"),
        # Of no people at all a mean would fail: most studies have no registry.
        between(
            "unlinked_share",
            None,
            1 - share,
            f"at least {share:.0%} of the people come from the cohort",
            CRITICAL,
            "summary",
        ),
        one_of("in_cohort", [True], "everyone with an event comes from the cohort", WARNING),
        *quarantine_expectations(protocol.checks.largest_quarantined_share),
    ]
