"""Analysis ``cross_estimator``: the published ratios by other estimators.

Log-binomial, standardization of a logistic model, robust Cox; ``term`` names the estimator.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from stegvis.analyses.category_design import CategoryDesign, category_design
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.categories import REFERENCE
from stegvis.statistics.contract import Design, NotEstimable
from stegvis.statistics.cox import constant_time_cox
from stegvis.statistics.irls import fit_matrix, refusal
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.risk_ratio import Ratio, ratio
from stegvis.statistics.standardization import standardized_risks
from stegvis.statistics.terms import MODELS
from stegvis.study.protocol_models import Models

Ratios = dict[int, Ratio] | NotEstimable


def cross_estimator_rows(data: WaveData) -> list[ResultRow]:
    """Measure ``rr`` per category, of each estimator, exposure and model."""
    rows = []
    for exposure in data.protocol.exposures.names:
        for model in MODELS:
            for name, (estimator, remark) in ESTIMATORS.items():
                template = replace(data.template("cross_estimator", model, exposure), term=name)
                template = replace(template, note=joined(template.note, remark))
                rows += _rows(category_design(data, template), estimator, data.protocol.models)
    return rows


def _rows(
    made: CategoryDesign, estimator: Callable[[Design, CategoryDesign, Models], Ratios], models: Models
) -> list[ResultRow]:
    found = made.design if isinstance(made.design, NotEstimable) else estimator(made.design, made, models)
    if isinstance(found, NotEstimable):
        return made.not_estimable(("rr",), found.reason)
    rows = []
    for category, row in made.rows.items():
        if category not in made.occupied:
            rows.append(row.not_estimable("nobody is in this category"))
        elif category == REFERENCE:
            rows.append(replace(row, estimate=1.0))
        else:
            rows.append(row.with_ratio(found[category]))
    return rows


def _log_binomial(design: Design, made: CategoryDesign, models: Models) -> Ratios:
    X = design.X.to_numpy()
    start = fit_matrix(X, design.y, "poisson")
    if reason := refusal(start, models):
        return reason
    fit = fit_matrix(X, design.y, "log_binomial", start=start.coefficients)
    if reason := refusal(fit, models):
        return NotEstimable(f"log-binomial model: {reason.reason}")
    return _of_coefficients(design, made, fit.coefficients, fit.model_covariance, models)


def _logistic_standardization(design: Design, made: CategoryDesign, models: Models) -> Ratios:
    found = standardized_risks(design.X, design.y, made.levels, "logistic", models)
    if isinstance(found, NotEstimable):
        return found
    return {c: found.risk_ratio(c, REFERENCE) for c in made.occupied[1:]}


def _cox(design: Design, made: CategoryDesign, models: Models) -> Ratios:
    fit = constant_time_cox(design.X.to_numpy()[:, 1:], design.y)
    if not fit.converged or not (np.abs(fit.coefficients) < models.largest_coefficient).all():
        return NotEstimable("the Cox model did not converge")
    # There is no intercept; a zero in its place keeps the columns aligned.
    covariance = np.pad(fit.covariance, ((1, 0), (1, 0)))
    return _of_coefficients(design, made, np.r_[0.0, fit.coefficients], covariance, models)


def _of_coefficients(
    design: Design, made: CategoryDesign, coefficients: np.ndarray, covariance: np.ndarray, models: Models
) -> Ratios:
    columns = {c: int(np.flatnonzero(design.X.columns == made.term.coefficient(c))[0]) for c in made.occupied[1:]}
    variances = np.diag(covariance)[list(columns.values())]
    if not (np.isfinite(variances) & (variances > 0)).all():
        return NotEstimable("a standard error is not finite")
    return {
        c: ratio(float(coefficients[at]), math.sqrt(covariance[at, at]), models.confidence) for c, at in columns.items()
    }


ESTIMATORS: dict[str, tuple[Callable[[Design, CategoryDesign, Models], Ratios], str]] = {
    "log_binomial": (_log_binomial, "log-binomial model, model-based variance"),
    "logistic_standardization": (_logistic_standardization, "standardized risks of a logistic model"),
    "cox": (_cox, "Cox model with one follow-up time, robust variance: the Poisson ratios by construction"),
}
