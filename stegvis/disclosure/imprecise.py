"""Ratios that are not published because they say nothing: those with an absurdly wide interval.

A few cases can give a ratio of thousands, which reads as a finding. The limit of the protocol
(``models.largest_confidence_limit_ratio``) is a published prior: the log-F(2,2), which is worth one case and one
non-case, has its 95 % limits at 1/39 and 39 (Greenland and Mansournia 2015, Statistics in Medicine 34(23):3133-3143,
doi 10.1002/sim.6537). An interval that is wider than 39 * 39 says less than these two people would.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stegvis.disclosure.tables import Tables
from stegvis.statistics.results import ESTIMATE_COLUMNS, joined
from stegvis.study.protocol import Protocol

# Confidence limit ratio: the upper limit divided by the lower one (Poole 2001, Epidemiology 12(3):291-294).
_RATIOS = ("rr", "ratio_of_rr")
IMPRECISE = "the interval is too wide to say anything"


def without_imprecise(tables: Tables, protocol: Protocol) -> Tables:
    """Tables without the ratios whose interval is wider than the protocol allows; counts stay.

    Args:
        tables: with all digits.
        protocol: the largest ratio of the limits of an interval.
    """
    results = tables.results.copy()
    wide = results["ci_high"] > protocol.models.largest_confidence_limit_ratio * results["ci_low"]
    wide &= results["measure"].isin(_RATIOS) & (results["status"] == "ok")
    results.loc[wide, list(ESTIMATE_COLUMNS)] = np.nan
    results.loc[wide, "status"] = "not_estimable"
    results.loc[wide, "note"] = [joined(str(note), IMPRECISE) for note in results.loc[wide, "note"]]
    return replace(tables, results=results)
