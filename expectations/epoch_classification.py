"""epoch_classification: The 5-second epochs, evaluated by a profile of one row per recording."""

from __future__ import annotations

from stegvis.expectations.expectation import Expectation, between, one_of, unique
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [
        unique("batch", "person", meaning="participants are unique within a batch"),
        one_of("unknown_activities", [0], "every epoch has a known activity"),
        one_of("repeated_epochs", [0], "there are no duplicate epochs"),
        one_of("speeds_without_walking", [0], "only walking has a walking speed"),
        between("epochs", 1, None, "every recording has epochs"),
    ]
