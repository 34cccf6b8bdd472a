"""analysis_set: The modeling table of a wave."""

from __future__ import annotations

from stegvis.expectations.expectation import WARNING, Expectation, filled, not_empty, one_of, unique
from stegvis.study.protocol import Exposure, Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    intensity = "walking_met" in protocol.exposures.names
    complete = [filled(c, f"{c} is known for everyone analyzed") for c in protocol.exclusions.complete_case]
    return [
        not_empty("the wave has participants to analyze"),
        unique("wave", "person", meaning="participants are unique"),
        one_of("low_back_pain", [0, 1], "the outcome is 0 or 1"),
        filled("low_back_pain", "the outcome is known for everyone analyzed"),
        filled("walking_minutes", "walking minutes are known for everyone analyzed"),
        *([filled("walking_met", "mean walking METs are known for everyone analyzed", WARNING)] if intensity else []),
        *complete,
        *(_categories(exposure, protocol) for exposure in protocol.exposures.names),
    ]


def _categories(exposure: Exposure, protocol: Protocol) -> Expectation:
    categories = list(protocol.exposures.scale(exposure).categories)
    name = "volume" if exposure == "walking_minutes" else "intensity"
    return one_of(f"{exposure}_category", categories, f"{name} categories run from 1 to {categories[-1]}")
