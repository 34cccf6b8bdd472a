"""Risk ratios corrected for misclassification of the outcome, for one sensitivity and specificity or draws from priors.

Rogan and Gladen 1978, doi 10.1093/oxfordjournals.aje.a112510; probabilistic: Fox, Lash and Greenland 2005, doi
10.1093/ije/dyi184. Draws that contradict the data are dropped and counted, never clipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from stegvis.statistics.contract import NotEstimable

Shape = Literal["trapezoidal", "beta"]


@dataclass(frozen=True)
class CorrectedRatios:
    """Ratios of K - 1 categories against the first.

    Attributes:
        quantiles: 3 x (K - 1): lower limit, median, upper limit.
        used: number of possible draws.
        dropped: number of impossible draws.
    """

    quantiles: np.ndarray
    used: int
    dropped: int


def corrected_risks(
    risks: np.ndarray, sensitivity: float | np.ndarray, specificity: float | np.ndarray
) -> np.ndarray | NotEstimable:
    """True risks of K categories from reported ones.

    Args:
        risks: K reported risks.
        sensitivity: share of cases that report the outcome; one number, or K (differential error).
        specificity: share of non-cases that do not; likewise.

    Returns:
        K corrected risks; not estimable if the data contradict the sensitivity and specificity.
    """
    risks = np.asarray(risks, dtype="float64")
    se, sp = np.broadcast_to(sensitivity, risks.shape), np.broadcast_to(specificity, risks.shape)
    if not possible_risks(risks, se, sp).all():
        return NotEstimable("the data contradict this sensitivity and specificity")
    return true_risks(risks, se, sp)


def corrected_cases(cases: float, people: float, sensitivity: float, specificity: float) -> float | NotEstimable:
    """True cases among people of one exposure group, from the number of reported cases."""
    found = corrected_risks(np.array([cases / people]), sensitivity, specificity)
    return found if isinstance(found, NotEstimable) else float(found[0]) * people


def specificity_floor(risks: np.ndarray) -> float:
    """The specificity must exceed this: 1 minus the smallest of the reported risks (K)."""
    return float(1 - np.min(risks))


def probabilistic_ratios(
    risks: np.ndarray,
    sensitivity: np.ndarray,
    specificity: np.ndarray,
    *,
    confidence: float,
    largest_impossible_share: float,
    covariance: np.ndarray | None = None,
    random: np.random.Generator | None = None,
) -> CorrectedRatios | NotEstimable:
    """Distribution of the corrected ratios over draws of sensitivity and specificity, the same in all categories.

    Args:
        risks: K reported risks, the reference first.
        sensitivity: m draws.
        specificity: m draws.
        confidence: share of the distribution between the limits.
        largest_impossible_share: if more draws than this share are impossible, nothing is estimated.
        covariance: K x K of the reported risks; with it, each draw gets a sampling error on the log scale, by the delta
            method at the draw. Without it the distribution reflects misclassification alone.
        random: random generator for the sampling error.

    Returns:
        The ratios; not estimable if the data contradict the priors.

    Raises:
        ValueError: the numbers of draws differ, or a covariance is given without a random generator.
    """
    risks = np.asarray(risks, dtype="float64")
    se, sp = np.asarray(sensitivity, dtype="float64"), np.asarray(specificity, dtype="float64")
    if se.shape != sp.shape:
        raise ValueError("there must be as many draws of sensitivity as of specificity")
    possible = possible_risks(risks[np.newaxis], se[:, np.newaxis], sp[:, np.newaxis]).all(axis=1)
    dropped = int((~possible).sum())
    if dropped > largest_impossible_share * len(se):
        return NotEstimable(f"the data contradict more than {largest_impossible_share:.0%} of the priors' draws")
    excess = risks[np.newaxis] + sp[possible, np.newaxis] - 1
    corrected = excess / (se + sp - 1)[possible, np.newaxis]
    log_ratios = np.log(corrected[:, 1:] / corrected[:, :1])
    if covariance is not None:
        if random is None:
            raise ValueError("sampling error needs a source of draws")
        noise = random.standard_normal((len(corrected), len(risks))) @ root_of(covariance).T
        # d log(corrected) / d(reported) = 1 / (reported + sp - 1).
        errors = noise / excess
        log_ratios = log_ratios + errors[:, 1:] - errors[:, :1]
    tail = (1 - confidence) / 2
    return CorrectedRatios(np.quantile(np.exp(log_ratios), [tail, 0.5, 1 - tail], axis=0), int(possible.sum()), dropped)


def prior_draws(shape: Shape, values: Sequence[float], draws: int, random: np.random.Generator) -> np.ndarray:
    """Draws from a prior of a sensitivity or specificity.

    Args:
        shape: ``trapezoidal`` (lowest, lower and upper end of the plateau, highest) or ``beta`` (its two parameters).
        values: four, or two, numbers.
        draws: number of draws.
        random: random generator.

    Raises:
        ValueError: wrong number of values, or out of order or range.
    """
    if shape == "beta":
        if len(values) != 2 or min(values) <= 0:
            raise ValueError("a beta prior has two positive parameters")
        return random.beta(values[0], values[1], draws)
    if len(values) != 4 or list(values) != sorted(values) or values[0] < 0 or values[3] > 1:
        raise ValueError("a trapezoidal prior has four values in order within 0 and 1")
    a, _, _, d = values
    return np.full(draws, a) if a == d else _trapezoid(values, random.random(draws))


def prior_quantiles(shape: Shape, values: Sequence[float], at: np.ndarray) -> np.ndarray:
    """The quantiles of a prior, as in ``prior_draws``, at m probabilities; a trapezoid may have any four numbers."""
    if shape == "beta":
        quantiles: np.ndarray = special.betaincinv(values[0], values[1], at)
        return quantiles
    return np.full(len(at), values[0]) if values[0] == values[3] else _trapezoid(values, at)


def _trapezoid(values: Sequence[float], at: np.ndarray) -> np.ndarray:
    a, b, c, d = values
    # Area of the rising side, the plateau and the falling side, of height 1; then the inverse of each.
    rise, flat, fall = (b - a) / 2, c - b, (d - c) / 2
    area = at * (rise + flat + fall)
    rising = a + np.sqrt(2 * np.minimum(area, rise) * (b - a))
    level = b + area - rise
    falling = d - np.sqrt(2 * np.maximum(rise + flat + fall - area, 0) * (d - c))
    return np.where(area < rise, rising, np.where(area < rise + flat, level, falling))


def true_risks(risks: np.ndarray, se: np.ndarray, sp: np.ndarray) -> np.ndarray:
    """True risks from reported ones, sensitivities and specificities, of one shape; anything where not possible."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found: np.ndarray = (risks + sp - 1) / (se + sp - 1)
    return found


def possible_risks(risks: np.ndarray, se: np.ndarray, sp: np.ndarray) -> np.ndarray:
    """Where the corrected risk is above 0 and at most 1."""
    possible: np.ndarray = (sp > 1 - risks) & (se + sp > 1) & (se >= risks)
    return possible


def root_of(covariance: np.ndarray) -> np.ndarray:
    """A matrix R with R R' the covariance, which may be of less than full rank."""
    values, vectors = np.linalg.eigh(covariance)
    root: np.ndarray = vectors * np.sqrt(np.maximum(values, 0))
    return root
