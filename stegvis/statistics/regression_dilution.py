"""Correction of an association for an exposure that was measured on few days.

The factor by which day-to-day variation attenuates a linear association, and the correction.

Regression dilution: MacMahon et al. 1990, doi 10.1016/0140-6736(90)90878-9; Frost and Thompson 2000, doi
10.1111/1467-985X.00164. It holds for one linear term. Ratios of categories must not be divided by it; their usual
means are reported instead.
"""

from __future__ import annotations

import math

import numpy as np

from stegvis.statistics.risk_ratio import Ratio, ratio
from stegvis.statistics.variance_components import Components


def dilution(components: Components, measurements: np.ndarray, counts: np.ndarray | None = None) -> np.ndarray:
    """The dilution factor: slope on people's means over slope on their usual values; one per sample of the components.

    The variance of the means is between + within x E(1/k) where the numbers of days k differ.

    Args:
        components: of one or more samples.
        measurements: number of days k of each person.
        counts: samples x people, how often each person is in each sample; once unless given.
    """
    inverse = 1 / np.asarray(measurements, dtype="float64")
    mean = inverse.mean() if counts is None else counts @ inverse / counts.sum(axis=1)
    factor: np.ndarray = components.between / (components.between + components.within * mean)
    return factor


def corrected_ratio(
    log_ratio: float, std_error: float, factor: float, factor_variance: float, confidence: float
) -> Ratio:
    """The risk ratio of usual exposure from that of measured exposure, by the delta method.

    Args:
        log_ratio: of a linear term.
        std_error: its standard error.
        factor: reliability of the measured exposure, in (0, 1].
        factor_variance: its variance; 0 to take it as known.
        confidence: of the interval.

    Raises:
        ValueError: the factor is not in (0, 1].
    """
    if not 0 < factor <= 1:
        raise ValueError("a reliability must be above 0 and at most 1")
    variance = std_error**2 / factor**2 + log_ratio**2 * factor_variance / factor**4
    return ratio(log_ratio / factor, math.sqrt(variance), confidence)


def usual_means(means: np.ndarray, grand_mean: float, factor: float) -> np.ndarray:
    """The mean usual exposure of categories, from their measured means; same shape as ``means``."""
    usual: np.ndarray = grand_mean + factor * (np.asarray(means, dtype="float64") - grand_mean)
    return usual
