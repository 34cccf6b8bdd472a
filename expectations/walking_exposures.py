"""walking_exposures: Each person's walking minutes per day and mean walking METs."""

from __future__ import annotations

from stegvis.expectations.expectation import WARNING, Expectation, between, unique
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [
        unique("person", meaning="participants are unique"),
        between("valid_days", 0, 31, "valid days lie between 0 and 31"),
        between("walking_minutes", 0, 1440, "walking takes between 0 and 1440 minutes a day"),
        between("whole_days", 0, 31, "24-hour days lie between 0 and 31"),
        *_intensity(protocol),
    ]


def _intensity(protocol: Protocol) -> list[Expectation]:
    """What intensity must be; nothing in a study of volume alone."""
    if protocol.exposures.mets is None:
        return []
    slowest, _, fastest = protocol.exposures.mets
    # Speed classes that do not sum to total walking take the mean outside its range.
    return [between("walking_met", slowest - 0.01, fastest + 0.01, "mean METs lie between slow and brisk", WARNING)]
