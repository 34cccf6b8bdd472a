"""How many people have which exposure: the counts drawn behind a dose-response curve.

Belongs here: counting people by the protocol's bins, and hiding small bins. Does not belong here: drawing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from stegvis.disclosure import is_small
from stegvis.study.protocol import EXPOSURES, Exposure, Protocol

HISTOGRAM_COLUMNS: dict[str, str] = {
    "wave": "str",
    "exposure": "str",
    "low": "float64",
    "high": "float64",
    "n": "Int64",
    "status": "str",
}


def edges(exposure: Exposure, protocol: Protocol) -> np.ndarray:
    """The inner edges of an exposure's bins, rising; the first and the last bin are open."""
    scale = protocol.histogram.scale(exposure)
    steps = round((scale.highest - scale.lowest) / scale.width)
    return np.round(scale.lowest + scale.width * np.arange(steps + 1), 10)


def histogram(analysis_set: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """People by bin of each exposure, small bins hidden and the others rounded.

    The bins drive no estimate: rounded, they tell nothing of the few people between a bin's edge and a category's cut,
    nor a hidden bin by what is missing from the total.

    Args:
        analysis_set: one row per analyzed person of one wave, with ``wave`` and both exposures.
        protocol: ``histogram`` (bins, closed on the left), ``disclosure`` and ``release.rounding_base``.

    Returns:
        HISTOGRAM_COLUMNS, one row per bin as it rises. ``low`` of the first and ``high`` of the last are missing. A bin
        above zero and below the smallest count is ``suppressed``.

    Raises:
        ValueError: the frame does not hold exactly one wave.
    """
    waves = analysis_set["wave"].unique()
    if len(waves) != 1:
        raise ValueError(f"one wave is needed, not {len(waves)}")
    parts = [_of(analysis_set[each], str(waves[0]), each, protocol) for each in EXPOSURES]
    return pd.concat(parts, ignore_index=True).astype(HISTOGRAM_COLUMNS)


def as_told(counted: pd.DataFrame, before: pd.DataFrame | None, base: int) -> pd.DataFrame:
    """A wave's histogram as it may leave: a bin that moved by one step stays as the release before told it.

    A rounded count that goes to the next multiple may tell of one person; by more than one step, it tells of several.

    Args:
        counted: of ``histogram``.
        before: what the release before told, of all waves; None where it told none.
        base: what counts are multiples of (``release.rounding_base``).

    Returns:
        HISTOGRAM_COLUMNS, the bins of ``counted``.
    """
    if before is None:
        return counted
    keys = ["wave", "exposure", "low", "high"]
    then = counted[keys].merge(before.astype(HISTOGRAM_COLUMNS), on=keys, how="left").set_axis(counted.index)
    # What was hidden counts as none: from there to the first multiple is a step too.
    now, told = (each["n"].fillna(0).to_numpy(dtype="int64") for each in (counted, then))
    stays = then["status"].notna().to_numpy() & (np.abs(now - told) <= base)
    made = counted.copy()
    made.loc[stays, ["n", "status"]] = then.loc[stays, ["n", "status"]]
    return made.astype(HISTOGRAM_COLUMNS)


def _of(values: pd.Series, wave: str, exposure: Exposure, protocol: Protocol) -> pd.DataFrame:
    inner = edges(exposure, protocol)
    places = np.searchsorted(inner, values.to_numpy(dtype="float64"), side="right")
    counts = np.bincount(places, minlength=len(inner) + 1)
    secret = is_small(counts, protocol.disclosure.smallest_count)
    base = protocol.release.rounding_base
    return pd.DataFrame(
        {
            "wave": wave,
            "exposure": exposure,
            "low": [np.nan, *inner],
            "high": [*inner, np.nan],
            "n": pd.array((counts + base // 2) // base * base, dtype="Int64"),
            "status": np.where(secret, "suppressed", "ok"),
        }
    ).assign(n=lambda frame: frame["n"].mask(frame["status"] == "suppressed"))
