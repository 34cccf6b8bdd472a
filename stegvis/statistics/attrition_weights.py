"""Inverse-probability weights for people who did not answer.

Belongs here: the weights, how extreme they are, the balance they bring, and the variance that allows for their being
estimated. Does not belong here: the weighted risk ratios (``risk_ratio`` with weights).

Weights make those who answered stand for everyone eligible, as far as the model of answering knows (Seaman and White
2013, doi 10.1177/0962280210395740). Stabilized weights: Robins, Hernan and Brumback 2000, doi
10.1097/00001648-200009000-00011. Balance is told by the standardized difference (Austin and Stuart 2015, doi
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
class AnswerWeights:
    """Two logistic models of answering, and the weights that follow from them.

    Attributes:
        answered: n, bool.
        denominator: model of answering given everything known at baseline, the exposure included.
        numerator: model of answering given the exposure alone.
    """

    answered: np.ndarray
    denominator: MatrixFit
    numerator: MatrixFit

    @property
    def stabilized(self) -> np.ndarray:
        """Weights of those who answered, in their order; their mean is about 1."""
        weights: np.ndarray = (self.numerator.fitted / self.denominator.fitted)[self.answered]
        return weights

    @property
    def unstabilized(self) -> np.ndarray:
        """Weights of those who answered, in their order; their sum is about the number of everyone."""
        weights: np.ndarray = 1 / self.denominator.fitted[self.answered]
        return weights

    @property
    def both_sides(self) -> np.ndarray:
        """n: 1/p for who answered and 1/(1-p) for who did not, so that both resemble everyone."""
        p = self.denominator.fitted
        weights: np.ndarray = np.where(self.answered, 1 / p, 1 / (1 - p))
        return weights


def answer_weights(
    answered: np.ndarray, baseline: np.ndarray, exposure: np.ndarray, models: Models
) -> AnswerWeights | NotEstimable:
    """Fit the two models of answering.

    Args:
        answered: n, bool.
        baseline: n x k design of everything known at baseline, the exposure included, the intercept first.
        exposure: n x j design of the exposure alone, the intercept first.
        models: limits of a credible fit.
    """
    fits = []
    for X in (baseline, exposure):
        fit = fit_matrix(X, answered.astype("float64"), "logistic")
        if reason := refusal(fit, models):
            return NotEstimable(f"model of answering: {reason.reason}")
        fits.append(fit)
    return AnswerWeights(answered.astype(bool), *fits)


def truncated(weights: np.ndarray, lower: float, upper: float) -> np.ndarray:
    """Weights with those beyond two of their quantiles (type 7) set to the quantile.

    Raises:
        ValueError: the quantiles are not in order within 0 and 1.
    """
    if not 0 <= lower < upper <= 1:
        raise ValueError("truncation quantiles must be in order within 0 and 1")
    return np.clip(weights, *np.quantile(weights, [lower, upper]))


def effective_sample_size(weights: np.ndarray) -> float:
    """Kish's (sum w)^2 / sum w^2: how many people without weights would tell as much."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def standardized_difference(values: np.ndarray, answered: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Mean of those who answered minus that of those who did not, in standard deviations.

    Args:
        values: n numbers, or 0/1 of one level.
        answered: n, bool.
        weights: n; one each unless given. The deviation is always that without weights, so that the two compare.

    Returns:
        The difference; nan when everybody is alike or a side is empty.
    """
    w = np.ones(len(values)) if weights is None else weights
    sides = (answered, ~answered)
    if not all(side.any() for side in sides):
        return math.nan
    means = [float(np.average(values[side], weights=w[side])) for side in sides]
    spread = math.sqrt(sum(float(values[side].var()) for side in sides) / 2)
    return (means[0] - means[1]) / spread if spread > 0 else math.nan


def stacked_covariance(
    weights: AnswerWeights, baseline: np.ndarray, exposure: np.ndarray, X: np.ndarray, outcome: MatrixFit
) -> np.ndarray:
    """The covariance of stabilized weighted coefficients that allows for the weights being estimated.

    The three sets of estimating equations are stacked (Stefanski and Boos 2002, doi 10.1198/000313002753631330).

    Args:
        weights: the models of answering, fitted to n people.
        baseline: n x k, as given to ``answer_weights``.
        exposure: n x j, likewise.
        X: a x c design of the outcome model, of those who answered, in their order.
        outcome: its fit with the stabilized weights.

    Returns:
        c x c.
    """
    who = weights.answered
    total = np.zeros((len(who), X.shape[1]))
    total[who] = outcome.scores
    # How the weighted scores move with the coefficients of each model of answering.
    for model, design, sign in ((weights.denominator, baseline, -1.0), (weights.numerator, exposure, 1.0)):
        slope = (sign * (1 - model.fitted[who]))[:, np.newaxis] * design[who]
        total += model.influence @ (outcome.scores.T @ slope).T
    influence = total @ outcome.model_covariance
    return cross_product(influence, influence)
