"""pooled_models: Every estimate across waves."""

from __future__ import annotations

from expectations import fitted_models
from expectations.rules import Rule
from study.protocol import Protocol


def rules(protocol: Protocol) -> list[Rule]:
    """The same as for the estimates of one wave."""
    return fitted_models.rules(protocol)
