"""E-values: VanderWeele and Ding 2017, doi 10.7326/M16-2607.

The closed form is for risk ratios; other ratios need a conversion first.

The E-value is the smallest risk ratio that an unmeasured confounder would need with both exposure and outcome to
explain an estimate away. It covers confounding only.
"""

from __future__ import annotations

import math


def e_value(risk_ratio: float, true_ratio: float = 1.0) -> float:
    """The E-value that moves a risk ratio to ``true_ratio``, by default the null.

    Raises:
        ValueError: a ratio is not positive.
    """
    if not (risk_ratio > 0 and true_ratio > 0):
        raise ValueError("a risk ratio must be positive")
    distance = risk_ratio / true_ratio
    distance = max(distance, 1 / distance)
    return distance + math.sqrt(distance * (distance - 1))


def e_value_of_interval(ci_low: float, ci_high: float, true_ratio: float = 1.0) -> float:
    """The E-value of the confidence limit nearest ``true_ratio``; 1 if the interval includes it.

    Raises:
        ValueError: a limit is not positive, or they are in the wrong order.
    """
    if not 0 < ci_low <= ci_high:
        raise ValueError("confidence limits must be positive and in order")
    if ci_low <= true_ratio <= ci_high:
        return 1.0
    return e_value(ci_low if ci_low > true_ratio else ci_high, true_ratio)
