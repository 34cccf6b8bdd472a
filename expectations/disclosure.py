"""disclosure: What is held back of a wave."""

from __future__ import annotations

from stegvis.expectations.rules import Rule, between, filled
from stegvis.study.protocol import Protocol


def rules(protocol: Protocol) -> list[Rule]:
    """What must hold before the table is published, and what is reported."""
    return [
        filled("cell", "every number held back is named"),
        filled("rule", "every number held back has a rule"),
        between("exposed", None, 0, "nobody can work out a count that is held back", about="summary"),
    ]
