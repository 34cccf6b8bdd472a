"""eligible_people: Participants with valid days and without the outcome at baseline."""

from __future__ import annotations

from stegvis.expectations.expectation import WARNING, Expectation, filled, not_empty, one_of, unique
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [
        not_empty("the wave has eligible participants"),
        unique("wave", "person", meaning="participants are unique"),
        filled("walking_minutes", "walking minutes are known for everyone eligible"),
        filled("answered", "it is known whether each participant responded"),
        one_of("low_back_pain", [0, 1], "the outcome is 0 or 1"),
        one_of("responded_after_death", [False], "nobody responded after their recorded death", WARNING),
    ]
