"""The attacker: bounds of unpublished counts from published ones, by linear programming.

The method: Fischetti and Salazar 2001, Management Science 47(7):1008-1027,
doi 10.1287/mnsc.47.7.1008.9805 (attacker's subproblems).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stegvis.disclosure.counts import Group, Relation

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult
    from scipy.sparse import csr_array

# A linear program's answer is exact to about this much.
TOLERANCE = 1e-6
# Steps of the simplex method after which a linear program is given up: a wave at full size needs a few hundred.
LONGEST_SEARCH = 20_000


class ContradictionError(ValueError):
    """The known counts do not add up: no table of people could give them."""


@dataclass(frozen=True)
class _Part:
    """Connected unknown counts, and their equations: ``matrix @ counts = sums``."""

    groups: tuple[Group, ...]
    matrix: np.ndarray
    sums: np.ndarray


def ranges(
    relations: Iterable[Relation],
    known: Mapping[Group, int],
    wanted: Iterable[Group],
    truth: Mapping[Group, int] | None = None,
    enough: float = math.inf,
) -> dict[Group, tuple[int, int | float]]:
    """The smallest and largest value that each wanted count can have, being a whole number of people.

    Args:
        relations: how counts add up.
        known: published counts.
        wanted: whose range is asked for; known ones have a range of one value.
        truth: the counts themselves, which an auditor knows. With ``enough`` it saves most of the work.
        enough: a range at least so wide may be given narrower than it is (but not narrower than this).

    Returns:
        (smallest, largest) of each; the largest is infinite where nothing bounds it. Where a linear program takes too
        long, the range is narrower than it is: the count is then thought to be unprotected.

    Raises:
        ContradictionError: the known counts do not add up.
    """
    found, parts = _taken_apart(relations, known)
    # In the order given: results must not depend on the order of a set.
    asked = list(dict.fromkeys(wanted))
    answers: dict[Group, tuple[int, int | float]] = {
        group: (found[group], found[group]) if group in found else (0, math.inf) for group in asked
    }
    for part in parts:
        mine = [group for group in asked if group in set(part.groups)]
        if mine:
            answers |= _bounded(part, mine, truth, enough)
    return answers


def _taken_apart(relations: Iterable[Relation], known: Mapping[Group, int]) -> tuple[dict[Group, int], list[_Part]]:
    """The known counts and those that follow directly, and the remaining equations by connected part."""
    found = dict(known)
    equations = _equations(relations)
    while True:
        rest = []
        for signs in equations:
            unknown = [group for group in signs if group not in found]
            total = -sum(sign * found[group] for group, sign in signs.items() if group in found)
            if len(unknown) > 1:
                rest.append(signs)
            elif unknown:
                found[unknown[0]] = total * signs[unknown[0]]
            elif total:
                raise ContradictionError("counts that are known do not add up")
        if len(rest) == len(equations):
            break
        equations = rest
    if any(found[group] < 0 for group in found):
        raise ContradictionError("a count would be below zero")
    return found, _parts(equations, found)


def _equations(relations: Iterable[Relation]) -> list[dict[Group, int]]:
    """Each relation as total - parts = 0."""
    return [{total: 1} | dict.fromkeys(parts, -1) for total, parts in relations]


def _parts(equations: Sequence[dict[Group, int]], found: Mapping[Group, int]) -> list[_Part]:
    """The equations, grouped so that those of different groups share no unknown count."""
    leader: dict[Group, Group] = {}

    def lead(group: Group) -> Group:
        while leader.setdefault(group, group) != group:
            leader[group] = leader[leader[group]]
            group = leader[group]
        return group

    unknowns = [[group for group in signs if group not in found] for signs in equations]
    for groups in unknowns:
        for group in groups[1:]:
            leader[lead(group)] = lead(groups[0])
    together: dict[Group, list[int]] = {}
    for number, groups in enumerate(unknowns):
        together.setdefault(lead(groups[0]), []).append(number)
    parts = []
    for numbers in together.values():
        names = tuple(sorted({group for number in numbers for group in unknowns[number]}))
        place = {group: column for column, group in enumerate(names)}
        matrix = np.zeros((len(numbers), len(names)))
        sums = np.zeros(len(numbers))
        for row, number in enumerate(numbers):
            for group, sign in equations[number].items():
                if group in place:
                    matrix[row, place[group]] = sign
                else:
                    sums[row] -= sign * found[group]
        parts.append(_Part(names, matrix, sums))
    return parts


def _bounded(
    part: _Part, wanted: Sequence[Group], truth: Mapping[Group, int] | None, enough: float
) -> dict[Group, tuple[int, int | float]]:
    from scipy.sparse import csr_array

    equations = csr_array(part.matrix)
    place = {group: column for column, group in enumerate(part.groups)}
    # Any table that fits the known counts widens the range of every count in it: those seen so far.
    low = np.full(len(part.groups), math.inf)
    high = np.full(len(part.groups), -math.inf)
    if truth is not None and all(group in truth for group in part.groups):
        low = high = np.array([float(truth[group]) for group in part.groups])
    answers: dict[Group, tuple[int, int | float]] = {}
    for group in wanted:
        column = place[group]
        for sign in (-1.0, 1.0):
            smallest, largest = whole(low[column], high[column])
            if largest - smallest >= enough:
                break
            goal = np.zeros(len(part.groups))
            goal[column] = sign
            solved = _solved(goal, equations, part.sums)
            if solved.status == 3:  # unbounded
                high = high.copy()
                high[column] = math.inf
            elif solved.status == 0:
                low, high = np.minimum(low, solved.x), np.maximum(high, solved.x)
            elif solved.status != 1:
                raise ContradictionError("no table of people gives the counts that are known")
        answers[group] = whole(low[column], high[column])
    return answers


def whole(low: float, high: float) -> tuple[int, int | float]:
    """The smallest and the largest whole number of people in a range."""
    if math.isinf(low):  # nothing was found out
        return 0, 0
    return max(math.ceil(low - TOLERANCE), 0), math.inf if math.isinf(high) else math.floor(high + TOLERANCE)


def _solved(goal: np.ndarray, equations: csr_array, sums: np.ndarray) -> OptimizeResult:
    """The smallest value of a goal; of status 1 if it was not found in ``LONGEST_SEARCH`` steps."""
    from scipy.optimize import linprog

    for simplified in (True, False):
        options = {"maxiter": LONGEST_SEARCH, "presolve": simplified}
        solved = linprog(goal, A_eq=equations, b_eq=sums, bounds=(0, None), method="highs", options=options)
        if solved.status != 4:  # "unbounded or infeasible": without presolving HiGHS knows which
            break
    return solved
