"""pooled_models: Every estimate across waves."""

from __future__ import annotations

from stegvis.expectations.rules import Rule, estimate_rules
from stegvis.study.protocol import Protocol


def rules(protocol: Protocol) -> list[Rule]:
    """The same as for the estimates of one wave."""
    return estimate_rules("pooled")
