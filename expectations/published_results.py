"""published_results: The estimates of a wave as published."""

from __future__ import annotations

from stegvis.expectations.expectation import ESTIMATE_KEY, Expectation, unique
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [unique(*ESTIMATE_KEY, meaning="each estimate is published once")]
