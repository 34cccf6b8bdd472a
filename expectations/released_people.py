"""released_people: The people whose data the newest release has."""

from __future__ import annotations

from stegvis.expectations.expectation import Expectation, unique
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [unique("wave", "person", meaning="participants are unique within a wave")]
