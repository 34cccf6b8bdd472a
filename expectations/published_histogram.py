"""published_histogram: The histogram of each exposure as published."""

from __future__ import annotations

from stegvis.expectations.expectation import Expectation, unique
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [unique("wave", "exposure", "low", meaning="each bin is published once")]
