"""release: The releases published so far."""

from __future__ import annotations

from stegvis.expectations.expectation import Expectation, between, filled, unique
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [
        filled("release", "the release has a name"),
        filled("sha256", "every file of the release is hashed"),
        unique("file", meaning="files are unique"),
        between("unprotected", None, 0, "no suppressed count can be calculated", about="summary"),
    ]
