"""Generalized linear models of a 0/1 outcome by iteratively reweighted least squares, on plain matrices.

Logistic and log-binomial models, and the scores of each person, of these and of the Poisson model (``poisson``).

McCullagh and Nelder 1989, Generalized Linear Models, doi 10.1201/9780203753736. It agrees with statsmodels to 1e-10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.matrices import cross_product, linear_predictor
from stegvis.statistics.poisson import fit_poisson
from stegvis.study.protocol_models import Models

Family = Literal["poisson", "logistic", "log_binomial"]
MOST_STEPS = 60
# Of the Newton decrement: the length of the last step in squared standard errors.
TOLERANCE = 1e-14


@dataclass(frozen=True)
class MatrixFit:
    """A fitted model.

    Attributes:
        coefficients: k.
        fitted: n fitted risks.
        scores: n x k, each person's contribution to the estimating equations, weight included; they sum to zero.
        slopes: n, the derivative of the fitted risk by the linear predictor.
        model_covariance: k x k, the inverse of the expected information.
        converged: whether the last step was small enough.
    """

    coefficients: np.ndarray
    fitted: np.ndarray
    scores: np.ndarray
    slopes: np.ndarray
    model_covariance: np.ndarray
    converged: bool

    @property
    def influence(self) -> np.ndarray:
        """n x k: the influence of each person on the coefficients."""
        return linear_predictor(self.scores, self.model_covariance)

    @property
    def robust_covariance(self) -> np.ndarray:
        """The Huber-White sandwich (HC0), k x k."""
        return cross_product(self.influence, self.influence)


def fit_matrix(
    X: np.ndarray,
    y: np.ndarray,
    family: Family,
    *,
    weights: np.ndarray | None = None,
    start: np.ndarray | None = None,
) -> MatrixFit:
    """Fit by Fisher scoring; a step that lowers the likelihood, or takes a log-binomial risk to 1, is halved.

    Args:
        X: n x k, of full rank, the intercept first.
        y: n values 0 or 1.
        family: ``poisson`` (log link), ``logistic`` or ``log_binomial``.
        weights: n analysis weights; 1 unless given.
        start: k starting values of a logistic or log-binomial fit; for the latter the Poisson coefficients are best.

    Returns:
        The fit; check with ``refusal`` whether it may be used.
    """
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype="float64")
    y = np.asarray(y, dtype="float64")
    if family == "poisson":
        return _poisson(X, y, w)
    # Columns of equal length keep the information well conditioned for any units.
    length = np.sqrt((X**2).mean(axis=0))
    length[length == 0] = 1.0
    X = X / length
    b = _start(X, y, w, family) if start is None else np.asarray(start, dtype="float64") * length
    if family == "log_binomial":
        # All starting risks must be below 1, so the intercept is lowered.
        b = b.copy()
        b[0] -= max(0.0, float(linear_predictor(X, b).max()) + 0.05) / X[0, 0]
    b, converged = _scoring(X, y, w, b, family)
    residual, information_weight, fitted, slopes = _working(linear_predictor(X, b), y, family)
    information = cross_product(X, X * (w * information_weight)[:, np.newaxis])
    try:
        inverse = np.linalg.inv(information)
    except np.linalg.LinAlgError:
        inverse, converged = np.full_like(information, np.nan), False
    return MatrixFit(
        coefficients=b / length,
        fitted=fitted,
        scores=X * (w * residual)[:, np.newaxis] * length,
        slopes=slopes,
        model_covariance=inverse / np.outer(length, length),
        converged=converged,
    )


def refusal(fit: MatrixFit, models: Models) -> NotEstimable | None:
    """The reason why a fit must not be used, or None: the same checks as in ``risk_ratio``."""
    if not fit.converged:
        return NotEstimable("the fit did not converge")
    if not (np.abs(fit.coefficients) < models.largest_coefficient).all():
        return NotEstimable("a coefficient is too large to be credible")
    variances = np.diag(fit.robust_covariance)
    if not (np.isfinite(variances) & (variances > 0)).all():
        return NotEstimable("a standard error is not finite")
    return None


def risk(linear_predictor: np.ndarray, family: Family) -> tuple[np.ndarray, np.ndarray]:
    """Risks and their derivative by the linear predictor; both of its shape."""
    if family == "logistic":
        with np.errstate(over="ignore"):  # a risk of 0
            p = 1 / (1 + np.exp(-linear_predictor))
        return p, p * (1 - p)
    p = np.exp(linear_predictor)
    return p, p


def _scoring(X: np.ndarray, y: np.ndarray, w: np.ndarray, b: np.ndarray, family: Family) -> tuple[np.ndarray, bool]:
    """Fisher scoring from starting values b (k): the coefficients, and whether they converged."""
    value = _log_likelihood(linear_predictor(X, b), y, w, family)
    for _ in range(MOST_STEPS):
        residual, information_weight = _working(linear_predictor(X, b), y, family)[:2]
        information = cross_product(X, X * (w * information_weight)[:, np.newaxis])
        try:
            step = np.linalg.solve(information, cross_product(X, (w * residual)[:, np.newaxis])[:, 0])
        except np.linalg.LinAlgError:
            break
        decrement = float(step @ information @ step)
        moved = False
        for _ in range(30):
            candidate = _log_likelihood(linear_predictor(X, b + step), y, w, family)
            # At the maximum the last digits of the likelihood are noise.
            if candidate >= value - 1e-11 * abs(value):
                b, value, moved = b + step, candidate, True
                break
            step = step / 2
        if not moved or not np.isfinite(decrement):
            break
        if decrement < TOLERANCE:
            return b, True
    return b, False


def _poisson(X: np.ndarray, y: np.ndarray, w: np.ndarray) -> MatrixFit:
    n, k = X.shape
    try:
        fit = fit_poisson(X, y, w)
    except np.linalg.LinAlgError:
        nothing = np.full((k, k), np.nan)
        return MatrixFit(nothing[0], np.full(n, np.nan), np.full((n, k), np.nan), np.full(n, np.nan), nothing, False)
    scores = X * (w * (y - fit.fitted))[:, np.newaxis]
    return MatrixFit(fit.coefficients, fit.fitted, scores, fit.fitted, fit.inverse_information, fit.converged)


def _start(X: np.ndarray, y: np.ndarray, w: np.ndarray, family: Family) -> np.ndarray:
    mean = float(np.clip((w * y).sum() / w.sum(), 1e-8, 1 - 1e-8))
    b = np.zeros(X.shape[1])
    b[0] = (np.log(mean / (1 - mean)) if family == "logistic" else np.log(mean)) / X[0, 0]
    return b


def _working(eta: np.ndarray, y: np.ndarray, family: Family) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Residual of the score, weight of the expected information, fitted risk and its slope; n each."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        fitted, slopes = risk(eta, family)
        if family == "log_binomial":
            return (y - fitted) / (1 - fitted), fitted / (1 - fitted), fitted, slopes
        return y - fitted, slopes, fitted, slopes


def _log_likelihood(eta: np.ndarray, y: np.ndarray, w: np.ndarray, family: Family) -> float:
    """The log-likelihood up to a constant; minus infinity where the model is not defined."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if family == "logistic":
            each = y * eta - np.logaddexp(0, eta)
        else:
            if (eta >= 0).any():
                return -np.inf
            each = y * eta + (1 - y) * np.log1p(-np.exp(eta))
    value = float((w * each).sum())
    return value if np.isfinite(value) else -np.inf
