"""claims: The published claims, evaluated against the estimates."""

from __future__ import annotations

from stegvis.expectations.expectation import Expectation, filled, one_of, unique
from stegvis.study.protocol import Protocol

VERDICTS = ["supported", "not supported", "unclear", "not applicable", "cannot be evaluated"]


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [
        unique("wave", "claim", meaning="each claim is evaluated once in a wave"),
        one_of("verdict", VERDICTS, "every verdict is one of five"),
        filled("evidence", "every verdict shows its evidence"),
        filled("turn", "every verdict says what would change it"),
    ]
