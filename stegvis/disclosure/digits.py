"""The digits of published numbers.

Full digits of an estimate are a fingerprint of the people behind it: whoever knows some of them can solve for the rest.
They stay in the home; what is published is rounded as the protocol says (``release.digits``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from stegvis.disclosure.tables import Tables
from stegvis.statistics.results import KEY_COLUMNS
from stegvis.study.protocol import Protocol

# Shares, published as percentages; and means and other amounts. Everything else is a ratio or a difference of logs.
_SHARES = (
    "risk", "rd", "ap", "share_above_one", "ess_share", "icc", "reliability", "fmi", "smallest_probability",
    "equipoise", "cumulative_incidence",
)  # fmt: skip
_AMOUNTS = ("ess", "nnt", "usual_mean", "events_per_coefficient", "waves_needed")
_STANDARDIZED = ("smd", "smd_weighted", "largest_smd_weighted")
_INTERVAL = ("estimate", "ci_low", "ci_high", "e_value", "e_value_ci")


def with_published_digits(tables: Tables, protocol: Protocol) -> Tables:
    """Tables with the digits that are published; counts stay."""
    return Tables(
        _results(tables.results, protocol),
        tables.attrition,
        tables.characteristics.assign(
            percent=tables.characteristics["percent"].round(protocol.release.digits.percentages),
            **{name: tables.characteristics[name].round(protocol.release.digits.means) for name in ("mean", "sd")},
        ),
    )


def significant(values: pd.Series, digits: int) -> pd.Series:
    """Numbers rounded to significant digits; missing ones stay missing."""
    numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    return pd.Series([float(f"{each:.{digits - 1}e}") for each in numbers], index=values.index, dtype="float64")


def _results(results: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    digits = protocol.release.digits
    made = results.copy()
    measure = made["measure"]
    decimals = pd.Series(digits.ratios, made.index)
    decimals[measure.isin(_SHARES)] = digits.percentages + 2
    decimals[measure.isin(_AMOUNTS)] = digits.means
    decimals[measure.isin(_STANDARDIZED)] = digits.standardized_differences
    for exposure in protocol.exposures.names:
        decimals[(measure == "knot") & (made["exposure"] == exposure)] = printed_decimals(exposure, protocol)
    for count, rows in made.groupby(decimals, sort=False):
        made.loc[rows.index, list(_INTERVAL)] = rows[list(_INTERVAL)].round(int(count))
    tests = measure.str.startswith("p_")
    made.loc[tests, "estimate"] = significant(results.loc[tests, "estimate"], digits.p_values)
    made["p_value"] = significant(results["p_value"], digits.p_values)
    made["std_error"] = significant(results["std_error"], digits.std_errors)
    return _with_printed_places(made, protocol)


def printed_decimals(exposure: str, protocol: Protocol) -> int:
    """Decimals of a cut point or knot: one more than its categories are printed with, at most two."""
    return min(protocol.exposures.scale(exposure).printed_decimals + 1, 2)  # type: ignore[arg-type]


def _with_printed_places(results: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Curves name their points and their reference by value: an exact percentile can be one person's."""
    curves = results["term"].str.endswith("_spline")
    if not curves.any():
        return results
    made = results.copy()
    points = curves & (made["measure"] == "rr") & (made["level"] != "")
    for column, chosen in (("level", points), ("reference", curves & (made["reference"] != ""))):
        made.loc[chosen, column] = [
            f"{round(float(text), printed_decimals(exposure, protocol)):.6g}"
            for text, exposure in zip(made.loc[chosen, column], made.loc[chosen, "exposure"], strict=True)
        ]
    # Of two points that are printed alike the reference, or else the first, is kept.
    order = (results["level"] != results["reference"]).sort_values(kind="stable").index
    again = made.loc[order].duplicated(list(KEY_COLUMNS)).reindex(made.index)
    return made[~(points & again)].reset_index(drop=True)
