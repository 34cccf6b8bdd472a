"""Inverse-probability weights for loss to follow-up: weights, their balance, and the variance that allows for them.

The weighted risk ratios themselves are fitted by ``risk_ratio``.

Weights make respondents represent all eligible participants, as far as the response model is correct (Seaman and White
2013, doi 10.1177/0962280210395740). Stabilized weights: Robins, Hernan and Brumback 2000, doi
10.1097/00001648-200009000-00011. Balance is measured by the standardized difference (Austin and Stuart 2015, doi
10.1002/sim.6607).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.irls import MatrixFit, fit_matrix, refusal
from stegvis.statistics.matrices import cross_product
from stegvis.study.protocol_models import Models


@dataclass(frozen=True)
class ResponseWeights:
    """Two logistic response models, and the weights that follow from them.

    Attributes:
        answered: n, bool: who responded.
        denominator: response model given everything known at baseline, including the exposure.
        numerator: response model given the exposure alone.
    """

    answered: np.ndarray
    denominator: MatrixFit
    numerator: MatrixFit

    @property
    def stabilized(self) -> np.ndarray:
        """Weights of the respondents, in their order; their mean is about 1."""
        weights: np.ndarray = self.numerator.fitted[self.answered] / self.denominator.fitted[self.answered]
        return weights

    @property
    def unstabilized(self) -> np.ndarray:
        """Weights of the respondents, in their order; their sum is about the number of eligible participants."""
        weights: np.ndarray = 1 / self.denominator.fitted[self.answered]
        return weights

    @property
    def both_groups(self) -> np.ndarray:
        """n: 1/p for respondents and 1/(1-p) for non-respondents, so that both represent all eligible participants."""
        p = self.denominator.fitted
        # Each is divided by its own probability only: of a respondent with p = 1, 1/(1-p) does not exist.
        weights: np.ndarray = 1 / np.where(self.answered, p, 1 - p)
        return weights


def response_weights(
    answered: np.ndarray, baseline: np.ndarray, exposure: np.ndarray, models: Models
) -> ResponseWeights | NotEstimable:
    """Fit the two response models.

    Args:
        answered: n, bool: who responded.
        baseline: n x k design of everything known at baseline, including the exposure, the intercept first.
        exposure: n x j design of the exposure alone, the intercept first.
        models: limits of a credible fit.

    Returns:
        The weights; not estimable if one of the models is not credible (``irls.refusal``).
    """
    fits = []
    for X in (baseline, exposure):
        fit = fit_matrix(X, answered.astype("float64"), "logistic")
        if reason := refusal(fit, models):
            return NotEstimable(f"model of answering: {reason.reason}")
        fits.append(fit)
    return ResponseWeights(answered.astype(bool), *fits)


def truncated(weights: np.ndarray, lower: float, upper: float) -> np.ndarray:
    """Weights truncated at two of their quantiles (type 7).

    Raises:
        ValueError: the quantiles are not in order within 0 and 1.
    """
    if not 0 <= lower < upper <= 1:
        raise ValueError("truncation quantiles must be in order within 0 and 1")
    clipped: np.ndarray = np.clip(weights, *np.quantile(weights, [lower, upper]))
    return clipped


def effective_sample_size(weights: np.ndarray) -> float:
    """Kish's effective sample size: (sum w)^2 / sum w^2, for weights of any scale."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def mean_of_smallest(probabilities: np.ndarray, few: int) -> float:
    """Mean of the few smallest of n probabilities: the smallest itself would be one person's value."""
    return float(np.sort(probabilities)[:few].mean())


def standardized_difference(values: np.ndarray, answered: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Mean of the respondents minus that of the non-respondents, in standard deviations.

    Args:
        values: n numbers, or 0/1 of one level.
        answered: n, bool.
        weights: n; 1 unless given. The standard deviation is always unweighted, so that both are comparable.

    Returns:
        The difference; nan if the values do not vary or a group is empty.
    """
    w = np.ones(len(values)) if weights is None else weights
    sides = (answered, ~answered)
    if not all(side.any() for side in sides):
        return math.nan
    means = [float(np.average(values[side], weights=w[side])) for side in sides]
    spread = math.sqrt(sum(float(values[side].var()) for side in sides) / 2)
    return (means[0] - means[1]) / spread if spread > 0 else math.nan


def stacked_covariance(
    weights: ResponseWeights, baseline: np.ndarray, exposure: np.ndarray, X: np.ndarray, outcome: MatrixFit
) -> np.ndarray:
    """The covariance of stabilized weighted coefficients that allows for the weights being estimated.

    The three sets of estimating equations are stacked (Stefanski and Boos 2002, doi 10.1198/000313002753631330).

    Args:
        weights: the response models, fitted to n people.
        baseline: n x k, as given to ``response_weights``.
        exposure: n x j, likewise.
        X: a x c design of the outcome model, of the a respondents, in their order.
        outcome: its fit with the stabilized weights.

    Returns:
        The c x c covariance.
    """
    who = weights.answered
    total = np.zeros((len(who), X.shape[1]))
    total[who] = outcome.scores
    # Derivative of the weighted scores by the coefficients of each response model.
    for model, design, sign in ((weights.denominator, baseline, -1.0), (weights.numerator, exposure, 1.0)):
        slope = (sign * (1 - model.fitted[who]))[:, np.newaxis] * design[who]
        total += model.influence @ (outcome.scores.T @ slope).T
    influence = total @ outcome.model_covariance
    return cross_product(influence, influence)
