"""withdrawals: whose consent is withdrawn, by delivery and row."""

from __future__ import annotations

from stegvis.expectations.rules import Rule, filled, quarantine_rules
from stegvis.study.protocol import Protocol


def rules(protocol: Protocol) -> list[Rule]:
    """What must hold before the table is published, and what is reported."""
    return [
        filled("source_row", "every withdrawal has its row in a delivery"),
        *quarantine_rules(protocol.checks.largest_quarantined_share),
    ]
