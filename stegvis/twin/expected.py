"""The risk ratios that the study's models would find if they saw true risks instead of cases.

A category contrast differs from the risk function itself, because the recorded week is a noisy measure of habit and
quarters are broad. Confidence intervals should cover the contrast that the adjusted model has among the analyzed, in
expectation. This module computes that contrast, and the influence of each person on it.
"""

from __future__ import annotations

import numpy as np

from stegvis.study.protocol import Covariates
from stegvis.twin.draws import Flags, Floats
from stegvis.twin.observed import Observed, covariates, indicators_of_quarters
from stegvis.twin.population import Population


def adjusted_designs(population: Population, observed: Observed, who: Flags, coding: Covariates) -> dict[str, Floats]:
    """By exposure, the adjusted model's matrix (k, 19) of the chosen: ones, quarters 2 to 4, covariates."""
    others = covariates(population, who, coding)
    ones = np.ones(len(others))
    values = {"walking_minutes": observed.volume[who], "walking_met": observed.intensity[who]}
    return {name: np.column_stack([ones, indicators_of_quarters(v), others]) for name, v in values.items()}


def poisson_fit(X: Floats, risk: Floats) -> Floats:
    """Coefficients (q,) of a log-linear model whose score equations the given risks (k,) solve.

    Raises:
        ValueError: no solution, for example because a column is constant.
    """
    b = np.zeros(X.shape[1])
    b[0] = np.log(risk.mean())
    for _ in range(50):
        mean = np.exp(np.minimum(X @ b, 30.0))
        try:
            step = np.linalg.solve(X.T @ (X * mean[:, None]), X.T @ (risk - mean))
        except np.linalg.LinAlgError:
            break
        b += step
        if np.abs(step).max() < 1e-10:
            return b
    raise ValueError("the expected model cannot be fitted: too few people")


def influences(X: Floats, risk: Floats) -> Floats:
    """How much each person's case moves each coefficient: rows (k, q) of A^-1 x, with A the model's information."""
    mean = np.exp(X @ poisson_fit(X, risk))
    return np.asarray(np.linalg.solve(X.T @ (X * mean[:, None]), X.T).T)


def category_log_risk_ratios(
    population: Population, observed: Observed, who: Flags, risk: Floats, coding: Covariates
) -> dict[str, tuple[float, float, float]]:
    """By exposure, the true log risk ratios of quarters 2, 3 and 4 against 1 in the adjusted model.

    Args:
        who: mask (n,) of the analyzed.
        risk: true risks (n,).
        coding: how covariates are coded.

    Raises:
        ValueError: too few people to fit the model.
    """
    if not who.any():
        raise ValueError("nobody is analyzed")
    found = {}
    for name, X in adjusted_designs(population, observed, who, coding).items():
        second, third, fourth = poisson_fit(X, risk[who])[1:4].tolist()
        found[name] = (second, third, fourth)
    return found
