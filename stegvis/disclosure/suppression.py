"""Suppression of cells in the tables of a wave or a release, and the log of the suppressed cells.

The decision is made elsewhere (``decision``).

The log, and the notes in the tables, name the rule that suppressed a number but not whether it was itself small: among
few suppressed counts that would reveal too much.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stegvis.analyses.characteristics import CHARACTERISTICS_COLUMNS, PEOPLE
from stegvis.disclosure.decision import Decision
from stegvis.disclosure.people_sets import PeopleSets, Place
from stegvis.disclosure.rounding import rounded
from stegvis.disclosure.tables import COUNT_COLUMNS, Tables, categories
from stegvis.statistics.results import ESTIMATE_COLUMNS, KEY_COLUMNS, RESULT_COLUMNS, joined
from stegvis.study.protocol import Protocol

# Estimates from which the people or cases of their wave follow.
COUNTS_IN_DISGUISE = (
    "events_per_coefficient", "ess_share", "equipoise", "minimum_detectable_rr", "detectable_rr", "waves_needed",
)  # fmt: skip
UNDOES_ROUNDING = "an exact count, which rounding hides, would follow from it"
SUPPRESSED_COLUMNS = ("wave", "table", "cell", "column", "rule")


@dataclass(frozen=True)
class Controlled:
    """Tables after disclosure control.

    Attributes:
        tables: a suppressed number is missing.
        suppressed: one row per suppressed number: ``wave``, ``table``, ``cell``, ``column`` and ``rule``.
        unprotected: how many small counts can be inferred nevertheless; unless 0, nothing may be published.
    """

    tables: Tables
    suppressed: pd.DataFrame
    unprotected: int


def small_rule(smallest_count: int) -> str:
    """The rule in words."""
    return f"a count below {smallest_count}, or one that would give such a count away"


def suppressed(tables: Tables, sets: PeopleSets, decision: Decision, protocol: Protocol) -> Controlled:
    """Tables with the cells of a decision suppressed, rounded where the protocol says so.

    Args:
        tables: as they were computed.
        sets: the people behind their counts.
        decision: which sets are not counted in public.
        protocol: smallest count, rounding.
    """
    smallest = protocol.disclosure.smallest_count
    rounds = protocol.release.rounding != "none"
    maker = _Suppression(sets, decision, categories(tables, sets), small_rule(smallest), rounds)
    made = Tables(
        maker.results(tables.results.copy(), smallest),
        maker.attrition(tables.attrition.copy()),
        maker.characteristics(tables.characteristics.copy()),
    )
    if rounds:
        _round(made, protocol)
    log = pd.DataFrame(maker.log, columns=list(SUPPRESSED_COLUMNS)).astype("str")
    return Controlled(made, log, decision.unprotected)


class _Suppression:
    """Suppresses cells of tables, and logs them."""

    def __init__(
        self, sets: PeopleSets, decision: Decision, categories: set[Hashable], small: str, rounds: bool
    ) -> None:
        self.sets = sets
        self.hidden = decision.hidden
        self.closed = decision.closed
        self.categories = categories
        self.small = small
        self.rounds = rounds
        self.whole = False
        self.log: list[tuple[str, str, str, str, str]] = []

    def rule(self, place: Place) -> str | None:
        """The rule that suppresses a number, if one does."""
        return self.small if self.sets.of.get(place) in self.hidden or place in self.closed else None

    def note(self, wave: str, table: str, cell: str, column: str, rule: str) -> None:
        self.log.append((wave, table, cell, column, rule))

    def results(self, results: pd.DataFrame, smallest: int) -> pd.DataFrame:
        """Results without the suppressed counts, and without the estimates that would give them away."""
        whole = results[(results["measure"] == "p_joint") & results["analysis"].isin(("main", "pooled"))]
        places = [("results", index, column) for index in whole.index for column in ("n", "events")]
        self.whole = any(self.rule(place) for place in places)
        gone: dict[str, list[Any]] = {"n": [], "events": [], "estimate": []}
        notes = {}
        for index, row in zip(results.index, results.to_dict("records"), strict=True):
            rules = self._rules_of(index, row)
            if rules and ("estimate" in rules or self._estimate_goes(index, row, rules, smallest)):
                gone["estimate"].append(index)
            for column, rule in rules.items():
                if column != "estimate":
                    gone[column].append(index)
                cell = " / ".join(str(row[name]) for name in KEY_COLUMNS if row[name])
                self.note(str(row["wave"]), "results", cell, column, rule)
            left_out = without_left_out(str(row["note"])) if rules or self.rounds else str(row["note"])
            # The rule first: a note ends in why a row could not be estimated.
            notes[index] = joined(*dict.fromkeys(rules.values()), without_levels(left_out))
        results.loc[gone["n"], "n"] = pd.NA
        results.loc[gone["events"], "events"] = pd.NA
        results.loc[gone["estimate"], list(ESTIMATE_COLUMNS)] = np.nan
        results.loc[gone["estimate"], "status"] = "suppressed"
        results["note"] = pd.Series(notes, dtype="str")
        return results.astype(RESULT_COLUMNS)

    def _rules_of(self, index: Any, row: dict[Any, Any]) -> dict[str, str]:
        """The rule behind each suppressed number of a row of results."""
        rules = {}
        for column in ("n", "events"):
            rule = self.rule(("results", index, column))
            if rule and pd.notna(row[column]):
                rules[column] = rule
        if "n" in rules and pd.notna(row["events"]):
            rules.setdefault("events", rules["n"])  # among few people, no case reveals as much as one
        if (self.whole or self.rounds) and row["measure"] in COUNTS_IN_DISGUISE and pd.notna(row["estimate"]):
            rules["estimate"] = self.small if self.whole else UNDOES_ROUNDING
        return rules

    def _estimate_goes(self, index: Any, row: dict[Any, Any], rules: dict[str, str], smallest: int) -> bool:
        """Whether an estimate is suppressed: with its small counts, or with any count of its category."""
        if self.small not in rules.values():
            return False
        if index in self.categories or ("results", index, "events") in self.closed:
            return True
        counts = [int(row[column]) for column in ("n", "events") if pd.notna(row[column])]
        others = [counts[0] - counts[1]] if len(counts) == 2 else []
        return any(0 < count < smallest for count in (*counts, *others))

    def attrition(self, steps: pd.DataFrame) -> pd.DataFrame:
        steps["status"] = "ok"
        for index in steps.index:
            for column in ("excluded", "remaining"):
                rule = self.rule(("attrition", index, column))
                if rule and bool(steps[column].notna().at[index]):
                    steps.at[index, column] = pd.NA
                    steps.at[index, "status"] = "suppressed"
                    self.note(str(steps.at[index, "wave"]), "attrition", str(steps.at[index, "rule"]), column, rule)
        return steps

    def characteristics(self, table: pd.DataFrame) -> pd.DataFrame:
        """A category whose size is suppressed is suppressed entirely: a percentage would reveal its size."""
        rows = list(zip(table.index, table.to_dict("records"), strict=True))
        closed: dict[tuple[str, str, str], str] = {}
        for index, row in rows:
            rule = self.rule(("characteristics", index, "n"))
            if rule and row["variable"] == PEOPLE:
                closed[row["wave"], row["exposure"], row["category"]] = rule
        gone = []
        for index, row in rows:
            category = (row["wave"], row["exposure"], row["category"])
            rule = self.rule(("characteristics", index, "n")) or closed.get(category)
            if rule:
                gone.append(index)
                cell = " / ".join(str(row[name]) for name in ("exposure", "category", "variable", "level") if row[name])
                self.note(str(row["wave"]), "characteristics", cell, "n", rule)
        table.loc[gone, ["n", "percent", "mean", "sd"]] = np.nan
        table.loc[gone, "status"] = "suppressed"
        return table.astype(CHARACTERISTICS_COLUMNS)


def without_left_out(note: str) -> str:
    """A note without the number of excluded people, which would reveal n together with another count."""
    return re.sub(r"(?<!than )\b\d+ (incomplete rows|people without a whole day) left out", r"\1 left out", note)


def without_levels(note: str) -> str:
    """A note that does not say which level has few events."""
    return re.sub(
        r"level [^;]+? has fewer than (\d+) (?:non-)?events", r"a level has fewer than \1 events or non-events", note
    )


def _round(tables: Tables, protocol: Protocol) -> None:
    """Round the published counts (in place); percentages follow from the rounded counts."""
    rules = protocol.release
    for name, columns in COUNT_COLUMNS.items():
        frame: pd.DataFrame = getattr(tables, name)
        for column in columns:
            frame[column] = rounded(frame[column], rules.rounding, rules.rounding_base)
    table = tables.characteristics
    keys = ["wave", "exposure", "category"]
    people = table[table["variable"] == PEOPLE].set_index(keys)["n"]
    base = pd.Series([people.get(tuple(row)) for row in table[keys].itertuples(index=False)], index=table.index)
    shown = table["percent"].notna()
    table.loc[shown, "percent"] = [
        100.0 * float(n) / float(of) if of else np.nan for n, of in zip(table.loc[shown, "n"], base[shown], strict=True)
    ]
