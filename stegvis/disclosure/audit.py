"""The influence audit: whether a new edition of a wave would give the outcome of those who changed away.

Those who left are erased, so stand-ins take their place: as many present people as have changed, stratum by stratum,
and the attackers of ``influence`` guess their outcome. An edition passes only if no guess is better than what the
published groups say already.

Only the main ratios and their intervals are ever published anew when people have changed. Counts, and hundreds of
ratios, give nearly every outcome away however many have changed (measured in ``docs/disclosure.md``): everything else
keeps its value.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from stegvis.disclosure.influence import Guesses, Moves, area_under_curve, guesses, moves
from stegvis.disclosure.people_sets import PeopleSets

# How much better than the margins a guess may look by chance: area under the curve, of all people and of a stratum.
TOLERANCE = 0.02
OF_STRATUM = 0.04
# How far apart the two outcomes of one person may be, in standard deviations: an area under the curve of 0.64.
CLEAREST = 0.5
# Guesses of each audit: of the fewest people who changed in many draws, of many people in some.
_GUESSES = 10_000
_MOST_DRAWS = 400


@dataclass(frozen=True)
class Audited:
    """What an audit found.

    Attributes:
        passed: whether no guess is better than the margins.
        margin: area under the curve of the guess from the published groups alone.
        attack: of the best attacker.
    """

    passed: bool
    margin: float = 0.5
    attack: float = 0.5


def is_main_ratio(results: pd.DataFrame) -> pd.Series:
    """The rows of the main risk ratios."""
    main = (results["analysis"] == "main") & (results["population"] == "all")
    return main & (results["measure"] == "rr") & (results["level"] != "")


def audit(results: pd.DataFrame, sets: PeopleSets, changed: int, decimals: int) -> Audited:
    """Let the attackers guess the outcomes of stand-ins from the main ratios and their intervals.

    Args:
        results: the wave's as computed today, with all digits.
        sets: the people behind its rows, and nobody else.
        changed: how many of the analyzed have changed since the wave was published.
        decimals: of a published ratio.
    """
    ratios = set(results.index[is_main_ratio(results)])
    people = moves(results, sets, ratios, set(), decimals, errors=False) if changed else None
    if people is None or not people.case.any() or people.case.all():
        return Audited(not changed)
    return _evaluated(people, changed)


def _evaluated(people: Moves, changed: int) -> Audited:
    draws = min(max(_GUESSES // min(changed, len(people.case)), 3), _MOST_DRAWS)
    found = guesses(people, changed, draws)
    margin = area_under_curve(found.margin, found.case)
    attack = max(area_under_curve(score, found.case) for score in found.score.values())
    passed = attack <= margin + TOLERANCE and found.clearest <= CLEAREST and _strata_hold(found)
    return Audited(passed, margin, attack)


def _strata_hold(found: Guesses) -> bool:
    for stratum in set(found.stratum.tolist()):
        mine = found.stratum == stratum
        margin = area_under_curve(found.margin[mine], found.case[mine])
        if any(area_under_curve(score[mine], found.case[mine]) > margin + OF_STRATUM for score in found.score.values()):
            return False
    return True


def refusal(wave: str) -> str:
    """Why a new edition is not published, and what may be done instead; no release says any of it."""
    return (
        f"a new edition of wave {wave} is refused: the outcome of people whose data changed could be guessed from its "
        "main ratios better than from what is published already. The published numbers stay. Ask again when more "
        f"people's data have changed; numbers that are wrong can be retracted: stegvis retract {wave}"
    )
