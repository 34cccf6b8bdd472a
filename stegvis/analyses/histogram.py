"""The histogram of an exposure, shown with its dose-response curve: counts by the protocol's bins."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stegvis.disclosure import is_small
from stegvis.study.protocol import Exposure, Protocol

HISTOGRAM_COLUMNS: dict[str, str] = {
    "wave": "str",
    "exposure": "str",
    "low": "float64",
    "high": "float64",
    "n": "Int64",
    "status": "str",
}


def edges(exposure: Exposure, protocol: Protocol) -> np.ndarray:
    """The inner edges of an exposure's bins, increasing; the first and the last bin are open."""
    scale = protocol.histogram.scale(exposure)
    steps = round((scale.highest - scale.lowest) / scale.width)
    return np.round(scale.lowest + scale.width * np.arange(steps + 1), 10)


def histogram(analysis_set: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Participants by bin of each exposure, with small bins suppressed and the others rounded.

    No estimate depends on the bins. Rounded, they reveal neither the few people between a bin's edge and a category's
    cut, nor a suppressed bin by subtraction from the total.

    Args:
        analysis_set: one row per analyzed person of one wave, with ``wave`` and both exposures.
        protocol: ``histogram`` (bins, closed on the left), ``disclosure`` and ``release.rounding_base``.

    Returns:
        HISTOGRAM_COLUMNS, one row per bin in increasing order. ``low`` of the first and ``high`` of the last are
        missing. A bin above zero and below the smallest count is ``suppressed``.

    Raises:
        ValueError: the frame does not have exactly one wave.
    """
    waves = analysis_set["wave"].unique()
    if len(waves) != 1:
        raise ValueError(f"one wave is needed, not {len(waves)}")
    parts = [_of(analysis_set[each], str(waves[0]), each, protocol) for each in protocol.exposures.names]
    return pd.concat(parts, ignore_index=True).astype(HISTOGRAM_COLUMNS)


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
