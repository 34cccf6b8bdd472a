"""withdrawals: People whose consent is withdrawn."""

from __future__ import annotations

from stegvis.expectations.rules import Rule, filled, quarantine_rules
from stegvis.study.protocol import Protocol


def rules(protocol: Protocol) -> list[Rule]:
    """What must hold before the table is published, and what is reported."""
    return [
        filled("person", "every withdrawal names a person"),
        *quarantine_rules(protocol.checks.largest_quarantined_share),
    ]
