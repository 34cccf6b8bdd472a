"""Tail probabilities and quantiles of the distributions that tests refer to.

``scipy.stats`` has them too and gives the same digits, but takes ten times as long to import as ``scipy.special``,
which is as long as a fifth of a wave's models.
"""

from __future__ import annotations

from scipy import special


def chi2_tail(statistic: float, degrees_of_freedom: float) -> float:
    """The probability of a larger chi-squared statistic."""
    return float(special.chdtrc(degrees_of_freedom, statistic))


def chi2_quantile(probability: float, degrees_of_freedom: float) -> float:
    """The statistic below which a chi-squared one is with this probability."""
    return float(2 * special.gammaincinv(degrees_of_freedom / 2, probability))


def f_tail(statistic: float, numerator: float, denominator: float) -> float:
    """The probability of a larger F statistic on these degrees of freedom."""
    return float(special.fdtrc(numerator, denominator, statistic))


def t_tail(statistic: float, degrees_of_freedom: float) -> float:
    """The probability of a larger t statistic, on one side."""
    return float(special.stdtr(degrees_of_freedom, -statistic))


def t_quantile(probability: float, degrees_of_freedom: float) -> float:
    """The statistic below which a t statistic is with this probability."""
    return float(special.stdtrit(degrees_of_freedom, probability))
