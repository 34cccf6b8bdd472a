"""The risk if everybody had somewhat more of an exposure: a modified treatment policy.

Each person's own exposure is raised by an amount, but only where the raised value is still within what people have; the
others keep theirs (Haneuse and Rotnitzky 2013, doi 10.1002/sim.5907; Diaz and van der Laan 2012, doi
10.1111/j.1541-0420.2011.01685.x). The risks are averages of fitted risks (the parametric g-formula: Robins 1986, doi
10.1016/0270-0255(86)90088-6), whose variance treats the covariates as a sample, too (stacked estimating equations:
Stefanski and Boos 2002, doi 10.1198/000313002753631330).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stegvis.statistics.additive_interaction import Difference, difference
from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.irls import fit_matrix, refusal
from stegvis.statistics.irls import risk as risk_of
from stegvis.statistics.matrices import cross_product
from stegvis.statistics.risk_ratio import Ratio, ratio
from stegvis.study.protocol_models import Models


@dataclass(frozen=True)
class ShiftedRisk:
    """The risk under the raised exposure against the risk as observed.

    Attributes:
        observed: the risk as it is.
        shifted: the risk with the raised exposure.
        ratio: of the second to the first; its standard error is on the log scale.
        difference: of the second minus the first.
    """

    observed: float
    shifted: float
    ratio: Ratio
    difference: Difference


def raised(values: np.ndarray, amount: float, highest: float) -> np.ndarray:
    """Each person's raised exposure: n values plus the amount where that is at most ``highest``, else as they are."""
    return np.where(values + amount <= highest, values + amount, values)


def shifted_risk(X: np.ndarray, X_shifted: np.ndarray, y: np.ndarray, models: Models) -> ShiftedRisk | NotEstimable:
    """Fit a logistic model to what was observed, and average its risks over the raised exposures.

    Args:
        X: n x k design of the observed exposure and the covariates, the intercept first.
        X_shifted: n x k, the same with the raised exposure.
        y: n values 0 or 1.
        models: confidence, variance factor (``stata`` multiplies by n/(n-1)) and limits.

    Returns:
        The risks and their contrasts; not estimable if the fit is not credible (``irls.refusal``).
    """
    fit = fit_matrix(X, y, "logistic")
    if reason := refusal(fit, models):
        return reason
    n = len(y)
    risks, influences = [], []
    for design in (X, X_shifted):
        fitted, slopes = risk_of(design @ fit.coefficients, "logistic")
        risks.append(float(fitted.mean()))
        influences.append((fitted - fitted.mean()) / n + fit.influence @ (slopes @ design / n))
    if not min(risks) > 0:
        return NotEstimable("a risk is 0")
    factor = n / (n - 1) if models.variance == "stata" else 1.0
    influence = np.stack(influences, axis=1)
    V = factor * cross_product(influence, influence)
    observed, shifted = risks
    on_log = np.array([-1 / observed, 1 / shifted])
    by_difference = np.array([-1.0, 1.0])
    return ShiftedRisk(
        observed,
        shifted,
        ratio(math.log(shifted / observed), math.sqrt(on_log @ V @ on_log), models.confidence),
        difference(shifted - observed, math.sqrt(by_difference @ V @ by_difference), models.confidence),
    )
