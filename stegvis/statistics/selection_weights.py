"""Inverse-probability weights for selection in several steps, and the variance that allows for their estimation.

A cohort becomes an analysis in steps; each step is a logistic model of who passes it, among those who passed all
earlier ones. The probability of being analyzed is the product of the steps' probabilities, and the weight its inverse
(Robins, Rotnitzky and Zhao 1995, doi 10.1080/01621459.1995.10476493; Seaman and White 2013, doi
10.1177/0962280210395740). Weights taken as known give the variance of R's ``survey::svyglm`` (Lumley 2004, doi
10.18637/jss.v009.i08).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.irls import MatrixFit, fit_matrix, refusal
from stegvis.statistics.matrices import cross_product
from stegvis.study.protocol_models import Models


@dataclass(frozen=True)
class Step:
    """One step, fitted.

    Attributes:
        at_risk: m positions in the cohort of N people, in order: who could pass it.
        X: m x k, the predictors, the intercept first.
        fit: of the logistic model of passing.
    """

    at_risk: np.ndarray
    X: np.ndarray
    fit: MatrixFit

    def rows_of(self, selected: np.ndarray) -> np.ndarray:
        """The rows of people, given by their positions in the cohort (s), who were at risk of it."""
        return np.searchsorted(self.at_risk, selected)


def fit_step(at_risk: np.ndarray, passed: np.ndarray, X: np.ndarray, models: Models) -> Step | NotEstimable:
    """Fit the model of one step.

    Args:
        at_risk: m positions in the cohort, in order.
        passed: m, bool.
        X: m x k, of full rank, the intercept first.
        models: limits of a credible fit.

    Returns:
        The step; not estimable if the model is not credible (``irls.refusal``).
    """
    fit = fit_matrix(X, passed.astype("float64"), "logistic")
    return refusal(fit, models) or Step(at_risk, X, fit)


def inverse_probabilities(steps: Sequence[Step], selected: np.ndarray) -> np.ndarray:
    """The product of the inverse probabilities of all steps (s), of people who passed them all, by position (s)."""
    weights = np.ones(len(selected))
    for step in steps:
        weights = weights / step.fit.fitted[step.rows_of(selected)]
    return weights


def stacked_covariance(
    steps: Sequence[Step], people: int, selected: np.ndarray, X: np.ndarray, outcome: MatrixFit
) -> np.ndarray:
    """The covariance of weighted coefficients that allows for the weights being estimated.

    The estimating equations of all steps and of the outcome are stacked (Stefanski and Boos 2002, doi
    10.1198/000313002753631330).

    Args:
        steps: whose inverse probabilities are the weights, up to a constant factor.
        people: N, in the cohort.
        selected: s positions in the cohort of the people of the outcome model, in the order of its rows.
        X: s x c design of the outcome model.
        outcome: its fit with the weights.

    Returns:
        The c x c covariance (HC0).
    """
    total = np.zeros((people, X.shape[1]))
    total[selected] = outcome.scores
    for step in steps:
        rows = step.rows_of(selected)
        # Derivative of the weighted scores by the coefficients of the step: d log(1/p) = -(1 - p) x.
        slope = -(1 - step.fit.fitted[rows])[:, np.newaxis] * step.X[rows]
        total[step.at_risk] += step.fit.influence @ cross_product(slope, outcome.scores)
    influence = total @ outcome.model_covariance
    return cross_product(influence, influence)
