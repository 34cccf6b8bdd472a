"""disclosure: What is suppressed in a wave."""

from __future__ import annotations

from stegvis.expectations.expectation import Expectation, between, filled
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [
        filled("cell", "every suppressed number is named"),
        filled("rule", "every suppressed number has a rule"),
        between("unprotected", None, 0, "no suppressed count can be calculated", about="summary"),
    ]
