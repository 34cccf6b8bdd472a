"""Poisson regression with log link by Newton's method, in plain numpy.

Robust variances are in ``sandwich``, risk ratios in ``risk_ratio``.

McCullagh and Nelder 1989, Generalized Linear Models, doi 10.1201/9780203753736: with the canonical link Newton's method
is iteratively reweighted least squares. A suite fits some hundred models to the same people, and a general library
spends most of its time on summaries that are not used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stegvis.statistics.matrices import cross_product, linear_predictor

LARGEST_ITERATIONS = 50
# Newton's method doubles the correct digits with each step: after a step this small nothing changes.
SMALLEST_STEP = 1e-9
# exp() of more than this is not a risk, and soon overflows.
LARGEST_PREDICTOR = 50.0


@dataclass(frozen=True)
class PoissonFit:
    """A maximum of the likelihood.

    Attributes:
        coefficients: k, on the log scale.
        fitted: n, the fitted means.
        inverse_information: k x k, the model-based covariance of the coefficients.
        log_likelihood: of 0/1 outcomes, weighted if the fit was.
        converged: whether the last step was small enough.
    """

    coefficients: np.ndarray
    fitted: np.ndarray
    inverse_information: np.ndarray
    log_likelihood: float
    converged: bool


def fit_poisson(X: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> PoissonFit:
    """Fit log E(y) = X b.

    Args:
        X: n x k, the first column the constant 1.
        y: n, 0.0 or 1.0, at least one of them 1.
        weights: n positive analysis weights (not counts of repeated people).

    Raises:
        numpy.linalg.LinAlgError: the information is singular.
    """
    w = np.ones(len(y)) if weights is None else weights
    b = np.zeros(X.shape[1])
    b[0] = np.log((w @ y) / w.sum())
    likelihood, fitted = _log_likelihood(X, y, w, b)
    converged = False
    for _ in range(LARGEST_ITERATIONS):
        step = np.linalg.solve(_information(X, w * fitted), cross_product(X, (w * (y - fitted))[:, None])[:, 0])
        new, tried = _log_likelihood(X, y, w, b + step)
        # Too long a step can pass the maximum; half of it is still uphill.
        while new < likelihood - 1e-8 * abs(likelihood) and np.abs(step).max() > SMALLEST_STEP:
            step = step / 2
            new, tried = _log_likelihood(X, y, w, b + step)
        b, likelihood, fitted = b + step, new, tried
        if np.abs(step).max() <= SMALLEST_STEP * max(1.0, np.abs(b).max()):
            converged = True
            break
    return PoissonFit(b, fitted, np.linalg.inv(_information(X, w * fitted)), likelihood, converged)


def _information(X: np.ndarray, weighted_means: np.ndarray) -> np.ndarray:
    return cross_product(X, X * weighted_means[:, None])


def _log_likelihood(X: np.ndarray, y: np.ndarray, w: np.ndarray, b: np.ndarray) -> tuple[float, np.ndarray]:
    """The log-likelihood at b, and the means. The logarithm of y! is zero for 0 and 1."""
    predictor = linear_predictor(X, b)
    if not (predictor < LARGEST_PREDICTOR).all():
        return -np.inf, np.full(len(y), np.nan)
    fitted = np.exp(predictor)
    return float(w @ (y * predictor - fitted)), fitted
