"""recordings: One row per recording of a batch."""

from __future__ import annotations

from stegvis.expectations.expectation import (
    WARNING,
    Expectation,
    between,
    not_empty,
    one_of,
    quarantine_expectations,
    unique,
)
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [
        not_empty("the batch has a recording"),
        unique("batch", "person", "level", meaning="each person has one recording of a level in a batch"),
        one_of("level", ["raw", "signal", "epochs", "days"], "the level of each recording is known"),
        one_of("status", ["accepted"], "every recording is accepted", WARNING),
        one_of("problems", [""], "no raw recording has a problem", WARNING),
        between("recordings_accepted", 1, None, "at least one recording of the batch is usable", WARNING, "summary"),
        *quarantine_expectations(protocol.checks.largest_quarantined_share),
    ]
