"""Cox regression when everybody was followed for the same time.

It is a cross-check of risk ratios (Barros and Hirakata 2003, doi 10.1186/1471-2288-3-21).

With one follow-up time and Breslow's ties the coefficients are those of Poisson regression, and the robust variance
(Lin and Wei 1989, doi 10.1080/01621459.1989.10478874) is its HC0 sandwich; here both are computed independently, from
the partial likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_STEPS = 50


@dataclass(frozen=True)
class CoxFit:
    """Log hazard ratios (k) and their robust covariance (k x k); there is no intercept."""

    coefficients: np.ndarray
    covariance: np.ndarray
    converged: bool


def constant_time_cox(X: np.ndarray, y: np.ndarray) -> CoxFit:
    """Fit by Newton's method.

    Args:
        X: n x k without an intercept, of full rank.
        y: n values 0 or 1, at least one of them 1.

    Raises:
        numpy.linalg.LinAlgError: the information is singular.
    """
    spread = X.std(axis=0)
    Z = (X - X.mean(axis=0)) / spread
    b = np.zeros(X.shape[1])
    converged = False
    for _ in range(MOST_STEPS):
        share, mean, information = _risk_set(Z, b, float(y.sum()))
        step = np.linalg.solve(information, Z.T @ y - y.sum() * mean)
        b = b + step
        if not np.isfinite(b).all():
            break
        if float(step @ information @ step) < 1e-14:
            converged = True
            break
    share, mean, information = _risk_set(Z, b, float(y.sum()))
    residuals = (Z - mean) * (y - y.sum() * share)[:, np.newaxis]
    influence = residuals @ np.linalg.inv(information)
    return CoxFit(b / spread, influence.T @ influence / np.outer(spread, spread), converged)


def _risk_set(Z: np.ndarray, b: np.ndarray, events: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Everyone is at risk at the one event time: shares of the hazard (n), mean covariates (k), information (k x k)."""
    hazard = np.exp(Z @ b - (Z @ b).max())
    share = hazard / hazard.sum()
    mean = share @ Z
    information = events * ((Z.T * share) @ Z - np.outer(mean, mean))
    return share, mean, information
