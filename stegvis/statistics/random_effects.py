"""Random effects for few groups: Hartung-Knapp intervals, intervals of heterogeneity, and prediction intervals.

Hartung and Knapp 2001, doi 10.1002/sim.791; Knapp and Hartung 2003, doi 10.1002/sim.1482; with few groups as in Röver,
Knapp and Friede 2015, doi 10.1186/s12874-015-0091-1. Q-profile intervals of tau2: Viechtbauer 2007, doi
10.1002/sim.2514. I2 from tau2 and the typical variance: Higgins and Thompson 2002, doi 10.1002/sim.1186. Prediction
intervals: Higgins, Thompson and Spiegelhalter 2009, doi 10.1111/j.1467-985X.2008.00552.x, with the standard error of
Hartung and Knapp (Partlett and Riley 2017, doi 10.1002/sim.7140).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stegvis.statistics.distributions import chi2_quantile, t_quantile, t_tail
from stegvis.statistics.meta_analysis import Combined, Method, combine


@dataclass(frozen=True)
class Interval:
    """An estimate with its limits, on the scale it came in; limits that do not exist are NaN."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class RandomEffects:
    """A combined estimate with everything a reader needs to assess it.

    Attributes:
        combined: the estimate with its ordinary standard error, tau2 and Q.
        std_error: the standard error of Hartung and Knapp.
        scale: their factor on the ordinary variance; below 1 they are more certain than the ordinary interval.
        mean: estimate and limits from a t distribution on g - 1 degrees of freedom.
        cautious: the same with ``scale`` never below 1.
        p_value: two-sided, of ``mean``.
        tau2: variance between groups with its Q-profile interval.
        i_squared: share of the variation that is between groups, 0 to 1, with the interval that follows from tau2's.
        prediction: where the true value of a new group is expected; NaN with fewer than three groups.
    """

    combined: Combined
    std_error: float
    scale: float
    mean: Interval
    cautious: Interval
    p_value: float
    tau2: Interval
    i_squared: Interval
    prediction: Interval


def random_effects(
    estimates: np.ndarray, std_errors: np.ndarray, confidence: float, method: Method = "reml"
) -> RandomEffects:
    """Combine estimates of groups that share no people and may differ in truth.

    Args:
        estimates: g estimates, at least two, for example log ratios.
        std_errors: g, their standard errors.
        confidence: level of every interval, such as 0.95.
        method: estimator of the variance between groups.

    Raises:
        ValueError: fewer than two estimates, shapes differ, or a standard error is not positive.
    """
    b, v, combined = _combined(estimates, std_errors, method)
    df = combined.groups - 1
    scale = _q(b, v, combined.tau2) / df
    std_error = combined.std_error * math.sqrt(scale)
    quantile = t_quantile((1 + confidence) / 2, df)
    p_value = 2 * t_tail(abs(combined.estimate) / std_error, df) if std_error > 0 else math.nan
    tau2 = tau2_interval(b, std_errors, confidence, method)
    return RandomEffects(
        combined,
        std_error,
        scale,
        _around(combined.estimate, quantile * std_error),
        _around(combined.estimate, quantile * max(std_error, combined.std_error)),
        p_value,
        tau2,
        _share(tau2, v),
        _prediction(combined, max(std_error, combined.std_error), confidence),
    )


def tau2_interval(
    estimates: np.ndarray, std_errors: np.ndarray, confidence: float, method: Method = "reml"
) -> Interval:
    """The variance between groups with its Q-profile interval.

    The limits are where Q, as a function of tau2, crosses the quantiles of chi-squared on g - 1 degrees of freedom; 0
    where Q is below the quantile already at tau2 = 0. They do not depend on the method, so that the estimate can lie
    outside them.

    Raises:
        ValueError: fewer than two estimates, shapes differ, or a standard error is not positive.
    """
    b, v, combined = _combined(estimates, std_errors, method)
    df, tail = combined.groups - 1, (1 - confidence) / 2
    return Interval(combined.tau2, *(_crossing(b, v, chi2_quantile(p, df)) for p in (1 - tail, tail)))


def _combined(estimates: np.ndarray, std_errors: np.ndarray, method: Method) -> tuple[np.ndarray, np.ndarray, Combined]:
    """Estimates, their variances, and both combined."""
    b, s = np.asarray(estimates, dtype="float64"), np.asarray(std_errors, dtype="float64")
    combined = combine(b, s, method)
    if combined.groups < 2:
        raise ValueError("at least two estimates are needed")
    return b, s**2, combined


def _q(b: np.ndarray, v: np.ndarray, tau2: float) -> float:
    weights = 1 / (v + tau2)
    return float((weights * (b - np.average(b, weights=weights)) ** 2).sum())


def _crossing(b: np.ndarray, v: np.ndarray, quantile: float) -> float:
    """Where Q, which falls with tau2, equals the quantile; 0 if it is below it everywhere."""
    from scipy.optimize import brentq

    if _q(b, v, 0.0) <= quantile:
        return 0.0
    top = float(np.ptp(b)) ** 2 + 1e-12
    while _q(b, v, top) > quantile:
        top *= 2
    return float(brentq(lambda tau2: _q(b, v, tau2) - quantile, 0.0, top, xtol=1e-15, rtol=1e-14))


def _around(estimate: float, half_width: float) -> Interval:
    return Interval(estimate, estimate - half_width, estimate + half_width)


def _share(tau2: Interval, v: np.ndarray) -> Interval:
    """I2 and its limits: tau2 as a share of tau2 plus the typical variance within groups."""
    w = 1 / v
    typical = float((len(v) - 1) * w.sum() / (w.sum() ** 2 - (w**2).sum()))
    return Interval(*(value / (value + typical) for value in (tau2.estimate, tau2.low, tau2.high)))


def _prediction(combined: Combined, std_error: float, confidence: float) -> Interval:
    if combined.groups < 3:
        return Interval(combined.estimate, math.nan, math.nan)
    quantile = t_quantile((1 + confidence) / 2, combined.groups - 2)
    return _around(combined.estimate, quantile * math.sqrt(combined.tau2 + std_error**2))
