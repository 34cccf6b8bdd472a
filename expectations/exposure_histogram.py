"""exposure_histogram: People by bin of each exposure."""

from __future__ import annotations

from stegvis.expectations.expectation import Expectation, unique
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [unique("wave", "exposure", "low", meaning="each bin is counted once")]
