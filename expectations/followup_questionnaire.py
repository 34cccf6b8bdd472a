"""followup_questionnaire: A wave's questionnaire as canonical columns."""

from __future__ import annotations

from stegvis.expectations.expectation import Expectation, not_empty, quarantine_expectations, unique
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [
        not_empty("the wave has responses"),
        unique("wave", "person", meaning="respondents are unique within a wave"),
        *quarantine_expectations(protocol.checks.largest_quarantined_share),
    ]
