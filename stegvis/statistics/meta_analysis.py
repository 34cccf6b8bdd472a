"""Combining estimates of disjoint groups of people.

Fixed and random effects. Waves share people, so their estimates are not independent; they are stacked and clustered
instead (``stegvis.analyses.pooled``).

DerSimonian and Laird 1986, doi 10.1016/0197-2456(86)90046-2; Paule and Mandel 1982, doi 10.6028/jres.087.022;
restricted maximum likelihood as in Viechtbauer 2005, doi 10.3102/10769986030003261.

The equations of the last two are solved to full precision. R's metafor stops earlier by default (Paule-Mandel: uniroot
with a tolerance of 1.2e-4; REML: steps of 1e-5), so its tau2 may differ in the third, or the sixth, digit; a test
reproduces its numbers with the same stopping rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stegvis.statistics.distributions import chi2_tail
from stegvis.statistics.risk_ratio import Ratio, ratio

Method = Literal["fixed", "dersimonian_laird", "paule_mandel", "reml"]


@dataclass(frozen=True)
class Combined:
    """A combined estimate on the scale it came in.

    Attributes:
        estimate: weighted mean.
        std_error: its standard error.
        tau2: variance between the groups.
        q: Cochran's heterogeneity statistic, on ``groups`` - 1 degrees of freedom.
        groups: number of estimates combined.
    """

    estimate: float
    std_error: float
    tau2: float
    q: float
    groups: int

    @property
    def q_p_value(self) -> float:
        return chi2_tail(self.q, self.groups - 1) if self.groups > 1 else math.nan

    @property
    def i_squared(self) -> float:
        """Share of the variation that is not due to chance, 0 to 1, from Q."""
        return max(0.0, (self.q - (self.groups - 1)) / self.q) if self.q > 0 else 0.0

    def ratio(self, confidence: float) -> Ratio:
        """A combined log ratio as a ratio."""
        return ratio(self.estimate, self.std_error, confidence)


def combine(estimates: np.ndarray, std_errors: np.ndarray, method: Method) -> Combined:
    """Combine estimates of groups that share no people.

    Args:
        estimates: g estimates, for example log ratios.
        std_errors: g, their standard errors.
        method: ``fixed`` effect, or one of three estimators of the variance between groups.

    Raises:
        ValueError: there is no estimate, the shapes differ, or a standard error is not positive.
    """
    b, v = np.asarray(estimates, dtype="float64"), np.asarray(std_errors, dtype="float64") ** 2
    if len(b) == 0 or b.shape != v.shape or not (np.isfinite(b) & np.isfinite(v) & (v > 0)).all():
        raise ValueError("estimates with positive standard errors are needed, one each")
    q = _q(b, v, 0.0)
    tau2 = _TAU2[method](b, v) if len(b) > 1 else 0.0
    weights = 1 / (v + tau2)
    return Combined(float(np.average(b, weights=weights)), float(weights.sum() ** -0.5), tau2, q, len(b))


def _q(b: np.ndarray, v: np.ndarray, tau2: float) -> float:
    weights = 1 / (v + tau2)
    return float((weights * (b - np.average(b, weights=weights)) ** 2).sum())


def _dersimonian_laird(b: np.ndarray, v: np.ndarray) -> float:
    w = 1 / v
    return max(0.0, (_q(b, v, 0.0) - (len(b) - 1)) / float(w.sum() - (w**2).sum() / w.sum()))


def _paule_mandel(b: np.ndarray, v: np.ndarray) -> float:
    return _root(lambda tau2: len(b) - 1 - _q(b, v, tau2), b)


def _reml(b: np.ndarray, v: np.ndarray) -> float:
    def slope(tau2: float) -> float:
        """Minus the derivative of the restricted log likelihood, doubled."""
        w = 1 / (v + tau2)
        residual = b - np.average(b, weights=w)
        return float(w.sum() - (w**2).sum() / w.sum() - (w**2 * residual**2).sum())

    return _root(slope, b)


def _root(increasing: Callable[[float], float], b: np.ndarray) -> float:
    """Where a function of tau2 crosses 0 from below; 0 if it is positive at 0 already."""
    from scipy.optimize import brentq

    if increasing(0.0) >= 0:
        return 0.0
    top = float(np.ptp(b)) ** 2 + 1e-12
    while increasing(top) < 0:
        top *= 2
    return float(brentq(increasing, 0.0, top, xtol=1e-15, rtol=1e-14))


_TAU2: dict[Method, Callable[[np.ndarray, np.ndarray], float]] = {
    "fixed": lambda b, v: 0.0,
    "dersimonian_laird": _dersimonian_laird,
    "paule_mandel": _paule_mandel,
    "reml": _reml,
}
