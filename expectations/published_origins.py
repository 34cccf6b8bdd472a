"""published_origins: What a wave's published numbers were made from."""

from __future__ import annotations

from stegvis.expectations.expectation import Expectation, unique
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [unique("wave", meaning="each wave has one origin")]
