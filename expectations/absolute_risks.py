"""absolute_risks: Standardized risks of a wave."""

from __future__ import annotations

from stegvis.expectations.expectation import Expectation, estimate_expectations
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """The same as for all estimates of a wave together."""
    return estimate_expectations("standardized_risk")
