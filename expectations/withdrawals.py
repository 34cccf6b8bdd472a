"""withdrawals: whose consent is withdrawn, by delivery and row."""

from __future__ import annotations

from stegvis.expectations.expectation import Expectation, filled, quarantine_expectations
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [
        filled("source_row", "every withdrawal has its row in a delivery"),
        *quarantine_expectations(protocol.checks.largest_quarantined_share),
    ]
