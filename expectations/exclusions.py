"""exclusions: Each person's first exclusion."""

from __future__ import annotations

from stegvis.expectations.expectation import Expectation, not_empty, one_of, unique
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [
        not_empty("the cohort has participants"),
        unique("wave", "person", meaning="participants are unique within a wave"),
        one_of("reason", list(protocol.exclusions.order), "every reason is one of the protocol's"),
    ]
