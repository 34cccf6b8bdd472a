"""Robust (Huber-White) covariances of a Poisson fit.

HC0: Huber 1967 and White 1982, doi 10.2307/1912526; HC1 to HC3: MacKinnon and White 1985,
doi 10.1016/0304-4076(85)90158-7; clustered: Liang and Zeger 1986, doi 10.1093/biomet/73.1.13. At the sizes of this
study they agree to a few thousandths of a standard error; HC1 to HC3 are included for comparison.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from stegvis.statistics.matrices import cross_product
from stegvis.statistics.poisson import PoissonFit

Kind = Literal["naive", "hc0", "hc1", "hc2", "hc3", "stata"]


def variance_factor(people: int, variance: str) -> float:
    """What the robust variance of so many people is multiplied by: ``stata`` n/(n-1), anything else 1."""
    return people / (people - 1) if variance == "stata" else 1.0


def sandwich(
    X: np.ndarray, y: np.ndarray, fit: PoissonFit, kind: Kind, weights: np.ndarray | None = None
) -> np.ndarray:
    """The covariance of the coefficients, k x k.

    Args:
        X: n x k, the design that was fitted.
        y: n outcomes.
        fit: the fit.
        kind: ``naive`` is the model-based Poisson variance; ``hc0`` the plain sandwich; ``stata`` n/(n-1) times it,
            ``hc1`` n/(n-k); ``hc2`` and ``hc3`` divide squared residuals by one and two powers of 1 minus the leverage.
        weights: n analysis weights of the fit.
    """
    if kind == "naive":
        return fit.inverse_information
    n, k = X.shape
    w = np.ones(n) if weights is None else weights
    scores = X * (w * (y - fit.fitted))[:, None]
    factor = {"stata": n / (n - 1), "hc1": n / max(n - k, 1)}.get(kind, 1.0)
    if kind in ("hc2", "hc3"):
        leverage = w * fit.fitted * np.einsum("ij,ij->i", X @ fit.inverse_information, X)
        scores /= (1 - leverage)[:, None] ** (0.5 if kind == "hc2" else 1.0)
    return np.asarray(factor * fit.inverse_information @ cross_product(scores, scores) @ fit.inverse_information)


def clustered_sandwich(
    X: np.ndarray, y: np.ndarray, fit: PoissonFit, groups: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """The covariance (k x k) clustered by group (n, numbered from 0), without small-sample correction."""
    w = np.ones(len(y)) if weights is None else weights
    scores = X * (w * (y - fit.fitted))[:, None]
    summed = np.stack([np.bincount(groups, column) for column in scores.T], axis=1)
    return np.asarray(fit.inverse_information @ cross_product(summed, summed) @ fit.inverse_information)
