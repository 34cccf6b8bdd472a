"""Doubly robust risks: augmented inverse-probability weighting (AIPW).

The risk of a level is the mean over everyone of the fitted risk at that level, plus, for the people who have it, the
residual divided by their propensity. It is consistent if either the outcome model or the propensity model is right:
Robins, Rotnitzky and Zhao 1994, doi 10.1080/01621459.1994.10476818; Bang and Robins 2005, doi
10.1111/j.1541-0420.2005.00377.x. Standard errors allow for the estimation of both models (Stefanski and Boos 2002, doi
10.1198/000313002753631330). With cross-fitting each person's fitted values come from models of the others
(Chernozhukov et al. 2018, doi 10.1111/ectj.12097).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd

from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.irls import fit_matrix, refusal
from stegvis.statistics.irls import risk as risk_of
from stegvis.statistics.level_risks import LevelRisks, each_level
from stegvis.statistics.matrices import linear_predictor
from stegvis.statistics.propensity import NO_CHANCE, WHAT, Propensity, divisible, probabilities_of, propensity
from stegvis.statistics.sandwich import variance_factor
from stegvis.study.protocol_models import Models

Levels = Mapping[Hashable, str | None]


def doubly_robust_risks(
    X: pd.DataFrame, y: np.ndarray, levels: Levels, model: Propensity, models: Models
) -> LevelRisks | NotEstimable:
    """AIPW risks of the levels of an exposure, from a logistic outcome model and a propensity model.

    Args:
        X: n x k with named columns, the intercept first: exposure and covariates.
        y: n values 0 or 1.
        levels: each level of the exposure and its indicator column; None for the reference.
        model: the propensity of the levels, fitted to the same people in the same order.
        models: confidence, variance factor (``stata`` multiplies by n/(n-1)) and limits.

    Returns:
        The risks; not estimable if the outcome model is not credible, or a risk is not between 0 and 1.

    Raises:
        KeyError: a column is not in X.
    """
    fit = fit_matrix(X.to_numpy(), y, "logistic")
    if reason := refusal(fit, models):
        return reason
    n = len(y)
    risks, influences = [], []
    for place, design in enumerate(each_level(X, levels)):
        fitted, slopes = risk_of(linear_predictor(design, fit.coefficients), "logistic")
        weight = model.chosen[:, place] / model.probabilities[:, place]
        residual = weight * (y - fitted)
        terms = fitted + residual
        # Derivatives of the sum of the terms: by the coefficients of the outcome, by the predictors of the categories.
        of_outcome = ((1 - weight) * slopes) @ design
        by_predictor = residual[:, np.newaxis] * model.probabilities[:, 1:]
        if place:
            by_predictor[:, place - 1] -= residual
        through = linear_predictor(fit.influence, of_outcome) + model.through_coefficients(by_predictor)
        risks.append(float(terms.mean()))
        influences.append((terms - terms.mean() + through) / n)
    return _checked(levels, risks, influences, models)


def cross_fitted_risks(
    X: pd.DataFrame, y: np.ndarray, levels: Levels, whole: Propensity, folds: np.ndarray, models: Models
) -> LevelRisks | NotEstimable:
    """AIPW risks in which each person's fitted values come from models of the people in the other folds.

    Args:
        X, y, levels, models: as for ``doubly_robust_risks``.
        whole: the propensity of everyone, of which the covariates and the categories are used.
        folds: n, the fold of each person (``fold_numbers``).

    Returns:
        The risks; not estimable if a model of the others is not credible, or a risk is not between 0 and 1.

    Raises:
        KeyError: a column is not in X.
    """
    covariates, chosen = whole.design, whole.chosen
    terms = np.empty(chosen.shape)
    matrix = X.to_numpy()
    for fold in np.unique(folds):
        out, rest = folds == fold, folds != fold
        model = propensity(covariates[rest], chosen[rest], models)
        fit = fit_matrix(matrix[rest], y[rest], "logistic")
        for reason in (model if isinstance(model, NotEstimable) else None, refusal(fit, models)):
            if reason:
                return NotEstimable(f"without one fold, {reason.reason}")
        assert isinstance(model, Propensity)
        probabilities = probabilities_of(covariates[out], model.coefficients)
        if not divisible(probabilities):
            return NotEstimable(f"without one fold, {WHAT}: {NO_CHANCE}")
        for place, design in enumerate(each_level(X[out], levels)):
            fitted, _ = risk_of(linear_predictor(design, fit.coefficients), "logistic")
            weight = chosen[out, place] / probabilities[:, place]
            terms[out, place] = fitted + weight * (y[out] - fitted)
    means = terms.mean(axis=0)
    return _checked(levels, [float(each) for each in means], list((terms - means).T / len(y)), models)


def fold_numbers(people: int, folds: int, seed: int) -> np.ndarray:
    """The fold of each person, 0 to ``folds`` - 1: as equal in size as can be, in an order shuffled from the seed."""
    shuffled: np.ndarray = np.random.default_rng(seed).permutation(np.arange(people) % folds)
    return shuffled


def _checked(
    levels: Levels, risks: list[float], influences: list[np.ndarray], models: Models
) -> LevelRisks | NotEstimable:
    if not all(0 < each < 1 for each in risks):
        return NotEstimable("a doubly robust risk is not between 0 and 1: the propensities are too small")
    influence = np.array(influences).T
    n = len(influence)
    factor = variance_factor(n, models.variance)
    return LevelRisks(tuple(levels), np.array(risks), influence, factor, models.confidence)
