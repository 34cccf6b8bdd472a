"""Why a pair of recordings is refused, and what is told of one that is classified all the same.

Belongs here: the names of what can be wrong. Does not belong here: finding it (``raw_sensor``, ``pair_checks``,
``pair_epochs``).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from stegvis.study.protocol import protocol

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
]


class PairError(ValueError):
    """A pair of recordings that cannot be classified; ``rule`` names why, the message says so in a sentence.

    Neither holds a sample, a file name or an identifier.
    """

    def __init__(self, rule: Refusal, message: str) -> None:
        super().__init__(message)
        self.rule: Refusal = rule


class Problem(NamedTuple):
    """Something worth knowing about a pair that was classified all the same."""

    rule: str
    message: str


def check_hours(hours: float) -> None:
    """Refuse a pair with too few hours in common.

    Raises:
        PairError: ``short_overlap``.
    """
    least = protocol().raw_recordings.smallest_overlap_hours
    if hours < least:
        raise PairError("short_overlap", f"the two recordings have {hours:.1f} hours in common, {least:g} are needed")
