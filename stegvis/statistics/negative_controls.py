"""Systematic error estimated from negative controls, and estimates calibrated by it.

The empirical null distribution, calibration, and the expected absolute systematic error (EASE).

Schuemie et al. 2014, doi 10.1002/sim.5925; calibrated intervals: Schuemie et al. 2018, doi 10.1073/pnas.1708282114.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stegvis.statistics.risk_ratio import Ratio, ratio


@dataclass(frozen=True)
class EmpiricalNull:
    """Normal distribution of the systematic error of log ratios; ``mean_std_error`` is that of its mean."""

    mean: float
    sd: float
    mean_std_error: float = 0.0

    @property
    def expected_absolute_error(self) -> float:
        """EASE: the mean absolute error of a log ratio."""
        if self.sd == 0:
            return abs(self.mean)
        z = self.mean / self.sd
        return self.sd * math.sqrt(2 / math.pi) * math.exp(-(z**2) / 2) + self.mean * math.erf(z / math.sqrt(2))

    def calibrated(self, log_ratio: float, std_error: float, confidence: float) -> Ratio:
        """An estimate with the mean error subtracted, and its variance increased by that of the error."""
        return ratio(log_ratio - self.mean, math.sqrt(std_error**2 + self.sd**2), confidence)


def empirical_null(log_ratios: np.ndarray, std_errors: np.ndarray, *, about_zero: bool = False) -> EmpiricalNull:
    """Fit the null distribution to estimates of negative controls by maximum likelihood.

    Args:
        log_ratios: c estimates, whose true value is 0.
        std_errors: c, their standard errors.
        about_zero: the mean is 0, for controls whose direction is arbitrary: they show how large the error is, not
            in which direction.

    Raises:
        ValueError: there are fewer than two estimates, or the shapes differ.
    """
    from scipy.optimize import minimize_scalar

    b, s = np.asarray(log_ratios, dtype="float64"), np.asarray(std_errors, dtype="float64")
    if b.shape != s.shape or len(b) < 2:
        raise ValueError("at least two estimates with their standard errors are needed")

    def mean_at(tau: float) -> float:
        return 0.0 if about_zero else float(np.average(b, weights=1 / (s**2 + tau**2)))

    def cost(tau: float) -> float:
        variance = s**2 + tau**2
        return float((np.log(variance) + (b - mean_at(tau)) ** 2 / variance).sum()) / 2

    largest = float(np.ptp(b)) + float(s.max()) + 1e-6
    lowest = 0.0 if (s > 0).all() else 1e-9
    # The likelihood may have a second maximum at 0: search around the best point of a grid.
    grid = np.linspace(lowest, largest, 201)
    best = int(np.argmin([cost(tau) for tau in grid]))
    bounds = (float(grid[max(best - 1, 0)]), float(grid[min(best + 1, 200)]))
    tau = float(minimize_scalar(cost, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x)
    if cost(lowest) <= cost(tau):
        tau = lowest
    precision = 0.0 if about_zero else float((1 / (s**2 + tau**2)).sum())
    return EmpiricalNull(mean_at(tau), tau, precision**-0.5 if precision else 0.0)
