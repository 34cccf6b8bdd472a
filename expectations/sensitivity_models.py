"""sensitivity_models: The sensitivity analyses of a wave."""

from __future__ import annotations

from stegvis.expectations.expectation import Expectation, estimate_expectations
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """The same as for all estimates of a wave together; what adds a number to the models could be made."""
    names = [
        f"sensitivity:{each.name}"
        for each in protocol.sensitivity
        if set(each.add) - set(protocol.models.adjusted)
        and each.answer in (None, protocol.study.mode)
        and all(where.known for where in each.where)
    ]
    return estimate_expectations(*names)
