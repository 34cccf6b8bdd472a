"""Pooling estimates from several imputed data sets.

Rubin's rules (Rubin 1987, doi 10.1002/9780470316696), degrees of freedom by Barnard and Rubin 1999 (doi
10.1093/biomet/86.4.948), the joint test D1 of Li, Raghunathan and Rubin 1991 (doi 10.1080/01621459.1991.10475152).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stegvis.statistics.distributions import chi2_tail, f_tail, t_quantile, t_tail
from stegvis.statistics.risk_ratio import JointWald, Ratio


@dataclass(frozen=True)
class Pooled:
    """Pooled estimates, k each.

    Attributes:
        estimates: means over the imputations.
        covariance: total covariance T, k x k.
        within: mean covariance within imputations U, k x k.
        between: covariance between imputations B, k x k.
        degrees_of_freedom: Barnard-Rubin.
        fraction_missing: fraction of missing information.
        imputations: m.
    """

    estimates: np.ndarray
    covariance: np.ndarray
    within: np.ndarray
    between: np.ndarray
    degrees_of_freedom: np.ndarray
    fraction_missing: np.ndarray
    imputations: int

    def ratio(self, at: int, confidence: float) -> Ratio:
        """The estimate at a position, on the log scale, as a ratio with a t interval and p-value."""
        log_ratio, std_error = float(self.estimates[at]), math.sqrt(self.covariance[at, at])
        df = float(self.degrees_of_freedom[at])
        width = t_quantile(0.5 + confidence / 2, df) * std_error
        return Ratio(
            estimate=math.exp(log_ratio),
            ci_low=math.exp(log_ratio - width),
            ci_high=math.exp(log_ratio + width),
            std_error=std_error,
            p_value=2 * t_tail(abs(log_ratio / std_error), df),
        )

    def joint_wald(self, at: list[int]) -> JointWald:
        """Test D1 that the estimates at these positions are all 0; ``chi2`` is D1 times its numerator's df."""
        k, m = len(at), self.imputations
        within = self.within[np.ix_(at, at)]
        b = self.estimates[at]
        increase = (1 + 1 / m) * float(np.trace(np.linalg.solve(within, self.between[np.ix_(at, at)]))) / k
        statistic = float(b @ np.linalg.solve(within, b)) / (k * (1 + increase))
        if increase <= 0:
            return JointWald(statistic * k, k, chi2_tail(statistic * k, k))
        t = k * (m - 1)
        many = 4 + (t - 4) * (1 + (1 - 2 / t) / increase) ** 2 if t > 4 else None
        df = many if many is not None else t * (1 + 1 / k) * (1 + 1 / increase) ** 2 / 2
        return JointWald(statistic * k, k, f_tail(statistic, k, df))


def pool(estimates: np.ndarray, covariances: np.ndarray, complete_degrees_of_freedom: float) -> Pooled:
    """Pool by Rubin's rules.

    Args:
        estimates: m x k.
        covariances: m x k x k.
        complete_degrees_of_freedom: degrees of freedom without missing values, n - k.

    Raises:
        ValueError: there is no imputation, or the shapes do not fit.
    """
    Q, U = np.asarray(estimates, dtype="float64"), np.asarray(covariances, dtype="float64")
    if Q.ndim != 2 or len(Q) == 0 or U.shape != (*Q.shape, Q.shape[1]):
        raise ValueError("estimates must be m x k and covariances m x k x k")
    m, k = Q.shape
    within = U.mean(axis=0)
    between = np.atleast_2d(np.cov(Q, rowvar=False)) if m > 1 else np.zeros((k, k))
    total = within + (1 + 1 / m) * between
    variance = np.diag(total)
    share = (1 + 1 / m) * np.diag(between) / variance
    with np.errstate(divide="ignore"):
        old = np.where(share > 0, (m - 1) / np.maximum(share, 1e-100) ** 2, np.inf)
    complete = complete_degrees_of_freedom
    observed = (complete + 1) / (complete + 3) * complete * (1 - share)
    df = np.where(np.isinf(old), observed, old * observed / np.where(np.isinf(old), 1.0, old + observed))
    increase = share / (1 - share)
    missing = np.where(share > 0, (increase + 2 / (df + 3)) / (increase + 1), 0.0)
    return Pooled(Q.mean(axis=0), total, within, between, df, missing, m)
