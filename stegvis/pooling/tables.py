"""The files of a combination: ``pooled.csv``, a row for each ratio and method, and ``cohorts.csv``, what went in."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from stegvis.pooling.combining import Combination, Pooled
from stegvis.statistics.distributions import t_tail
from stegvis.statistics.random_effects import Interval
from stegvis.statistics.risk_ratio import ratio

# Method -> what it is.
METHODS = {
    "fixed": "Fixed effect",
    "random_hartung_knapp": "Random effects, Hartung-Knapp",
    "random_hartung_knapp_cautious": "Random effects, Hartung-Knapp, never narrower than Wald",
    "random_wald": "Random effects, Wald",
}


def pooled_table(combination: Combination) -> pd.DataFrame:
    """One row per ratio and method.

    Columns: the key, method, cohorts, n, events (blank if a release suppresses one), estimate, ci_low, ci_high,
    std_error (of the log ratio), p_value, tau2, tau2_low, tau2_high, i_squared, i_squared_low, i_squared_high (0 to
    1), q, q_df, q_p_value, prediction_low, prediction_high. Heterogeneity is repeated on the row of each method.
    """
    return pd.DataFrame([row for each in combination.pooled for row in _rows(each, combination.confidence)])


def cohorts_table(combination: Combination) -> pd.DataFrame:
    """One row per ratio and cohort: key, cohort, wave, n, events, the released ratio, and its weights (0 to 1)."""
    parts = [each.rows.assign(**each.key)[[*each.key, *each.rows.columns]] for each in combination.pooled]
    return pd.concat(parts, ignore_index=True)


def method_rows(pooled: Pooled, confidence: float) -> dict[str, dict[str, float]]:
    """Estimate, ci_low, ci_high, std_error (of the log ratio) and p_value by each method."""
    random = pooled.random
    return {
        "fixed": vars(ratio(pooled.fixed.estimate, pooled.fixed.std_error, confidence)),
        "random_hartung_knapp": _exponentiated(random.mean, random.std_error, random.p_value),
        "random_hartung_knapp_cautious": _exponentiated(
            random.cautious, max(random.std_error, random.combined.std_error), _cautious_p_value(pooled)
        ),
        "random_wald": vars(random.combined.ratio(confidence)),
    }


def _rows(pooled: Pooled, confidence: float) -> list[dict[str, Any]]:
    random = pooled.random
    counts = {name: pooled.rows[name].sum() if pooled.rows[name].notna().all() else pd.NA for name in ("n", "events")}
    heterogeneity = {
        "tau2": random.tau2.estimate,
        "tau2_low": random.tau2.low,
        "tau2_high": random.tau2.high,
        "i_squared": random.i_squared.estimate,
        "i_squared_low": random.i_squared.low,
        "i_squared_high": random.i_squared.high,
        "q": random.combined.q,
        "q_df": random.combined.groups - 1,
        "q_p_value": random.combined.q_p_value,
        "prediction_low": math.exp(random.prediction.low),
        "prediction_high": math.exp(random.prediction.high),
    }
    estimates = method_rows(pooled, confidence)
    return [
        {**pooled.key, "method": method, "cohorts": len(pooled.rows), **counts, **estimates[method], **heterogeneity}
        for method in METHODS
    ]


def _exponentiated(interval: Interval, std_error: float, p_value: float) -> dict[str, float]:
    return {
        "estimate": math.exp(interval.estimate),
        "ci_low": math.exp(interval.low),
        "ci_high": math.exp(interval.high),
        "std_error": std_error,
        "p_value": p_value,
    }


def _cautious_p_value(pooled: Pooled) -> float:
    random = pooled.random
    widest = max(random.std_error, random.combined.std_error)
    return 2 * t_tail(abs(random.combined.estimate) / widest, random.combined.groups - 1)
