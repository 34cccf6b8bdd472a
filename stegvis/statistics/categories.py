"""The categories of an exposure, and their printed labels.

The protocol says how many there are, 2 to 6. Two rules. Sample quantiles follow Stata's ``xtile`` (StataCorp, Data
Management Reference Manual, ``pctile``): the cut is the mean of the two adjacent order statistics when n*p is an
integer, and a value equal to a cut goes to the lower category. Fixed published cuts are lower bounds: a value equal to
a cut goes to the upper category.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stegvis.study.protocol import Exposure, Protocol
from stegvis.study.protocol_models import ExposureScale

# The lowest category, with which the others are compared.
REFERENCE = 1
MOST_DECIMALS = 6


@dataclass(frozen=True)
class Cuts:
    """The cut points of one exposure, on its own scale, and the rule for a value equal to a cut.

    Attributes:
        points: the cut points, in order.
        right_closed: whether a value equal to a cut belongs to the lower category.
        decimals: of the labels.
    """

    points: tuple[float, ...]
    right_closed: bool
    decimals: int

    def categories(self, values: np.ndarray) -> np.ndarray:
        """The category of each value, 1 and up; same shape as the values, integer."""
        # Right-closed: one more than the number of cuts strictly below the value. Left-closed: at or below it.
        points = np.asarray(self.points)
        return np.searchsorted(points, values, side="left" if self.right_closed else "right").astype("int64") + 1

    def labels(self) -> tuple[str, ...]:
        """The printed label of each category, built from its rounded lower bound.

        Decimals are added while two distinct cuts would be printed alike. Categories between equal cuts are always
        empty, and labeled as empty.
        """
        distinct = sorted(set(self.points))
        decimals = self.decimals
        while decimals < MOST_DECIMALS and len({round(point, decimals) for point in distinct}) < len(distinct):
            decimals += 1
        step = 10.0**-decimals
        labels = [f"<{self.points[0]:.{decimals}f}"]
        for position, lower in enumerate(self.points):
            upper = self.points[position + 1] if position + 1 < len(self.points) else None
            lowest = round(lower, decimals)
            if upper is None:
                labels.append(f">={lowest:.{decimals}f}")
            elif upper == lower:
                labels.append(empty_label(position + 2))
            else:
                labels.append(f"{lowest:.{decimals}f}-{round(upper, decimals) - step:.{decimals}f}")
        return tuple(labels)


def empty_label(category: int) -> str:
    """The label of a category that is empty and has no bounds of its own."""
    return f"category {category} (empty)"


def quantile_cuts(values: np.ndarray, groups: int, decimals: int) -> Cuts:
    """Cuts of a sample (n) into groups of equal size by Stata's ``xtile`` rule.

    Raises:
        ValueError: there are no values, or one is missing.
    """
    if len(values) == 0:
        raise ValueError("no values to cut: the sample is empty")
    if not np.isfinite(values).all():
        raise ValueError("a value to cut is missing or infinite")
    shares = np.arange(1, groups) / groups
    points = np.quantile(values, shares, method="averaged_inverted_cdf")
    return Cuts(tuple(float(point) for point in points), right_closed=True, decimals=decimals)


def published_cuts(scale: ExposureScale) -> Cuts:
    """The published lower bounds as left-closed cuts, compared with unrounded values."""
    return Cuts(scale.published_lower_bounds, right_closed=False, decimals=scale.printed_decimals)


def cuts(values: Sequence[float] | np.ndarray | pd.Series, exposure: Exposure, protocol: Protocol) -> Cuts:
    """The cuts of one exposure by the protocol's rule; ``values`` is the sample (n) for sample quantiles.

    Raises:
        ValueError: the sample for quantiles is empty or has a missing value.
    """
    scale = protocol.exposures.scale(exposure)
    if protocol.exposures.fixed:
        return published_cuts(scale)
    return quantile_cuts(np.asarray(values, dtype="float64"), len(scale.categories), scale.printed_decimals)


def add_categories(
    frame: pd.DataFrame, protocol: Protocol, exposures: Sequence[Exposure] | None = None
) -> pd.DataFrame:
    """A copy of the frame with ``<exposure>_category`` (1 and up) and ``<exposure>_level`` (label) of each exposure.

    By default the exposures are those of the protocol.

    Quantiles are those of the people with a known exposure; the others have no category. A frame without any value
    gets empty columns.
    """
    exposures = protocol.exposures.names if exposures is None else exposures
    known = {exposure: frame[exposure].dropna() for exposure in exposures}
    found = {exposure: cuts(values, exposure, protocol) for exposure, values in known.items() if len(values)}
    return with_categories(frame, found).assign(
        **{
            f"{exposure}_{what}": pd.Series(pd.NA, frame.index, dtype=kind)
            for exposure in exposures
            if exposure not in found
            for what, kind in (("category", "Int64"), ("level", "str"))
        }
    )


def with_categories(frame: pd.DataFrame, cuts_by_exposure: dict[Exposure, Cuts]) -> pd.DataFrame:
    """A copy of the frame with categories by given cuts, for samples that reuse another sample's cuts.

    A row without the exposure has no category.

    Raises:
        ValueError: an exposure is infinite.
    """
    frame = frame.copy()
    for exposure, cut in cuts_by_exposure.items():
        values = frame[exposure].to_numpy(dtype="float64")
        if np.isinf(values).any():
            raise ValueError(f"{exposure} is infinite in some rows")
        known = frame.index[~np.isnan(values)]
        category = pd.Series(cut.categories(values[~np.isnan(values)]), known)
        level = pd.Series(np.array(cut.labels(), dtype=object)[category.to_numpy() - 1], known, "str")
        frame[f"{exposure}_category"] = (
            category if len(known) == len(frame) else category.astype("Int64").reindex(frame.index)
        )
        frame[f"{exposure}_level"] = level.reindex(frame.index)
    return frame


def level_labels(frame: pd.DataFrame, exposure: Exposure, protocol: Protocol) -> dict[int, str]:
    """The printed label of each category in a frame that ``add_categories`` has cut, empty categories included."""
    categories = frame[f"{exposure}_category"]
    known = np.flatnonzero(categories.notna())
    found, first = np.unique(categories.iloc[known].to_numpy(dtype="int64"), return_index=True)
    # The first person of each category shows its label.
    seen = dict(zip(found.tolist(), frame[f"{exposure}_level"].iloc[known[first]], strict=True))
    scale = protocol.exposures.scale(exposure)
    if protocol.exposures.fixed:
        unseen = dict(zip(scale.categories, published_cuts(scale).labels(), strict=True))
    else:
        unseen = {category: empty_label(category) for category in scale.categories}
    return {category: seen.get(category, unseen[category]) for category in scale.categories}
