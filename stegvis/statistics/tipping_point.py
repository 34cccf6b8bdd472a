"""Tipping points: how different the people lost to follow-up must be for an association to disappear.

A tipping-point (delta-adjusted) analysis for outcomes missing not at random: Cro et al. 2020, doi 10.1002/sim.8569.
"""

from __future__ import annotations

from stegvis.statistics.contract import NotEstimable


def ratio_in_everyone(
    observed_ratio: float, lost: float, risk_in_lost: float, lost_reference: float, risk_in_lost_reference: float = 1.0
) -> float:
    """The risk ratio in everyone, including those lost to follow-up.

    Args:
        observed_ratio: risk ratio in those followed.
        lost: share lost to follow-up in the category, 0 to 1.
        risk_in_lost: risk in those lost over the risk in those followed, in the category.
        lost_reference: share lost to follow-up in the reference category.
        risk_in_lost_reference: the same ratio in the reference category.

    Raises:
        ValueError: a share or ratio is out of range.
    """
    _check(observed_ratio, lost, lost_reference)
    if min(risk_in_lost, risk_in_lost_reference) < 0:
        raise ValueError("a risk cannot be negative")
    return observed_ratio * (1 + lost * (risk_in_lost - 1)) / (1 + lost_reference * (risk_in_lost_reference - 1))


def tipping_point(observed_ratio: float, lost: float, risk: float | None = None) -> float | NotEstimable:
    """The risk in those lost over that in those followed, in a category, at which the ratio in everyone is 1.

    In the reference category, those lost are assumed to have the risk of those followed.

    Args:
        observed_ratio: risk ratio in those followed, or a confidence limit of it.
        lost: share lost to follow-up in the category, 0 to 1.
        risk: risk of those followed in the category, if known; a tipping point above 1/risk is impossible.

    Returns:
        The ratio of risks; not estimable if nobody was lost or no possible risk moves the ratio to 1.

    Raises:
        ValueError: a share or ratio is out of range.
    """
    _check(observed_ratio, lost)
    if lost == 0:
        return NotEstimable("nobody was lost")
    found = 1 + (1 / observed_ratio - 1) / lost
    if found < 0 or (risk is not None and found * risk > 1):
        return NotEstimable("no risk in those lost could move the ratio to 1")
    return found


def _check(observed_ratio: float, *shares: float) -> None:
    if observed_ratio <= 0:
        raise ValueError("a risk ratio must be positive")
    if not all(0 <= share <= 1 for share in shares):
        raise ValueError("a share must be between 0 and 1")
