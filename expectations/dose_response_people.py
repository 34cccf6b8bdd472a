"""dose_response_people: Who is behind each count of dose_response."""

from __future__ import annotations

from stegvis.expectations.expectation import Expectation, unique
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [unique("wave", "person", meaning="each person is there once in a wave")]
