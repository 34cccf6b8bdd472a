"""Which published number is the count of which people: results, Table 1 and the exclusion steps.

It names the group behind each number, and the relations between groups that the analyses imply.

An analysis whose groups are not known here is treated by itself: the counts of its rows are those of its own groups.

A category of an exposure is identified by its position, not by its label: where a new person moves a cut, the label
changes, but an attacker can still compare the lowest quarters of two releases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pandas as pd

from stegvis.analyses.characteristics import ALL, CHARACTERISTICS_COLUMNS, PEOPLE
from stegvis.disclosure.counts import CASE, NOT_SEVERE, SEVERE, Counts, Group, within
from stegvis.study.protocol import EXPOSURES

# (table, row, column) of a published number.
Place = tuple[str, Any, str]
ACROSS = "all"
BASELINE = "everyone at baseline"
_OF_ALL_WAVES = ("pooled", "wave_interaction", "projection")
_SEXES = {"women": "sex=female", "men": "sex=male"}
_STRICT_SEVERE = "all but low back pain that is not severe"
_JOINT = " x ".join(f"{exposure}_category" for exposure in EXPOSURES)


@dataclass(frozen=True)
class Tables:
    """The tables of a release, or of a wave, as they are before disclosure control.

    Attributes:
        results: columns of ``stegvis.statistics.results.RESULT_COLUMNS``.
        attrition: ``wave``, ``step``, ``rule``, ``excluded``, ``remaining``, ``status``; in order.
        characteristics: columns of ``stegvis.analyses.characteristics.CHARACTERISTICS_COLUMNS``.
    """

    results: pd.DataFrame
    attrition: pd.DataFrame
    characteristics: pd.DataFrame

    @classmethod
    def of_results(cls, results: pd.DataFrame) -> Tables:
        """Results alone."""
        steps = pd.DataFrame(columns=["wave", "step", "rule", "excluded", "remaining", "status"])
        return cls(results, steps, pd.DataFrame(columns=list(CHARACTERISTICS_COLUMNS)))


@dataclass
class Counted:
    """Tables as counts: the groups behind their numbers.

    Attributes:
        counts: the groups and how they add up.
        of: the group behind every number of the tables that is a count, also where it is missing.
        categories: rows of results about one category of people, whose estimate says nearly what its counts say.
    """

    counts: Counts = field(default_factory=Counts)
    of: dict[Place, Group] = field(default_factory=dict)
    categories: set[Any] = field(default_factory=set)

    def publish(self, place: Place, group: Group, count: Any, analysis: str = "") -> None:
        """Note the group behind a number, and its count unless it is missing."""
        if pd.isna(count):
            self.of[place] = group
        else:
            self.of[place] = self.counts.publish(group, int(count), analysis)


def counted(tables: Tables, low_categories: int) -> Counted:
    """The groups behind the numbers of tables, and all relations between them that anyone may know.

    Args:
        tables: before disclosure control, or published in an earlier release.
        low_categories: how many of the lowest categories of an exposure are low (``additive_interaction``).
    """
    found = Counted()
    steps = _count_steps(found, tables.attrition)
    _count_characteristics(found, tables.characteristics)
    for wave, rows in tables.results.groupby("wave", sort=False):
        if wave == ACROSS:
            _count_results_across(found, rows)
        else:
            _Wave(found, str(wave), rows, steps.get(str(wave), [])).count(low_categories)
    waves = {str(wave) for wave in tables.results["wave"].unique()}
    for wave in sorted(waves - {ACROSS}) if ACROSS in waves else []:
        _join_to_pooled(found.counts, wave)
    found.counts.close()
    return found


def _count_steps(found: Counted, attrition: pd.DataFrame) -> dict[str, list[tuple[Group, Group]]]:
    """The exclusion steps; returns (excluded, left) of each wave's steps in order."""
    steps: dict[str, list[tuple[Group, Group]]] = {}
    for wave, rows in attrition.groupby("wave", sort=False):
        # Before the first step on the follow-up, the people are the same in all waves.
        whose = BASELINE
        mine: list[tuple[Group, Group]] = []
        for index, row in _records(rows):
            rule = str(row["rule"])
            if rule.startswith("followup"):
                whose = f"{wave}, eligible"
            last = index == rows.index[-1] and len(rows) > 1
            left: Group = (str(wave),) if last else (whose, f"left after={rule}")
            out: Group = (whose, f"excluded={rule}")
            found.publish(("attrition", index, "remaining"), left, row["remaining"])
            if mine:
                found.publish(("attrition", index, "excluded"), out, row["excluded"])
            mine.append((out, left))
        for (_, before), (out, left) in pairwise(mine):
            found.counts.relate(before, (out, left))
        steps[str(wave)] = mine
    return steps


def _places(labels: Iterable[Any]) -> dict[str, str]:
    """The position of each category, by its label; labels come in order, and may be repeated."""
    order = list(dict.fromkeys(str(label) for label in labels))
    return {label: f"{place} of {len(order)}" for place, label in enumerate(order, start=1)}


