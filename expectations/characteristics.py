"""characteristics: Table 1: who was analyzed, by walking volume."""

from __future__ import annotations

from stegvis.expectations.expectation import Expectation, between, one_of
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [
        one_of("status", ["ok", "suppressed"], "every cell is shown or suppressed"),
        between("percent", 0, 100, "percentages lie between 0 and 100"),
        between("n", 0, None, "counts are not negative"),
    ]
