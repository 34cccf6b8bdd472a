"""Propensity of the categories of an exposure: a multinomial logistic model, fitted by Newton's method.

The propensity of a category is the probability of being in it given the covariates: Rosenbaum and Rubin 1983, doi
10.1093/biomet/70.1.41; of several categories Imbens 2000, doi 10.1093/biomet/87.3.706. The fit agrees with R's
nnet::multinom.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.matrices import cross_product, linear_predictor
from stegvis.study.protocol_models import Models

MOST_STEPS = 40
MOST_HALVINGS = 30
# Of the Newton decrement: the length of the last step in squared standard errors.
TOLERANCE = 1e-14
# A probability below this cannot be divided by, and is 0 in every other respect.
SMALLEST_PROBABILITY = 1e-100
WHAT = "model of the categories"
NO_CHANCE = "somebody has no chance of being in a category"


@dataclass(frozen=True, repr=False)
class Propensity:
    """A fitted model of K categories given p covariates, in n people.

    Attributes:
        design: n x p, the intercept first.
        chosen: n x K, 1.0 where a person is in the category; the first category is the reference of the model.
        coefficients: p x (K-1).
        probabilities: n x K, each person's probability of each category.
        inverse_information: (K-1)p x (K-1)p, category by category.
        converged: whether the last step was small enough.
    """

    design: np.ndarray
    chosen: np.ndarray
    coefficients: np.ndarray
    probabilities: np.ndarray
    inverse_information: np.ndarray
    converged: bool

    @property
    def own(self) -> np.ndarray:
        """n: each person's probability of the category that they are in."""
        found: np.ndarray = (self.chosen * self.probabilities).sum(axis=1)
        return found

    @cached_property
    def influence(self) -> np.ndarray:
        """n x (K-1)p: the influence of each person on the coefficients."""
        residuals = (self.chosen - self.probabilities)[:, 1:]
        scores = (residuals[:, :, np.newaxis] * self.design[:, np.newaxis, :]).reshape(len(residuals), -1)
        return linear_predictor(scores, self.inverse_information)

    def through_coefficients(self, slopes: np.ndarray) -> np.ndarray:
        """n: the influence of each person on a sum over people, through the estimated coefficients.

        Args:
            slopes: n x (K-1), the derivative of each person's term by their linear predictor of each category.
        """
        gradient = cross_product(self.design, slopes)
        return linear_predictor(self.influence, gradient.T.ravel())


def propensity(design: np.ndarray, chosen: np.ndarray, models: Models) -> Propensity | NotEstimable:
    """Fit the model.

    Args:
        design: n x p covariates of full rank, the intercept first.
        chosen: n x K, 1.0 in the column of a person's category and 0.0 elsewhere; nobody is in none.
        models: the largest credible coefficient.

    Returns:
        The fit; not estimable if it does not converge or a coefficient is not credible, as where people with one level
        of a covariate are never in a category, or if a probability is 0.
    """
    if not (chosen.sum(axis=0) > 0).all():
        return NotEstimable(f"{WHAT}: nobody is in a category")
    if not np.isfinite(design).all():
        return NotEstimable(f"{WHAT}: a covariate holds an infinite value")
    fit = _fitted(design, chosen)
    if fit is None or not fit.converged:
        return NotEstimable(f"{WHAT}: the fit did not converge")
    if not (np.abs(fit.coefficients) < models.largest_coefficient).all():
        return NotEstimable(f"{WHAT}: a coefficient is too large to be credible")
    variances = np.diag(fit.inverse_information)
    if not (np.isfinite(variances) & (variances > 0)).all():
        return NotEstimable(f"{WHAT}: a standard error is not finite")
    if not divisible(fit.probabilities):
        return NotEstimable(f"{WHAT}: {NO_CHANCE}")
    return fit


def divisible(probabilities: np.ndarray) -> bool:
    """Whether no probability is so small that a weight would be infinite."""
    return bool((probabilities > SMALLEST_PROBABILITY).all())


def categories_of(X: pd.DataFrame, levels: Mapping[Hashable, str | None]) -> tuple[np.ndarray, np.ndarray]:
    """The covariates and the categories of a design of both.

    Args:
        X: n x k with named columns, the intercept first.
        levels: each level of the exposure and its indicator column; None for the reference.

    Returns:
        The n x p design without the indicators, and the n x K indicators of all levels.

    Raises:
        KeyError: a column is not in X.
    """
    columns = [column for column in levels.values() if column is not None]
    indicators = X[columns].to_numpy(dtype="float64")
    others = iter(indicators.T)
    reference = 1.0 - indicators.sum(axis=1)
    chosen = np.column_stack([reference if column is None else next(others) for column in levels.values()])
    return X.drop(columns=columns).to_numpy(dtype="float64"), chosen


def probabilities_of(design: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """n x K probabilities, from n x p covariates and p x (K-1) coefficients."""
    predictors = np.column_stack([np.zeros(len(design)), linear_predictor(design, coefficients)])
    raised = np.exp(predictors - predictors.max(axis=1, keepdims=True))
    found: np.ndarray = raised / raised.sum(axis=1, keepdims=True)
    return found


def _fitted(design: np.ndarray, chosen: np.ndarray) -> Propensity | None:
    """The fit, converged or not; None if the information is singular."""
    # Columns of equal length keep the information well conditioned for any units.
    length = np.sqrt((design**2).mean(axis=0))
    length[length == 0] = 1.0
    W = design / length
    coefficients = np.zeros((W.shape[1], chosen.shape[1] - 1))
    probabilities = probabilities_of(W, coefficients)
    value, converged = _log_likelihood(probabilities, chosen), False
    for _ in range(MOST_STEPS):
        information = _information(W, probabilities)
        gradient = cross_product(W, (chosen - probabilities)[:, 1:]).T.ravel()
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            return None
        decrement = float(step @ gradient)
        change = step.reshape(-1, W.shape[1]).T
        for _ in range(MOST_HALVINGS):
            candidate = probabilities_of(W, coefficients + change)
            tried = _log_likelihood(candidate, chosen)
            # At the maximum the last digits of the likelihood are noise.
            if tried >= value - 1e-11 * abs(value):
                break
            change = change / 2
        else:
            break
        coefficients, probabilities, value = coefficients + change, candidate, tried
        if decrement < TOLERANCE:
            converged = True
            break
    try:
        inverse = np.linalg.inv(_information(W, probabilities))
    except np.linalg.LinAlgError:
        return None
    lengths = np.tile(length, coefficients.shape[1])
    return Propensity(
        design,
        chosen,
        coefficients / length[:, np.newaxis],
        probabilities,
        inverse / np.outer(lengths, lengths),
        converged,
    )


def _information(W: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(K-1)p x (K-1)p: minus the second derivative of the log-likelihood, category by category."""
    p, free = W.shape[1], probabilities[:, 1:]
    found = np.empty((free.shape[1] * p, free.shape[1] * p))
    for one in range(free.shape[1]):
        for other in range(one + 1):
            weight = free[:, one] * ((one == other) - free[:, other])
            block = cross_product(W, W * weight[:, np.newaxis])
            found[one * p : (one + 1) * p, other * p : (other + 1) * p] = block
            found[other * p : (other + 1) * p, one * p : (one + 1) * p] = block.T
    return found


def _log_likelihood(probabilities: np.ndarray, chosen: np.ndarray) -> float:
    with np.errstate(divide="ignore"):
        value = float(np.log((chosen * probabilities).sum(axis=1)).sum())
    return value if np.isfinite(value) else -np.inf
