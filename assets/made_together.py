"""Which tables a run makes beside the one that is made now."""

from __future__ import annotations

import dagster as dg


def made_together(context: dg.AssetExecutionContext) -> frozenset[str]:
    """The names of the tables that the run makes, where it makes chosen ones."""
    return frozenset(key.to_user_string() for key in context.run.asset_selection or ())
