"""time_use_models: The 24 hours of a wave."""

from __future__ import annotations

from stegvis.expectations.expectation import Expectation, estimate_expectations
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """The same as for all estimates of a wave together; some changes of a day lie beyond what people do."""
    return estimate_expectations()
