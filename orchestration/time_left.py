"""How long a refresh will take, from how long each table took the last time."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg

from stegvis.orchestration.home_state import HomeState
from stegvis.orchestration.plan import plan


class TimeLeft:
    """The time that what is planned took the last time, less what is done.

    It is the longest that is expected: what follows from a table that turns out unchanged is not made. A table that
    was never made in this home is not in it.
    """

    def __init__(self, now: HomeState, instance: dg.DagsterInstance) -> None:
        self.planned = {(status.asset, status.partition) for status in plan(now)}
        self.seconds = {asset: _last_seconds(instance, asset) for asset in {asset for asset, _ in self.planned}}

    def after(self, done: Iterable[tuple[str, str]]) -> float | None:
        """Seconds for what is left of the plan; None if one of its tables was never made."""
        left = [self.seconds[asset] for asset, _ in self.planned.difference(done)]
        return None if None in left else sum(filter(None, left))


def in_words(seconds: float | None) -> str:
    """``, at most about 3 min left``; nothing where it is not known or not worth a word."""
    if seconds is None or seconds < 5:
        return ""
    minutes = seconds / 60
    rounded = f"{seconds:.0f} s" if minutes < 1.5 else f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
    return f", at most about {rounded} left"


def _last_seconds(instance: dg.DagsterInstance, asset: str) -> float | None:
    event = instance.get_latest_materialization_event(dg.AssetKey(asset))
    made = event.asset_materialization if event else None
    seconds = made.metadata.get("seconds") if made else None
    return float(seconds.value) if seconds is not None and isinstance(seconds.value, float | int) else None
