"""delivered_days: Delivered day totals of a batch."""

from __future__ import annotations

from stegvis.expectations.expectation import Expectation, unique
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [unique("batch", "person", "day", meaning="the days of a participant are unique within a batch")]
