"""Standardized risks, risk differences and the number needed to treat.

The mean risk if everyone were in a category, and contrasts of such risks with their variances.

The risk p_k is the mean of everyone's fitted risk with the exposure set to k (Localio et al. 2007, doi
10.1016/j.jclinepi.2006.12.001). The fixed-covariate variance takes the covariates as given; the unconditional one, the
default, allows for their sampling (Stata's ``margins, vce(unconditional)``). The number needed to treat and its
interval: Altman 1998, doi 10.1136/bmj.317.7168.1309.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stegvis.statistics.additive_interaction import Difference
from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.irls import Family, fit_matrix, refusal
from stegvis.statistics.irls import risk as risk_of
from stegvis.statistics.level_risks import LevelRisks, each_level
from stegvis.statistics.sandwich import variance_factor
from stegvis.study.protocol_models import Models


@dataclass(frozen=True)
class NumberNeeded:
    """The inverse of the absolute risk difference.

    The limits are missing if the interval of the difference includes 0: the interval then runs from ``benefit`` (the
    smallest number needed to treat to benefit) through infinity to ``harm``.
    """

    estimate: float
    ci_low: float
    ci_high: float
    benefit: float
    harm: float


@dataclass(frozen=True)
class StandardizedRisks(LevelRisks):
    """Standardized risks of the levels of an exposure.

    Attributes:
        fixed_covariates: K x K covariance that takes the covariates as given.
        share_above_one: share of fitted risks above 1 at the observed levels.
    """

    fixed_covariates: np.ndarray
    share_above_one: float

    @property
    def unconditional(self) -> np.ndarray:
        """K x K covariance that allows for the sampling of the covariates."""
        return self.covariance


def standardized_risks(
    X: pd.DataFrame,
    y: np.ndarray,
    levels: Mapping[Hashable, str | None],
    family: Family,
    models: Models,
    *,
    robust: bool = True,
) -> StandardizedRisks | NotEstimable:
    """Fit a model and average its risks over everyone, with the exposure set to each level in turn.

    Args:
        X: n x k with named columns, the intercept first.
        y: n values 0 or 1.
        levels: each level of the exposure and its indicator column; None for the reference.
        family: ``logistic`` (risks stay below 1) or ``poisson`` (log link).
        models: confidence, variance factor (``stata`` multiplies by n/(n-1)) and limits.
        robust: whether the fixed-covariate variance uses the sandwich; otherwise the model-based covariance.

    Returns:
        The risks; not estimable if the fit is not credible (``irls.refusal``).

    Raises:
        KeyError: a column is not in X.
    """
    fit = fit_matrix(X.to_numpy(), y, family)
    if reason := refusal(fit, models):
        return reason
    n = len(y)
    risks, gradients, deviations = [], [], []
    for everyone in each_level(X, levels):
        fitted, slopes = risk_of(everyone @ fit.coefficients, family)
        risks.append(float(fitted.mean()))
        gradients.append(slopes @ everyone / n)
        deviations.append(fitted - fitted.mean())
    J = np.array(gradients)
    influence = np.array(deviations).T / n + fit.influence @ J.T
    factor = variance_factor(n, models.variance)
    V = fit.robust_covariance if robust else fit.model_covariance
    return StandardizedRisks(
        levels=tuple(levels),
        risks=np.array(risks),
        influence=influence,
        factor=factor,
        fixed_covariates=factor * J @ V @ J.T,
        share_above_one=float((fit.fitted > 1).mean()),
        confidence=models.confidence,
    )


def number_needed(risk_difference: Difference) -> NumberNeeded | NotEstimable:
    """The number needed to treat for one person to benefit (or be harmed), from a risk difference.

    Two kinds of interval (Altman 1998): one interval if that of the difference excludes 0, otherwise two limits with
    infinity between them.
    """
    low, high = risk_difference.ci_low, risk_difference.ci_high
    if risk_difference.estimate == 0:
        return NotEstimable("the risk difference is 0: no number is large enough")
    estimate = 1 / abs(risk_difference.estimate)
    if low > 0 or high < 0:
        ends = sorted((1 / abs(low), 1 / abs(high)))
        return NumberNeeded(estimate, ends[0], ends[1], math.nan, math.nan)
    # The outcome is harmful: a lower risk is a benefit.
    benefit = 1 / -low if low < 0 else math.inf
    harm = 1 / high if high > 0 else math.inf
    return NumberNeeded(estimate, math.nan, math.nan, benefit, harm)
