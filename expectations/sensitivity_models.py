"""sensitivity_models: The published sensitivity analyses of a wave."""

from __future__ import annotations

from stegvis.expectations.rules import Rule, estimate_rules
from stegvis.study.protocol import Protocol


def rules(protocol: Protocol) -> list[Rule]:
    """The same as for all estimates of a wave together."""
    return estimate_rules("sensitivity:bmi", "sensitivity:running_cycling")
