"""How different those lost must be before an association is gone.

Belongs here: closed forms for a risk ratio when the outcome of a share of people is unknown. Does not belong here:
weights from what is known of them (``attrition_weights``).

A tipping-point (delta-adjusted) analysis for outcomes missing not at random: Cro et al. 2020, doi 10.1002/sim.8569.
"""

from __future__ import annotations

from stegvis.statistics.contract import NotEstimable


def ratio_in_everyone(
    observed_ratio: float, lost: float, risk_in_lost: float, lost_reference: float, risk_in_lost_reference: float = 1.0
) -> float:
    """The risk ratio in everyone, those lost included.

    Args:
        observed_ratio: risk ratio in those followed.
        lost: share lost in the category, 0 to 1.
        risk_in_lost: risk in the lost over the risk in the followed, in the category.
        lost_reference: share lost in the reference category.
        risk_in_lost_reference: the same ratio in the reference category.

    Raises:
        ValueError: a share or ratio is out of range.
    """
    _check(observed_ratio, lost, lost_reference)
    if min(risk_in_lost, risk_in_lost_reference) < 0:
        raise ValueError("a risk cannot be negative")
    return observed_ratio * (1 + lost * (risk_in_lost - 1)) / (1 + lost_reference * (risk_in_lost_reference - 1))


def tipping_point(observed_ratio: float, lost: float, risk: float | None = None) -> float | NotEstimable:
    """How many times the risk of the followed the lost of a category must have, for the ratio in everyone to be 1.

    The lost of the reference category are taken to be like its followed.

    Args:
        observed_ratio: risk ratio in those followed, or a confidence limit of it.
        lost: share lost in the category, 0 to 1.
        risk: risk of the followed in the category, where known; a tipping point above 1/risk cannot be reached.

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
        raise ValueError("a share must lie between 0 and 1")
