"""Restricted cubic splines: Harrell 2015, Regression Modeling Strategies, doi 10.1007/978-3-319-19425-7, section 2.4.

Knots, basis, and the curve of risk ratios with its confidence band.

The curve is cubic between the knots and a straight line beyond the outer ones. With the normalization "range" the basis
is that of R's ``rcs`` and of Stata's ``mkspline, cubic``; a normalization changes the coefficients, never the curve.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stegvis.statistics.risk_ratio import Ratio, ratio

# Harrell's percentiles for a number of knots.
PERCENTILES: dict[int, tuple[float, ...]] = {
    3: (0.10, 0.50, 0.90),
    4: (0.05, 0.35, 0.65, 0.95),
    5: (0.05, 0.275, 0.50, 0.725, 0.95),
    6: (0.05, 0.23, 0.41, 0.59, 0.77, 0.95),
}
# R's default, and Stata's: the mean of two neighbors where a percentile falls between them.
PercentileRule = Literal["type_7", "stata"]
_METHODS: dict[PercentileRule, Literal["linear", "averaged_inverted_cdf"]] = {
    "type_7": "linear",
    "stata": "averaged_inverted_cdf",
}
# The cubic terms are divided by nothing, by the cube of the last gap between knots, or by the square of their range
# (then every column has the unit of the exposure).
Normalization = Literal["none", "last_gap", "range"]


@dataclass(frozen=True)
class Curve:
    """Ratios at values of an exposure, against one of them.

    Attributes:
        values: m, on the exposure's scale.
        ratios: m; at the reference, 1 with an interval of no width and no p-value.
    """

    values: tuple[float, ...]
    ratios: tuple[Ratio, ...]


def percentile(values: np.ndarray, at: float | Sequence[float], rule: PercentileRule = "type_7") -> np.ndarray:
    """Percentiles (as shares, m) of n known values by one of the two rules; returns m values."""
    return np.atleast_1d(np.quantile(np.asarray(values, dtype="float64"), at, method=_METHODS[rule]))


def knots_of(values: np.ndarray, number: int, rule: PercentileRule = "type_7") -> tuple[float, ...]:
    """Harrell's knots of a sample.

    Args:
        values: n known values.
        number: 3 to 6 knots.
        rule: definition of percentiles.

    Raises:
        KeyError: there is no rule for that number of knots.
        ValueError: knots coincide, so that there is no curve.
    """
    found = tuple(percentile(values, PERCENTILES[number], rule).tolist())
    _check(found)
    return found


def basis(values: np.ndarray, knots: Sequence[float], normalization: Normalization = "range") -> np.ndarray:
    """The basis of the curve.

    Args:
        values: n, the exposure.
        knots: k, increasing.
        normalization: what the cubic terms are divided by.

    Returns:
        n x (k - 1): the exposure itself, then k - 2 cubic terms that are zero below their knot.

    Raises:
        ValueError: there are fewer than three knots, or they do not increase.
    """
    _check(knots)
    x = np.asarray(values, dtype="float64")
    last, before = knots[-1], knots[-2]
    scale = {"none": 1.0, "last_gap": last - before, "range": (last - knots[0]) ** (2 / 3)}[normalization]

    def cubed(knot: float) -> np.ndarray:
        return np.asarray(np.maximum((x - knot) / scale, 0.0) ** 3)

    terms = [
        cubed(knot) + ((before - knot) * cubed(last) - (last - knot) * cubed(before)) / (last - before)
        for knot in knots[:-2]
    ]
    return np.stack([x, *terms], axis=1)


def curve(
    coefficients: np.ndarray,
    covariance: np.ndarray,
    knots: Sequence[float],
    values: Sequence[float],
    reference: float,
    confidence: float,
) -> Curve:
    """The curve of risk ratios against a reference value, with its pointwise band.

    Args:
        coefficients: k - 1, of the basis (normalization "range"), on the log scale.
        covariance: (k - 1) x (k - 1), of the coefficients.
        knots: k.
        values: m points of the curve, on the exposure's scale.
        reference: the value at which the ratio is 1.
        confidence: of the band, for example 0.95.
    """
    contrasts = basis(np.asarray(values), knots) - basis(np.asarray([reference]), knots)
    logs = contrasts @ coefficients
    errors = np.sqrt(np.einsum("ij,jk,ik->i", contrasts, covariance, contrasts))
    return Curve(
        tuple(float(value) for value in values),
        tuple(
            Ratio(1.0, 1.0, 1.0, 0.0, math.nan) if value == reference else ratio(float(log), float(error), confidence)
            for value, log, error in zip(values, logs, errors, strict=True)
        ),
    )


def _check(knots: Sequence[float]) -> None:
    if len(knots) < 3 or not (np.diff(np.asarray(knots)) > 0).all():
        raise ValueError("a restricted cubic spline needs three knots or more, each above the one before")