def _count_characteristics(found: Counted, table: pd.DataFrame) -> None:
    bare = table[table["category"] != ALL]
    places = {key: _places(rows["category"]) for key, rows in bare.groupby(["wave", "exposure"])}
    for index, row in _records(table):
        group: Group = (str(row["wave"]),)
        if row["category"] != ALL:
            place = places[row["wave"], row["exposure"]][str(row["category"])]
            group = within(group, f"{row['exposure']}={place}")
        if row["level"] and row["variable"] != PEOPLE:
            group = within(group, f"{row['variable']}={row['level']}")
        found.publish(("characteristics", index, "n"), group, row["n"], "characteristics")


def _count_results_across(found: Counted, rows: pd.DataFrame) -> None:
    places = _places_by_analysis(rows)
    for index, row in _records(rows):
        analysis, population = str(row["analysis"]), str(row["population"])
        group: Group = (ACROSS,) if analysis in _OF_ALL_WAVES else (f"{ACROSS}, {analysis}: {population}",)
        if analysis == "wave_interaction" and population.startswith("wave "):
            group = within(group, f"wave={population.removeprefix('wave ')}")
        if row["level"] and row["term"] == f"{row['exposure']}_category":
            place = places[analysis, str(row["exposure"])][str(row["level"])]
            group = within(group, f"{row['exposure']} over all waves={place}")
            found.categories.add(index)
        _tell_row(found, index, row, group)


def _places_by_analysis(rows: pd.DataFrame) -> dict[tuple[str, str], dict[str, str]]:
    """The places of an exposure's categories, by analysis and exposure."""
    mine = [
        str(term).startswith(f"{exposure}_category") and term != _JOINT and bool(level)
        for exposure, term, level in zip(rows["exposure"], rows["term"], rows["level"], strict=True)
    ]
    return {
        (str(analysis), str(exposure)): _places(group["level"])
        for (analysis, exposure), group in rows[mine].groupby(["analysis", "exposure"])
    }


def _records(rows: pd.DataFrame) -> Iterator[tuple[Any, dict[Any, Any]]]:
    """(index, row) of each row."""
    return zip(rows.index, rows.to_dict("records"), strict=True)


def _tell_row(found: Counted, index: Any, row: Mapping[str, Any], group: Group, case: str = CASE) -> None:
    of = ", ".join(str(row[name]) for name in ("analysis", "population", "exposure", "term", "level") if row[name])
    found.publish(("results", index, "n"), group, row["n"], of)
    found.publish(("results", index, "events"), within(group, case), row["events"], of)


def _join_to_pooled(counts: Counts, wave: str) -> None:
    """The pooled rows of a wave are about the wave's analyzed people."""
    for case in ((), (CASE,)):
        mine, pooled = within((wave,), *case), within((ACROSS,), f"wave={wave}", *case)
        if mine in counts.values:
            counts.derive(pooled, counts.values[mine])
            counts.relate(pooled, (mine,))


