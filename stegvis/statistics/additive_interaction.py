"""Interaction on the additive scale: RERI, AP and S of two harm-coded exposures.

The three measures have intervals by the delta method; RERI also by MOVER.

The measures are Rothman's; the delta method follows Hosmer and Lemeshow 1992, doi 10.1097/00001648-199209000-00012;
MOVER (recovering the variance from the limits of each ratio, so that the interval need not be symmetric: better in
small cells) is Zou 2008, doi 10.1093/aje/kwn104; why the reference must be the cell of lowest risk is in Knol et al.
2011, doi 10.1007/s10654-011-9554-9.

RERI, the relative excess risk due to interaction, is RR11 - RR10 - RR01 + 1; AP, the share of the risk of the doubly
exposed attributable to interaction, is RERI / RR11; S, the synergy index, is (RR11 - 1) / ((RR10 - 1) + (RR01 - 1)).
Without interaction on the additive scale they are 0, 0 and 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.risk_ratio import Ratio, ratio


@dataclass(frozen=True)
class Difference:
    """A measure whose null is 0, with a symmetric interval and two-sided p-value; the error is on its own scale."""

    estimate: float
    ci_low: float
    ci_high: float
    std_error: float
    p_value: float


@dataclass(frozen=True)
class AdditiveInteraction:
    """The measures of one pair of exposures.

    Attributes:
        first: risk ratio of the first exposure alone, against neither.
        second: of the second alone.
        both: of both together.
        product: the interaction on the multiplicative scale: both / (first * second).
        reri: with its delta interval.
        reri_mover: the two limits of RERI by MOVER.
        ap: attributable proportion.
        synergy: the synergy index, or the reason why it is not estimable. Its interval is built on the log scale.
    """

    first: Ratio
    second: Ratio
    both: Ratio
    product: Ratio
    reri: Difference
    reri_mover: tuple[float, float]
    ap: Difference
    synergy: Ratio | NotEstimable


def difference(estimate: float, std_error: float, confidence: float) -> Difference:
    """An estimate whose null is 0, with a Wald interval and p-value."""
    width = NormalDist().inv_cdf(0.5 + confidence / 2) * std_error
    p_value = math.erfc(abs(estimate / std_error) / math.sqrt(2))
    return Difference(estimate, estimate - width, estimate + width, std_error, p_value)


def additive_interaction(
    coefficients: np.ndarray, covariance: np.ndarray, confidence: float = 0.95
) -> AdditiveInteraction | NotEstimable:
    """The measures, from a model of the two exposures and their product.

    Args:
        coefficients: (3,), on the log scale: first exposure, second exposure, product.
        covariance: 3 x 3, of the coefficients.
        confidence: of the intervals.

    Returns:
        The measures; not estimable if an exposure alone lowers the risk, because the measures are then misleading:
        recode the exposures so that the reference has the lowest risk.
    """
    b, V = np.asarray(coefficients, dtype="float64"), np.asarray(covariance, dtype="float64")
    # Log ratios of first alone, second alone, both.
    L = np.array([[1.0, 0, 0], [0, 1, 0], [1, 1, 1]])
    logs, C = L @ b, L @ V @ L.T
    first, second, both = (
        ratio(float(log), math.sqrt(variance), confidence) for log, variance in zip(logs, np.diag(C), strict=True)
    )
    product = ratio(float(b[2]), math.sqrt(V[2, 2]), confidence)
    r10, r01, r11 = np.exp(logs)
    if r10 < 1 or r01 < 1:
        return NotEstimable("an exposure alone lowers the risk, so the reference is not the cell of lowest risk")
    reri = float(r11 - r10 - r01 + 1)
    # Gradients in the log ratios of the three cells.
    reri_gradient = np.array([-r10, -r01, r11])
    ap_gradient = np.array([-r10, -r01, r10 + r01 - 1]) / r11
    return AdditiveInteraction(
        first=first,
        second=second,
        both=both,
        product=product,
        reri=difference(reri, _delta_error(reri_gradient, C), confidence),
        reri_mover=_mover(reri, (both, first, second), C[np.ix_([2, 0, 1], [2, 0, 1])]),
        ap=difference(reri / float(r11), _delta_error(ap_gradient, C), confidence),
        synergy=_synergy(float(r10), float(r01), float(r11), C, confidence),
    )


def _delta_error(gradient: np.ndarray, covariance: np.ndarray) -> float:
    return math.sqrt(float(gradient @ covariance @ gradient))


def _mover(reri: float, ratios: tuple[Ratio, Ratio, Ratio], covariance: np.ndarray) -> tuple[float, float]:
    """Limits of RERI from those of the ratios of both, the first and the second, whose log covariance is given."""
    errors = np.sqrt(np.diag(covariance))
    r12, r13, r23 = (covariance / np.outer(errors, errors))[[0, 0, 1], [1, 2, 2]]

    def root(a: float, b: float, c: float) -> float:
        return math.sqrt(max(a**2 + b**2 + c**2 - 2 * r12 * a * b - 2 * r13 * a * c + 2 * r23 * b * c, 0.0))

    both, first, second = ratios
    below = (both.estimate - both.ci_low, first.ci_high - first.estimate, second.ci_high - second.estimate)
    above = (both.ci_high - both.estimate, first.estimate - first.ci_low, second.estimate - second.ci_low)
    return reri - root(*below), reri + root(*above)


def _synergy(r10: float, r01: float, r11: float, covariance: np.ndarray, confidence: float) -> Ratio | NotEstimable:
    excess = r10 + r01 - 2
    if not (r10 > 1 and r01 > 1 and r11 > 1):
        return NotEstimable("the synergy index needs a higher risk of each exposure alone and of both")
    gradient = np.array([-r10 / excess, -r01 / excess, r11 / (r11 - 1)])
    return ratio(math.log((r11 - 1) / excess), _delta_error(gradient, covariance), confidence)
