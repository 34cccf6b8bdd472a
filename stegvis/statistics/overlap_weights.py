"""Overlap: what says whether everyone could be in every category, and estimates for those who could.

Preference score and equipoise: Walker et al. 2013, Comparative Effectiveness Research 3:11-20, doi 10.2147/CER.S40357.
Balance between several categories: the largest difference of any two, in pooled standard deviations (McCaffrey et al.
2013, doi 10.1002/sim.5753). Overlap weights represent the people who could be in any category: Li, Morgan and Zaslavsky
2018, doi 10.1080/01621459.2016.1260466; of several categories Li and Li 2019, doi 10.1214/19-AOAS1282.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.level_risks import LevelRisks
from stegvis.statistics.matrices import cross_product
from stegvis.statistics.propensity import Propensity
from stegvis.statistics.sandwich import variance_factor
from stegvis.study.protocol_models import Models


def inverse_probability_weights(model: Propensity) -> np.ndarray:
    """n: the inverse of each person's probability of their own category."""
    weights: np.ndarray = 1 / model.own
    return weights


def generalized_overlap_weights(model: Propensity) -> np.ndarray:
    """n: the harmonic mean of a person's K probabilities (over K), divided by that of their own category.

    With two categories each weight is the probability of the other one, and balance is exact; with more it is close.
    """
    weights: np.ndarray = _tilt(model) / model.own
    return weights


def preference_scores(model: Propensity, place: int) -> np.ndarray:
    """n: the preference for a category over the first one.

    The propensity of one of two, with the shares of both made equal; 0.5 is no preference.

    Args:
        model: the fitted model.
        place: of the category among the columns, 1 or more.
    """
    shares = model.chosen.mean(axis=0)
    odds = model.probabilities[:, place] / model.probabilities[:, 0] * shares[0] / shares[place]
    scores: np.ndarray = odds / (1 + odds)
    return scores


def largest_differences(columns: np.ndarray, chosen: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Of each column the largest difference of two categories' means, in standard deviations.

    Args:
        columns: n x m numbers, or 0/1 of one level.
        chosen: n x K indicators of the categories, none of them empty.
        weights: n; 1 unless given. The standard deviation (the root of the mean variance within categories) is always
            unweighted, so that both are comparable.

    Returns:
        m absolute differences; nan where a column does not vary within any category.
    """
    plain = cross_product(chosen, columns) / chosen.sum(axis=0)[:, np.newaxis]
    centered = columns - columns.mean(axis=0)
    middle = plain - columns.mean(axis=0)
    variances = cross_product(chosen, centered**2) / chosen.sum(axis=0)[:, np.newaxis] - middle**2
    spread = np.sqrt(np.clip(variances.mean(axis=0), 0, None))
    weighted = chosen if weights is None else chosen * weights[:, np.newaxis]
    means = cross_product(weighted, columns) / weighted.sum(axis=0)[:, np.newaxis]
    spread[spread < 1e-12 * np.maximum(1.0, np.abs(columns).max(axis=0))] = np.nan
    found: np.ndarray = np.ptp(means, axis=0) / spread
    return found


def overlap_weighted_risks(
    y: np.ndarray, levels: Sequence[Hashable], model: Propensity, models: Models
) -> LevelRisks | NotEstimable:
    """Weighted mean risk of each level, in the people who could be at any of them.

    The standard errors allow for the estimation of the weights.

    Args:
        y: n values 0 or 1.
        levels: K levels, in the order of the model's columns.
        model: their propensity.
        models: confidence and variance factor (``stata`` multiplies by n/(n-1)).

    Returns:
        The risks; not estimable if one is 0 or 1.
    """
    n, tilt = len(y), _tilt(model)
    weights = tilt / model.own
    # Derivative of the log weight by the linear predictor of each category but the first.
    slopes = (tilt[:, np.newaxis] / model.probabilities - model.chosen)[:, 1:]
    risks, influences = [], []
    for place in range(len(levels)):
        own = model.chosen[:, place] * weights
        risk = float(own @ y / own.sum())
        residuals = own * (y - risk)
        through = model.through_coefficients(residuals[:, np.newaxis] * slopes)
        risks.append(risk)
        influences.append((residuals + through) / own.sum())
    if not all(0 < each < 1 for each in risks):
        return NotEstimable("nobody or everybody of a category has the outcome")
    factor = variance_factor(n, models.variance)
    return LevelRisks(tuple(levels), np.array(risks), np.array(influences).T, factor, models.confidence)


def _tilt(model: Propensity) -> np.ndarray:
    """n: the harmonic mean of the K probabilities, divided by K."""
    found: np.ndarray = 1 / (1 / model.probabilities).sum(axis=1)
    return found