class _Wave:
    """The results of one wave."""

    def __init__(self, found: Counted, wave: str, rows: pd.DataFrame, steps: list[tuple[Group, Group]]) -> None:
        self.found = found
        self.counts = found.counts
        self.everyone: Group = (wave,)
        self.rows = rows
        self.steps = steps
        main = rows[(rows["analysis"] == "main") & (rows["measure"] == "rr")]
        # By label, lowest first: of the main analysis, and of those that cut the categories anew.
        self.places: dict[str, dict[str, str]] = {
            exposure: _places(main.loc[main["exposure"] == exposure, "level"]) for exposure in EXPOSURES
        }
        self.own_places = _places_by_analysis(rows)
        totals = rows[rows["measure"] == "p_joint"].drop_duplicates("analysis").set_index("analysis")["n"]
        # A sensitivity analysis that excludes nobody is about everyone.
        self.same_people = {
            str(analysis)
            for analysis, n in totals.items()
            if "main" in totals and pd.notna(n) and pd.notna(totals["main"]) and n == totals["main"]
        }

    def count(self, low_categories: int) -> None:
        for index, row in _records(self.rows):
            analysis = str(row["analysis"])
            case = SEVERE if analysis.startswith("sensitivity:severe_pain") else CASE
            sample, of = self._sample(analysis, str(row["population"]))
            group = within(sample, *self._category(row, of))
            if group != sample:
                self.found.categories.add(index)
            _tell_row(self.found, index, row, group, case)
        self._relate_samples()
        self._relate_severe()
        self._relate_low(low_categories)
        self._relate_below_the_highest()
        self._relate_eligible()

    def _category(self, row: Mapping[str, Any], of: str) -> list[str]:
        """The attributes that distinguish the people of a row within its sample."""
        analysis, term, level = str(row["analysis"]), str(row["term"]), str(row["level"])
        if not level or analysis == "imputed":  # its n is everyone, whatever the level
            return []
        if term == _JOINT:
            both = zip(EXPOSURES, level.split(" & "), strict=False)
            return [f"{exposure}{of}={self._place(exposure, each)}" for exposure, each in both]
        exposure = str(row["exposure"])
        if term.startswith(f"{exposure}_category") or analysis == "cross_estimator":
            place = self.own_places[analysis, exposure][level] if of else self._place(exposure, level)
            return [f"{exposure}{of}={place}"]
        return [f"low={level}"] if analysis == "additive_interaction" else []

    def _place(self, exposure: str, label: str) -> str:
        return self.places[exposure].get(label, label)

    def _sample(self, analysis: str, population: str) -> tuple[Group, str]:
        """The people of an analysis, and a prefix that distinguishes its categories from those of the main analysis."""
        if analysis in ("fixed_cuts", "sample_cuts"):
            return self.everyone, f", {analysis}"
        if analysis in self.same_people and not analysis.startswith("within"):
            return (self.everyone, "") if population in ("all", "") else (self._part(population), "")
        if analysis.startswith("sensitivity:"):
            return within(self.everyone, f"{analysis}=in"), f", {analysis}"
        return self._part(population), ""

    def _part(self, population: str) -> Group:
        if population == "all":
            return self.everyone
        if population in _SEXES:
            return within(self.everyone, _SEXES[population])
        if population.startswith("age"):
            return within(self.everyone, f"age group={population}")
        if population == "at least one whole day":
            return within(self.everyone, "whole day=yes")
        if population == "answered" and len(self.steps) > 1:
            return self.steps[-2][1]
        exposure, _, label = population.partition(" ")
        if exposure in EXPOSURES:
            place = self.places[exposure].get(label)
            return within(self.everyone, f"{exposure}={place}" if place else f"below the highest {exposure}=yes")
        return (f"{self.everyone[0]}, {population}",)

    def _relate_samples(self) -> None:
        """The people excluded from a sample: their count is not published, but it is the difference."""
        samples = sorted({each for group in self.counts.values if group[0] == self.everyone[0] for each in group[1:]})
        for sample in samples:
            name, _, value = sample.partition("=")
            other = {"in": f"{name}=out", "yes": f"{name}=no"}.get(value)
            if other and (value == "in" or name == "whole day"):
                for case in ((), (CASE,)):
                    self.counts.split(
                        within(self.everyone, *case),
                        within(self.everyone, sample, *case),
                        within(self.everyone, other, *case),
                    )
        good, strictly = (f"sensitivity:good_health{end}=in" for end in ("", "_strict"))
        for case in ((), (CASE,)):
            self.counts.split(
                within(self.everyone, good, *case),
                within(self.everyone, strictly, *case),
                within(self.everyone, "good health=unknown", *case),
            )

    def _relate_severe(self) -> None:
        """Severe low back pain is low back pain."""
        for group in [group for group in self.counts.values if group[0] == self.everyone[0] and SEVERE in group[1:]]:
            bare = (group[0], *(each for each in group[1:] if each != SEVERE))
            self.counts.split(within(bare, CASE), group, within(bare, CASE, NOT_SEVERE))
        for analysis in self.rows.loc[self.rows["population"] == _STRICT_SEVERE, "analysis"].unique():
            without = within(self.everyone, f"{analysis}=out")
            self.counts.relate(without, (within(self.everyone, CASE, NOT_SEVERE),))
            self.counts.relate(within(self.everyone, SEVERE), (within(self.everyone, f"{analysis}=in", SEVERE),))

    def _relate_low(self, low_categories: int) -> None:
        """Low volume and low intensity are made of the cells of the joint table."""
        volumes, intensities = (self.places[exposure].values() for exposure in EXPOSURES)
        low = {(True, True): "both low", (True, False): "low volume", (False, True): "low intensity"}
        for case in ((), (CASE,)):
            cells: dict[str, list[Group]] = {}
            for place, volume in enumerate(volumes):
                for other, intensity in enumerate(intensities):
                    name = low.get((place < low_categories, other < low_categories), "neither low")
                    attributes = (f"{EXPOSURES[0]}={volume}", f"{EXPOSURES[1]}={intensity}")
                    cells.setdefault(name, []).append(within(self.everyone, *attributes, *case))
            for name, parts in cells.items():
                self.counts.relate(within(self.everyone, f"low={name}", *case), parts)

    def _relate_below_the_highest(self) -> None:
        for exposure in EXPOSURES:
            below = f"below the highest {exposure}=yes"
            for group in [group for group in self.counts.values if below in group[1:]]:
                bare = (group[0], *(each for each in group[1:] if each != below))
                lower = [within(bare, f"{exposure}={place}") for place in list(self.places[exposure].values())[:-1]]
                self.counts.relate(group, lower)

    def _relate_eligible(self) -> None:
        """Of the eligible people with known covariates some responded; the others are lost to follow-up."""
        eligible: Group = (f"{self.everyone[0]}, eligible",)
        if len(self.steps) < 2 or eligible not in self.counts.values:
            return
        lost = self.steps[-2][0]
        self.counts.split(eligible, self.everyone, within(eligible, "lost=yes"))
        self.counts.split(lost, within(eligible, "lost=yes"), (f"{self.everyone[0]}, lost", "covariate=missing"))
