"""fitted_models: Every estimate of a wave."""

from __future__ import annotations

from expectations.rules import WARNING, Rule, between, estimate_rules
from study.protocol import Protocol


def rules(protocol: Protocol) -> list[Rule]:
    """What must hold before the table is published, and what is reported."""
    return [
        *estimate_rules(),
        between("diagnostics_fail", None, 0, "no diagnostic fails", WARNING, "summary"),
        between("diagnostics_warning", None, 0, "no diagnostic warns", WARNING, "summary"),
    ]
