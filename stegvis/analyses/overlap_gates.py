"""The diagnostics of overlap: which number of the results each one compares, and what it withholds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from stegvis.analyses.doubly_robust import DOUBLY_ROBUST, OVERLAP_WEIGHTED
from stegvis.analyses.overlap import ANALYSIS, EQUIPOISE, ESS, OVERLAP_WEIGHTS, SMALLEST_PROBABILITY


@dataclass(frozen=True)
class Gate:
    """A diagnostic of one exposure.

    Attributes:
        name: key of the protocol's section.
        measure: ``measure`` of its row.
        withholds: the analysis whose estimates depend on it.
        value: from the results of ``overlap`` that could be made, of one exposure; NaN if there is none.
    """

    name: str
    measure: str
    withholds: str
    value: Callable[[pd.DataFrame], float]


def value_of(gate: Gate, exposure: str, results: pd.DataFrame) -> float:
    """The value of a gate for an exposure, from a wave's results."""
    chosen = results["analysis"].isin((ANALYSIS, OVERLAP_WEIGHTS)) & (results["status"] == "ok")
    return gate.value(results[chosen & (results["exposure"] == exposure)])


def _largest_difference(analysis: str) -> Callable[[pd.DataFrame], float]:
    def value(rows: pd.DataFrame) -> float:
        mine = (rows["analysis"] == analysis) & (rows["measure"] == "smd_weighted")
        return float(rows.loc[mine, "estimate"].max())

    return value


def _smallest(measure: str) -> Callable[[pd.DataFrame], float]:
    return lambda rows: float(rows.loc[rows["measure"] == measure, "estimate"].min())


def _smallest_share(rows: pd.DataFrame) -> float:
    """The smallest effective sample size, as a share of the category."""
    mine = rows[(rows["analysis"] == ANALYSIS) & (rows["measure"] == ESS)]
    return float((mine["estimate"] / mine["n"].astype("float64")).min())


GATES = (
    Gate("exposure_balance", "largest_smd_weighted", DOUBLY_ROBUST, _largest_difference(ANALYSIS)),
    Gate("exposure_overlap", EQUIPOISE, DOUBLY_ROBUST, _smallest(EQUIPOISE)),
    Gate("exposure_positivity", SMALLEST_PROBABILITY, DOUBLY_ROBUST, _smallest(SMALLEST_PROBABILITY)),
    Gate("exposure_effective_sample_size", "ess_share", DOUBLY_ROBUST, _smallest_share),
    Gate("overlap_weighted_balance", "largest_smd_weighted", OVERLAP_WEIGHTED, _largest_difference(OVERLAP_WEIGHTS)),
)
