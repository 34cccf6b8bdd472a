"""report: A wave's HTML pages."""

from __future__ import annotations

from stegvis.expectations.expectation import WARNING, Expectation, between, filled, unique
from stegvis.study.protocol import Protocol


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [
        unique("wave", "file", meaning="a wave has each page once"),
        filled("html", "every page was written"),
        between("bytes", 1, 1_500_000, "a page is at most 1.5 MB", WARNING),
    ]
