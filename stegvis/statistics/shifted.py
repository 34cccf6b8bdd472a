"""The risk if everybody had somewhat more of an exposure: a modified treatment policy.

Each person's own exposure is raised by an amount, but only where the raised value is still within what people have; the
others keep theirs (Haneuse and Rotnitzky 2013, doi 10.1002/sim.5907; Diaz and van der Laan 2012, doi
10.1111/j.1541-0420.2011.01685.x). The risks are averages of fitted risks (the parametric g-formula: Robins 1986, doi
10.1016/0270-0255(86)90088-6), whose variance treats the covariates as a sample, too (stacked estimating equations:
Stefanski and Boos 2002, doi 10.1198/000313002753631330).
"""

from __future__ import annotations

import numpy as np

from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.irls import fit_matrix, refusal
from stegvis.statistics.irls import risk as risk_of
from stegvis.statistics.level_risks import LevelRisks
from stegvis.statistics.sandwich import variance_factor
from stegvis.study.protocol_models import Models

OBSERVED, SHIFTED = "observed", "shifted"


def raised(values: np.ndarray, amount: float, highest: float) -> np.ndarray:
    """Each person's raised exposure: n values plus the amount where that is at most ``highest``, else as they are."""
    return np.where(values + amount <= highest, values + amount, values)


def shifted_risk(X: np.ndarray, X_shifted: np.ndarray, y: np.ndarray, models: Models) -> LevelRisks | NotEstimable:
    """Fit a logistic model to what was observed, and average its risks over the raised exposures.

    Args:
        X: n x k design of the observed exposure and the covariates, the intercept first.
        X_shifted: n x k, the same with the raised exposure.
        y: n values 0 or 1.
        models: confidence, variance factor (``stata`` multiplies by n/(n-1)) and limits.

    Returns:
        The risks as ``observed`` and ``shifted``; not estimable if the fit is not credible (``irls.refusal``).
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
    factor = variance_factor(n, models.variance)
    return LevelRisks((OBSERVED, SHIFTED), np.array(risks), np.stack(influences, axis=1), factor, models.confidence)
