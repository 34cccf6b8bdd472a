"""What changed between two releases, estimate by estimate, and between two protocols.

``stegvis.release.bridge_steps`` attributes the changes to participants, corrections and protocol.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from stegvis.statistics.results import KEY_COLUMNS

KEY = list(KEY_COLUMNS)
ESTIMATES = ["estimate", "ci_low", "ci_high"]
VALUES = [*ESTIMATES, "n", "events", "status"]
NOT_COMPARED = "not compared"


def bridge(before: pd.DataFrame | None, now: pd.DataFrame) -> pd.DataFrame:
    """Estimates that are new, gone or changed since the previous release.

    One that is withheld or suppressed in either release is not compared: it has no estimate of the other release here.

    Args:
        before: results of the previous release; None when there is none.
        now: results of this release.

    Returns:
        One row per changed estimate: the key, each value ``_before`` and ``_now``, and ``change`` (new, gone,
        changed, not compared).
    """
    earlier = now.iloc[:0] if before is None else before
    both = earlier[KEY + VALUES].merge(
        now[KEY + VALUES], on=KEY, how="outer", suffixes=("_before", "_now"), indicator=True
    )
    change = both.pop("_merge").astype("string").map({"left_only": "gone", "right_only": "new", "both": "changed"})
    differs = pd.Series(False, index=both.index)
    for value in VALUES:
        old, new = both[f"{value}_before"], both[f"{value}_now"]
        differs |= ~((old == new).fillna(False).astype(bool) | (old.isna() & new.isna()))
    gated = (change == "changed") & ~((both["status_before"] == "ok") & (both["status_now"] == "ok"))
    both.loc[gated, [f"{name}_{when}" for name in ESTIMATES for when in ("before", "now")]] = float("nan")
    kinds = change.mask(gated, NOT_COMPARED)
    return both.assign(change=kinds)[differs | (change != "changed")].reset_index(drop=True)


def changed_values(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The protocol values that differ: ``name`` (dotted), ``before`` and ``now`` (None where there is none)."""
    old, new = dict(flat(before)), dict(flat(now))
    return [
        {"name": name, "before": old.get(name), "now": new.get(name)}
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested tables by dotted name."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
