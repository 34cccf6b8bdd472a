"""pooled_models: Every estimate across waves."""

from __future__ import annotations

from stegvis.expectations.expectation import Expectation, estimate_expectations
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """The same as for the estimates of one wave."""
    return estimate_expectations("pooled")
