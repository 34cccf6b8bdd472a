"""published_results: The estimates of a wave as published."""

from __future__ import annotations

from stegvis.expectations.expectation import Expectation, unique
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [
        unique(
            "wave",
            "analysis",
            "population",
            "model",
            "exposure",
            "term",
            "level",
            "measure",
            meaning="each estimate is published once",
        )
    ]
