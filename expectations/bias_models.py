"""bias_models: What bias could make of the estimates of a wave."""

from __future__ import annotations

from expectations import fitted_models
from expectations.rules import Rule
from study.protocol import Protocol


def rules(protocol: Protocol) -> list[Rule]:
    """The same as for all estimates of a wave together."""
    return fitted_models.rules(protocol)
