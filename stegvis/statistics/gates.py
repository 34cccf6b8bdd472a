"""What a fitted main model must meet before anything is concluded from it: the protocol's diagnostics, as of a fit.

The analysis ``diagnostics`` compares the published rows with the same limits and withholds estimates; here a model is
fitted again (``release_change``), and has no rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from stegvis.statistics.risk_ratio import Fit
from stegvis.study.protocol_models import Diagnostics, Limits

FAIL = "fail"


def detectable_ratio(std_error: float, confidence: float, power: float) -> float:
    """The risk ratio below 1 that an estimate with a standard error (of the log ratio) would find with this power."""
    normal = NormalDist()
    distance = normal.inv_cdf(0.5 + confidence / 2) + normal.inv_cdf(power)
    return math.exp(-distance * std_error)


def failed_gate(fit: Fit, categories: Sequence[str], diagnostics: Diagnostics) -> str:
    """The diagnostic that a main model fails, with its limits, as a phrase; blank if it fails none.

    Args:
        fit: the fitted model.
        categories: names of the exposure's coefficients.
        diagnostics: the protocol's limits.
    """
    errors = np.sqrt(np.diag(fit.covariance.loc[list(categories), list(categories)]))
    values = {
        "events_per_coefficient": fit.events / (len(fit.coefficients) - 1),
        "share_above_one": fit.share_above_one,
        "minimum_detectable_rr": detectable_ratio(float(errors.max()), fit.confidence, diagnostics.power),
    }
    for name, value in values.items():
        limits: Limits = getattr(diagnostics, name)
        if limits.assess(value) == FAIL:
            return f"{name.replace('_', ' ')} fails ({limits.words()})"
    return ""
