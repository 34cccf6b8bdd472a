"""analysis_set: The modeling table of a wave."""

from __future__ import annotations

from stegvis.expectations.expectation import WARNING, Expectation, filled, not_empty, one_of, unique
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    complete = [filled(c, f"{c} is known for everyone analyzed") for c in protocol.exclusions.complete_case]
    return [
        not_empty("the wave has participants to analyze"),
        unique("wave", "person", meaning="participants are unique"),
        one_of("low_back_pain", [0, 1], "low back pain is 0 or 1"),
        filled("low_back_pain", "the outcome is known for everyone analyzed"),
        filled("walking_minutes", "walking minutes are known for everyone analyzed"),
        filled("walking_met", "mean walking METs are known for everyone analyzed", WARNING),
        *complete,
        one_of("walking_minutes_category", [1, 2, 3, 4], "volume categories run from 1 to 4"),
        one_of("walking_met_category", [1, 2, 3, 4], "intensity categories run from 1 to 4"),
    ]
