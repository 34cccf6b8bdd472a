"""published_characteristics: Table 1 of a wave as published."""

from __future__ import annotations

from stegvis.expectations.expectation import Expectation, unique
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [unique("wave", "exposure", "category", "variable", "level", meaning="each cell is published once")]
