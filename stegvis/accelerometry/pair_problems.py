"""Why a pair of recordings is refused, and the problems reported for a pair that is classified."""

from __future__ import annotations

from typing import Literal, NamedTuple

from stegvis.study.protocol import RawRecordings

Place = Literal["back", "thigh"]
Refusal = Literal[
    "unreadable",
    "too_slow",
    "clock_set_back",
    "same_recording",
    "same_place",
    "different_weeks",
    "short_overlap",
    "not_worn",
    "not_together",
    "not_on_thigh",
]


class PairError(ValueError):
    """A pair of recordings that cannot be classified: ``rule`` is the name of the reason, the message explains it.

    Neither contains a sample, a file name or an identifier. ``place`` is the sensor whose recording is unusable by
    itself; ``None`` if it is the pair.
    """

    def __init__(self, rule: Refusal, message: str, place: Place | None = None) -> None:
        super().__init__(message)
        self.rule: Refusal = rule
        self.place: Place | None = place


class Problem(NamedTuple):
    """A problem of a pair that was classified nevertheless."""

    rule: str
    message: str


def check_hours(hours: float, rules: RawRecordings) -> None:
    """Refuse a pair with too few hours in common.

    Raises:
        PairError: ``short_overlap``.
    """
    least = rules.smallest_overlap_hours
    if hours < least:
        raise PairError("short_overlap", f"the two recordings have {hours:.1f} hours in common, {least:g} are needed")
