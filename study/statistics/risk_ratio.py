"""Risk ratios by modified Poisson regression: Zou 2004, doi 10.1093/aje/kwh090.

Belongs here: the fit, its sandwich variance, the checks after it, and the numbers drawn from it. Does not belong here:
checks before the fit (``contract``) and result rows (``results``).

A Poisson model with log link is fitted to a 0/1 outcome; exp(coefficient) is a risk ratio, and the Huber-White sandwich
corrects the Poisson variance. The robust types HC1 to HC3 are not offered: statsmodels accepts them for generalized
linear models and silently returns HC0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd

from study.protocol import Models
from study.statistics.contract import OUTCOME, Design, NotEstimable, prepare
from study.statistics.terms import Term


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
class Fit:
    """A fitted model as plain numbers, matched by coefficient name; it holds nobody's row.

    ``coefficients`` and ``covariance`` are on the log scale; ``share_above_one`` is the share of people whose fitted
    risk exceeds 1, which a risk ratio allows and a standardized risk does not.
    """

    coefficients: pd.Series
    covariance: pd.DataFrame
    n: int
    events: int
    log_likelihood: float
    share_above_one: float
    largest_fitted_risk: float
    dropped: int
    levels_lost: tuple[str, ...]
    confidence: float

    def ratio(self, name: str) -> Ratio:
        """The risk ratio of one coefficient.

        Raises:
            KeyError: no such coefficient.
        """
        variance = self.covariance[name][name]
        return ratio(float(self.coefficients[name]), math.sqrt(variance), self.confidence)

    def joint_wald(self, names: Sequence[str]) -> JointWald:
        """Test that all the named coefficients are zero.

        Raises:
            KeyError: no such coefficient.
        """
        from scipy.stats import chi2

        b = self.coefficients.loc[list(names)].to_numpy()
        V = self.covariance.loc[list(names), list(names)].to_numpy()
        statistic = float(b @ np.linalg.solve(V, b))
        return JointWald(statistic, len(b), float(chi2.sf(statistic, len(b))))


def ratio(log_ratio: float, std_error: float, confidence: float) -> Ratio:
    """A log ratio and its standard error as a ratio with a Wald interval and p-value."""
    width = NormalDist().inv_cdf(0.5 + confidence / 2) * std_error
    return Ratio(
        estimate=math.exp(log_ratio),
        ci_low=math.exp(log_ratio - width),
        ci_high=math.exp(log_ratio + width),
        std_error=float(std_error),
        # A ratio that is 1 by construction has no error to divide by.
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
) -> Fit | NotEstimable:
    """Check a frame, then fit the modified Poisson model to it.

    Args:
        frame: one row per person (or per person and wave, with ``groups``).
        terms: the right-hand side.
        models: variance, confidence and limits, from the protocol.
        outcome: column of 0 and 1.
        weights: column of analysis weights, for example inverse probabilities.
        groups: column naming the person a row belongs to; the variance is then clustered, without correction.

    Raises:
        ValueError: the frame breaks the contract in a way that is the caller's mistake.
    """
    design = prepare(frame, terms, models, outcome=outcome, weights=weights, groups=groups)
    return design if isinstance(design, NotEstimable) else fit_design(design, models)


def fit_design(design: Design, models: Models) -> Fit | NotEstimable:
    """Fit the modified Poisson model to a design that kept the contract."""
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    n = len(design.y)
    # var_weights, never freq_weights: the latter take weights for repeated people and shrink the errors.
    model = GLM(design.y, design.X, family=Poisson(), var_weights=design.weights)
    try:
        result = model.fit(**_variance(design, models))
    except (np.linalg.LinAlgError, ValueError, FloatingPointError):
        return NotEstimable("the fit failed")
    coefficients = result.params.astype("float64")
    covariance = pd.DataFrame(result.cov_params(), coefficients.index, coefficients.index)
    if not result.converged:
        return NotEstimable("the fit did not converge")
    if not (coefficients.abs() < models.largest_coefficient).all():
        return NotEstimable("a coefficient is too large to be credible")
    variances = np.diag(covariance)
    if not (np.isfinite(variances) & (variances > 0)).all():
        return NotEstimable("a standard error is not finite")
    fitted = np.asarray(result.fittedvalues)
    return Fit(
        coefficients=coefficients,
        covariance=covariance,
        n=n,
        events=int(design.y.sum()),
        log_likelihood=float(result.llf),
        share_above_one=float((fitted > 1).mean()),
        largest_fitted_risk=float(fitted.max()),
        dropped=design.dropped,
        levels_lost=design.levels_lost,
        confidence=models.confidence,
    )


def _variance(design: Design, models: Models) -> dict[str, object]:
    if design.groups is not None:
        return {"cov_type": "cluster", "cov_kwds": {"groups": design.groups, "use_correction": False}}
    if models.variance == "stata":
        n = len(design.y)
        return {"cov_type": "HC0", "cov_kwds": {"scaling_factor": n / (n - 1)}}
    return {"cov_type": "HC0"}
