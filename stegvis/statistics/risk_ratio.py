"""Risk ratios by modified Poisson regression: Zou 2004, doi 10.1093/aje/kwh090.

The fit, the checks after it, and the estimates from it. Checks before the fit are in ``contract``.

A Poisson model with log link is fitted to a 0/1 outcome; exp(coefficient) is a risk ratio, and the Huber-White sandwich
corrects the Poisson variance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd

from stegvis.statistics.contract import OUTCOME, Design, NotEstimable, prepare
from stegvis.statistics.distributions import chi2_tail
from stegvis.statistics.poisson import fit_poisson
from stegvis.statistics.sandwich import clustered_sandwich, sandwich
from stegvis.statistics.terms import Categorical, Term
from stegvis.study.protocol_models import Models


@dataclass(frozen=True)
class Ratio:
    """A ratio with its Wald interval and two-sided p-value; the standard error is on the log scale."""

    estimate: float
    ci_low: float
    ci_high: float
    std_error: float
    p_value: float


@dataclass(frozen=True)
class JointWald:
    """A Wald test that several coefficients are all zero."""

    chi2: float
    degrees_of_freedom: int
    p_value: float


@dataclass(frozen=True)
class LikelihoodRatio:
    """A likelihood-ratio test of a model against one nested in it, by the ordinary (not robust) Poisson likelihood."""

    chi2: float
    degrees_of_freedom: int
    p_value: float


@dataclass(frozen=True)
class Fit:
    """A fitted model by coefficient name, without data of individuals.

    Attributes:
        coefficients: k, on the log scale.
        covariance: k x k, robust.
        n: rows in the model.
        events: rows with the outcome.
        log_likelihood: of the Poisson model.
        share_above_one: share of rows with a fitted risk above 1, which is acceptable for a risk ratio but not for a
            standardized risk.
        largest_fitted_risk: the highest fitted risk.
        dropped: incomplete rows, not in the model.
        absent_levels: coefficients of levels that nobody has.
        simplified: what was joined or left out of the covariates, in words.
        confidence: of the intervals.
    """

    coefficients: pd.Series
    covariance: pd.DataFrame
    n: int
    events: int
    log_likelihood: float
    share_above_one: float
    largest_fitted_risk: float
    dropped: int
    absent_levels: tuple[str, ...]
    simplified: tuple[str, ...]
    confidence: float

    def ratio(self, name: str) -> Ratio:
        """The risk ratio of one coefficient.

        Raises:
            KeyError: no such coefficient.
        """
        variance = self.covariance[name][name]
        return ratio(float(self.coefficients[name]), math.sqrt(variance), self.confidence)

    def combined_ratio(self, weights: Mapping[str, float]) -> Ratio:
        """The risk ratio of a weighted sum of coefficients, for example of two exposures together.

        Raises:
            KeyError: no such coefficient.
        """
        names, w = list(weights), np.array(list(weights.values()), dtype="float64")
        variance = float(w @ self.covariance.loc[names, names].to_numpy() @ w)
        return ratio(float(w @ self.coefficients.loc[names].to_numpy()), math.sqrt(variance), self.confidence)

    def joint_wald(self, names: Sequence[str]) -> JointWald:
        """Test that all the named coefficients are zero.

        Raises:
            KeyError: no such coefficient.
        """
        b = self.coefficients.loc[list(names)].to_numpy()
        V = self.covariance.loc[list(names), list(names)].to_numpy()
        statistic = float(b @ np.linalg.solve(V, b))
        return JointWald(statistic, len(b), chi2_tail(statistic, len(b)))


def likelihood_ratio(full: Fit, nested: Fit) -> LikelihoodRatio:
    """Test a model against the one without some of its terms, in the same people.

    The outcome is not a count, so the Poisson likelihood is too wide and the test conservative; the published analysis
    used it.

    Raises:
        ValueError: the models have different people, or the second is not the smaller one.
    """
    degrees_of_freedom = len(full.coefficients) - len(nested.coefficients)
    if (full.n, full.events) != (nested.n, nested.events) or degrees_of_freedom < 1:
        raise ValueError("the models to compare are not nested in the same people")
    statistic = max(2 * (full.log_likelihood - nested.log_likelihood), 0.0)
    return LikelihoodRatio(statistic, degrees_of_freedom, chi2_tail(statistic, degrees_of_freedom))


def ratio(log_ratio: float, std_error: float, confidence: float) -> Ratio:
    """A log ratio and its standard error as a ratio with a Wald interval and p-value."""
    width = NormalDist().inv_cdf(0.5 + confidence / 2) * std_error
    return Ratio(
        estimate=math.exp(log_ratio),
        ci_low=math.exp(log_ratio - width),
        ci_high=math.exp(log_ratio + width),
        std_error=float(std_error),
        # A ratio that is 1 by construction has a standard error of 0.
        p_value=math.erfc(abs(log_ratio / std_error) / math.sqrt(2)) if log_ratio else 1.0,
    )


def fit_risk_ratio(
    frame: pd.DataFrame,
    terms: Sequence[Term],
    models: Models,
    *,
    outcome: str = OUTCOME,
    weights: str | None = None,
    groups: str | None = None,
    products: Sequence[tuple[Categorical, Categorical]] = (),
) -> Fit | NotEstimable:
    """Check a frame, then fit the modified Poisson model to it.

    Args:
        frame: one row per person (or per person and wave, with ``groups``).
        terms: the right-hand side.
        models: variance, confidence and limits, from the protocol.
        outcome: column of 0 and 1.
        weights: column of analysis weights, for example inverse probabilities.
        groups: column of the person (cluster) of a row; the variance is then clustered, without correction.
        products: pairs of categorical terms, both among ``terms``, whose product terms are added.

    Raises:
        ValueError: the caller broke the contract of ``prepare``.
    """
    design = prepare(frame, terms, models, outcome=outcome, weights=weights, groups=groups, products=products)
    return design if isinstance(design, NotEstimable) else fit_design(design, models)


def fit_design(design: Design, models: Models) -> Fit | NotEstimable:
    """Fit the modified Poisson model to a design that meets the contract."""
    n = len(design.y)
    X = design.X.to_numpy()
    try:
        fit = fit_poisson(X, design.y, design.weights)
    except np.linalg.LinAlgError:
        return NotEstimable("the fit failed")
    if not fit.converged:
        return NotEstimable("the fit did not converge")
    if not (np.abs(fit.coefficients) < models.largest_coefficient).all():
        return NotEstimable("a coefficient is too large to be credible")
    if design.groups is not None:
        covariance = clustered_sandwich(X, design.y, fit, design.groups, design.weights)
    else:
        covariance = sandwich(X, design.y, fit, models.variance, design.weights)
    variances = np.diag(covariance)
    if not (np.isfinite(variances) & (variances > 0)).all():
        return NotEstimable("a standard error is not finite")
    names = design.X.columns
    return Fit(
        coefficients=pd.Series(fit.coefficients, names),
        covariance=pd.DataFrame(covariance, names, names),
        n=n,
        events=int(design.y.sum()),
        log_likelihood=fit.log_likelihood,
        share_above_one=float((fit.fitted > 1).mean()),
        largest_fitted_risk=float(fit.fitted.max()),
        dropped=design.dropped,
        absent_levels=design.absent_levels,
        simplified=design.simplified,
        confidence=models.confidence,
    )
