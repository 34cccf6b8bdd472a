"""The attack by influence: what a changed edition of a wave says about the outcome of a person who changed.

Somebody who leaves moves every published ratio of the groups that he or she was in: down where a case leaves, up where
anybody else does. The size of each move follows from the published people and cases of the group (the influence
function of a log ratio; Hampel 1974, doi 10.1080/01621459.1974.10482962). Hundreds of moves that are each within
rounding add up to a guess.

Two attackers: one knows the groups of one person and that the person changed, the other those of everybody who
changed. Both weigh the moves as well as they can be weighed: by the covariance of what the others who changed do to
them, and of rounding.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stegvis.disclosure.people_sets import PeopleSets
from stegvis.statistics.results import KEY_COLUMNS

# The step of a number that is published exactly: nothing divides by zero.
_EXACT = 1e-3
# Standard errors from an estimate to a limit of its interval.
_WIDTH = 1.96


@dataclass(frozen=True)
class Moves:
    """How each person moves what is published.

    Attributes:
        case: N, whether a person is a case.
        if_none: N x F, the change of each number when the person leaves and is no case.
        if_case: N x F, the same for a case.
        step: F, the distance of two values of a number as it is published.
        margin: N, the log odds of being a case that the published groups give.
        stratum: N, who is in the same published strata.
    """

    case: np.ndarray
    if_none: np.ndarray
    if_case: np.ndarray
    step: np.ndarray
    margin: np.ndarray
    stratum: np.ndarray

    @property
    def own(self) -> np.ndarray:
        """N x F, the change when the person leaves."""
        chosen: np.ndarray = np.where(self.case[:, None], self.if_case, self.if_none)
        return chosen


@dataclass(frozen=True)
class Guesses:
    """Scores of people who changed, and whether they are cases.

    Attributes:
        case: of each guess.
        margin: the score that the published groups give.
        score: by attacker.
        stratum: of each person.
        clearest: how many standard deviations of what the others do lie between the two outcomes of the present person
            whose outcome is seen best.
    """

    case: np.ndarray
    margin: np.ndarray
    score: dict[str, np.ndarray]
    stratum: np.ndarray
    clearest: float


def moves(
    results: pd.DataFrame, sets: PeopleSets, ratios: Set[Hashable], counts: Set[Hashable], decimals: int, errors: bool
) -> Moves | None:
    """How each analyzed person moves the ratios and counts that an edition publishes.

    Args:
        results: the wave's, with all digits.
        sets: the people behind its rows.
        ratios: rows whose ratio and interval are published anew.
        counts: rows whose people and cases are published anew.
        decimals: of a published ratio.
        errors: whether standard errors and p-values are published anew too.

    Returns:
        Of everybody who is analyzed; None if nothing moves, or no group has both cases and others.
    """
    groups = {
        index: _Group(sets, people, cases)
        for index in results.index
        if (people := sets.of.get(("results", index, "n"))) is not None
        and (cases := sets.of.get(("results", index, "events"))) is not None
        and sets.sizes[cases] < sets.sizes[people]
    }
    main = [index for index in groups if results.at[index, "analysis"] == "main"]
    if not main:
        return None
    found = _Numbers()
    rows = dict(zip(results.index, results.to_dict("records"), strict=True))
    for index, base in _references(results, groups).items():
        if index in ratios:
            found.ratio(groups[index], groups[base], rows[index], 10.0**-decimals, errors)
    for group in dict.fromkeys(groups[index].key for index in groups if index in counts):
        found.count(_Group(sets, *group))
    if not found.steps:
        return None
    analyzed = np.any([groups[index].people for index in main], axis=0)
    case = np.any([groups[index].cases for index in main], axis=0)
    everyone = np.repeat(np.arange(len(analyzed)), sets.overlaps.people)
    everyone = everyone[analyzed[everyone]]
    strata = [
        groups[i].people for i in groups if results.at[i, "analysis"] == "stratified" and results.at[i, "level"] == ""
    ]
    known = [groups[i] for i in groups if results.at[i, "analysis"] in ("main", "stratified", "joint")]
    return Moves(
        case[everyone],
        np.array(list(found.if_none.values()), dtype="float32").T[everyone],
        np.array(list(found.if_case.values()), dtype="float32").T[everyone],
        np.array([steps**-0.5 for steps in found.steps.values()]),
        _margins(known)[everyone],
        pd.factorize(pd.Series([row.tobytes() for row in np.array(strata or [analyzed]).T]))[0][everyone],
    )


class _Group:
    """People of a row, and its cases."""

    def __init__(self, sets: PeopleSets, people: int, cases: int) -> None:
        self.key = (people, cases)
        self.people, self.cases = sets.overlaps.matrix[people], sets.overlaps.matrix[cases]
        self.n, self.events = float(sets.sizes[people]), float(sets.sizes[cases])

    def risk(self) -> tuple[np.ndarray, np.ndarray]:
        """The change of the log risk when one of the people leaves: if no case, if a case."""
        return self.people / self.n, self.people * (1 / self.n - 1 / self.events)

    def variance(self) -> tuple[np.ndarray, np.ndarray]:
        """The change of the variance of the log risk."""
        return self.people * -(self.n**-2), self.people * (1 / self.events**2 - 1 / self.n**2)


class _Numbers:
    """Numbers that move. Those that move alike (of several models) are one, with less rounding left in their mean."""

    def __init__(self) -> None:
        self.if_none: dict[Hashable, np.ndarray] = {}
        self.if_case: dict[Hashable, np.ndarray] = {}
        self.steps: dict[Hashable, float] = {}

    def ratio(self, group: _Group, base: _Group, row: Mapping[Hashable, Any], step: float, errors: bool) -> None:
        """A log ratio, the limits of its interval, and where they are published its standard error and p-value."""
        ratio = [own - other for own, other in zip(group.risk(), base.risk(), strict=True)]
        place, estimate, error = (group.key, base.key), float(row["estimate"]), float(row["std_error"])
        self._add(("ratio", place), ratio, step / estimate)
        if not error > 0:
            return
        size = round(float(np.log(error)), 1)
        wider = [(own + other) / (2 * error) for own, other in zip(group.variance(), base.variance(), strict=True)]
        for side, column in ((-_WIDTH, "ci_low"), (_WIDTH, "ci_high")):
            limit = [one + side * two for one, two in zip(ratio, wider, strict=True)]
            self._add((column, place, size), limit, step / float(row[column]))
        if errors:
            self._add(("error", place, size), wider, 10.0 ** (np.floor(np.log10(error)) - 1))
            z = float(np.log(estimate)) / error
            test = [(one - z * two) / error for one, two in zip(ratio, wider, strict=True)]
            # Two digits of a p-value: a twentieth of it, and its logarithm falls by about z for each standard error.
            self._add(("p", place, size, round(z, 1)), test, 0.05 / max(abs(z), 0.5))

    def count(self, group: _Group) -> None:
        """The people of a group, and its cases."""
        nobody, people = 0.0 * group.people, -1.0 * group.people
        self._add(("people", group.key[0]), [people, people], _EXACT)
        self._add(("cases", group.key), [nobody, people], _EXACT)

    def _add(self, place: Hashable, change: Sequence[np.ndarray], step: float) -> None:
        self.if_none[place], self.if_case[place] = change
        self.steps[place] = self.steps.get(place, 0.0) + step**-2.0


def _references(results: pd.DataFrame, groups: Iterable[Hashable]) -> dict[Hashable, Hashable]:
    """The row of the reference of each row with a ratio."""
    keys = [key for key in KEY_COLUMNS if key != "level"]
    ratios = results.loc[list(groups)]
    ratios = ratios[(ratios["measure"] == "rr") & (ratios["level"] != "") & ~ratios["term"].str.endswith("_spline")]
    names = list(ratios[keys].itertuples(index=False, name=None))
    place = {(*name, level): index for name, level, index in zip(names, ratios["level"], ratios.index, strict=True)}
    rows = zip(names, ratios["reference"], ratios.index, ratios["estimate"].gt(0), strict=True)
    return {
        index: place[*name, reference]
        for name, reference, index, is_estimated in rows
        if is_estimated and place.get((*name, reference), index) != index
    }


def _margins(groups: Iterable[_Group]) -> np.ndarray:
    """The mean of the log odds of the published groups that somebody is in."""
    distinct = list({group.key: group for group in groups}.values())
    odds = sum(group.people * np.log(group.events / (group.n - group.events)) for group in distinct)
    number = sum(group.people.astype("float64") for group in distinct)
    found: np.ndarray = odds / np.maximum(number, 1)
    return found


def guesses(people: Moves, changed: int, draws: int, seed: int = 0) -> Guesses:
    """Let the attackers guess the outcome of stand-ins: as many present people as have changed, stratum by stratum.

    Args:
        people: how they move what is published.
        changed: how many are removed at once.
        draws: how often.
        seed: of the choice of stand-ins.
    """
    random = np.random.default_rng(seed)
    changed = min(changed, len(people.case) - 1)
    own = people.own.astype("float64")
    noise = np.diag(people.step**2 / 6)  # rounded before and after
    others = (changed - 1) * np.cov(own.T).reshape(len(people.step), -1) + noise
    differ = (people.if_case - people.if_none).astype("float64")
    middle = (people.if_case + people.if_none).astype("float64") / 2 + (changed - 1) * own.mean(axis=0)
    weighed = np.linalg.solve(others, differ.T).T
    risk = 1 / (1 + np.exp(-people.margin))
    spread = risk * (1 - risk)
    chosen, one, every = [], [], []
    for _ in range(draws):
        gone = _stand_ins(people.stratum, changed, random)
        rounding = random.uniform(-0.5, 0.5, size=(2, len(people.step)))
        seen = own[gone].sum(axis=0) + people.step * (rounding[0] - rounding[1])
        one.append(people.margin[gone] + ((seen - middle[gone]) * weighed[gone]).sum(axis=1))
        expected = (people.if_none[gone] + risk[gone, None] * differ[gone]).sum(axis=0)
        inner = differ[gone].T @ (spread[gone, None] * differ[gone]) + noise
        every.append(people.margin[gone] + differ[gone] @ np.linalg.solve(inner, seen - expected))
        chosen.append(gone)
    at = np.concatenate(chosen)
    score = {"one known": np.concatenate(one), "all known": np.concatenate(every)}
    clearest = float(np.sqrt((differ * weighed).sum(axis=1).max()))
    return Guesses(people.case[at], people.margin[at], score, people.stratum[at], clearest)


def _stand_ins(stratum: np.ndarray, changed: int, random: np.random.Generator) -> np.ndarray:
    """So many people, from each stratum in proportion to its size."""
    order = random.permutation(len(stratum))
    order = order[np.argsort(stratum[order], kind="stable")]
    places = (np.arange(changed) + random.uniform()) * len(stratum) / changed
    chosen: np.ndarray = order[places.astype("int64") % len(stratum)]
    return chosen


def area_under_curve(score: np.ndarray, case: np.ndarray) -> float:
    """How often a case scores higher than somebody who is none; one half for a guess, or if one is absent."""
    cases, others = int(case.sum()), int((~case).sum())
    if not cases or not others:
        return 0.5
    return float((pd.Series(score).rank().to_numpy()[case].sum() - cases * (cases + 1) / 2) / (cases * others))
