"""What changed between two releases, estimate by estimate.

Belongs here: comparing two results tables. Does not belong here: reading releases, attributing a change to people,
corrections or protocol.
"""

from __future__ import annotations

import pandas as pd

KEY = ["wave", "analysis", "population", "model", "exposure", "term", "level", "measure"]
VALUES = ["estimate", "ci_low", "ci_high", "n", "events", "status"]


def bridge(before: pd.DataFrame | None, now: pd.DataFrame) -> pd.DataFrame:
    """Estimates that are new, gone or different since the release before.

    Args:
        before: results of the earlier release; None when there is none.
        now: results of the later one.

    Returns:
        One row per changed estimate: the key, each value ``_before`` and ``_now``, and ``change`` (new, gone, changed).
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
    return both.assign(change=change)[differs | (change != "changed")].reset_index(drop=True)
