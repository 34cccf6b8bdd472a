"""Ratios that are not published because they say nothing: with an absurdly wide interval, or all of a small home.

A few cases can give a ratio of thousands, which reads as a finding. The limit of the protocol
(``models.largest_confidence_limit_ratio``) is a published prior: the log-F(2,2), which is worth one case and one
non-case, has its 95 % limits at 1/39 and 39 (Greenland and Mansournia 2015, Statistics in Medicine 34(23):3133-3143,
doi 10.1002/sim.6537). An interval that is wider than 39 * 39 says less than these two people would.

Where a wave has too few people for any of the main ratios, its pages say that they were too few. A trend or a curve
from the same few people beside this sentence would read as the result.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from stegvis.disclosure.tables import Tables
from stegvis.statistics.results import ESTIMATE_COLUMNS, joined
from stegvis.study.protocol import Protocol
from stegvis.study.waves import ACROSS

# Confidence limit ratio: the upper limit divided by the lower one (Poole 2001, Epidemiology 12(3):291-294).
_RATIOS = ("rr", "ratio_of_rr")
IMPRECISE = "the interval is too wide to say anything"
TOO_FEW = "too few people to compare the groups, so nothing is estimated"


def without_imprecise(tables: Tables, protocol: Protocol) -> Tables:
    """Tables without the ratios whose interval is wider than the protocol allows; counts stay.

    Args:
        tables: with all digits.
        protocol: the largest ratio of the limits of an interval.
    """
    results = tables.results.copy()
    wide = results["ci_high"] > protocol.models.largest_confidence_limit_ratio * results["ci_low"]
    wide &= results["measure"].isin(_RATIOS) & (results["status"] == "ok")
    return replace(tables, results=_not_estimable(results, wide, IMPRECISE))


def without_too_few(tables: Tables) -> Tables:
    """Tables without any estimate of a wave of which no main ratio is published; counts stay.

    Args:
        tables: without the ratios that say nothing. Of the results across waves the pooled ratios count.
    """
    results = tables.results.copy()
    analysis = np.where(results["wave"] == ACROSS, "pooled", "main")
    main = (results["analysis"] == analysis) & (results["population"] == "all") & (results["measure"] == "rr")
    main &= (results["level"] != "") & (results["level"] != results["reference"])
    estimated = (results["status"] == "ok") & results["estimate"].notna()
    nothing = set(results.loc[main, "wave"]) - set(results.loc[main & estimated, "wave"])
    without = _not_estimable(results, estimated & results["wave"].isin(nothing), TOO_FEW)
    # Knots, the reference of a curve and its ends are numbers of the few people, too.
    curves = without["wave"].isin(nothing) & without["term"].astype("str").str.endswith("_spline")
    without.loc[curves, "reference"] = ""
    return replace(tables, results=without[~(curves & (without["level"] != ""))])


def _not_estimable(results: pd.DataFrame, chosen: pd.Series, why: str) -> pd.DataFrame:
    """Results without the chosen rows' estimates (in place)."""
    results.loc[chosen, list(ESTIMATE_COLUMNS)] = np.nan
    results.loc[chosen, "status"] = "not_estimable"
    results.loc[chosen, "note"] = [joined(str(note), why) for note in results.loc[chosen, "note"]]
    return results
