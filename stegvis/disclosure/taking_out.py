"""Suppression of cells in the tables of a wave or a release, and the log of the suppressed cells.

The decision is made elsewhere (``decision``), and so is carrying counts forward (``kept``).

The log, and the notes in the tables, name the rule that suppressed a number but not whether it was itself small: among
few suppressed counts that would reveal too much.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stegvis.analyses.characteristics import CHARACTERISTICS_COLUMNS, PEOPLE
from stegvis.disclosure.counts import CASE, Group, in_words, within
from stegvis.disclosure.decision import Decision
from stegvis.disclosure.kept import COUNT_COLUMNS, COUNTS_IN_DISGUISE
from stegvis.disclosure.rounding import rounded
from stegvis.disclosure.tables import Counted, Tables
from stegvis.statistics.results import ESTIMATE_COLUMNS, KEY_COLUMNS, RESULT_COLUMNS, joined
from stegvis.study.protocol import Protocol

SUPPRESSED_COLUMNS = ("wave", "table", "cell", "column", "rule")


@dataclass(frozen=True)
class Controlled:
    """Tables after disclosure control.

    Attributes:
        tables: a suppressed number is missing.
        suppressed: one row per suppressed number: ``wave``, ``table``, ``cell``, ``column`` and ``rule``.
        unprotected: sensitive counts that can be inferred nevertheless; unless empty, nothing may be published.
    """

    tables: Tables
    suppressed: pd.DataFrame
    unprotected: tuple[str, ...]


def small_rule(smallest_count: int) -> str:
    """The rule on small counts in words."""
    return f"a count below {smallest_count}, or one that would give such a count away"


def close_rule(smallest_count: int) -> str:
    """The rule on earlier releases in words."""
    return f"fewer than {smallest_count} people apart from an earlier release, or one that would give such a count away"


def taken_out(tables: Tables, found: Counted, decision: Decision, protocol: Protocol) -> Controlled:
    """Tables with the cells of a decision suppressed, rounded where the protocol says so."""
    smallest = protocol.disclosure.smallest_count
    taker = _Taker(found, decision, small_rule(smallest), close_rule(smallest))
    taken = Tables(
        taker.results(tables.results.copy(), smallest),
        taker.attrition(tables.attrition.copy()),
        taker.characteristics(tables.characteristics.copy()),
    )
    if protocol.release.rounding != "none":
        _round(taken, protocol)
    suppressed = pd.DataFrame(taker.log, columns=list(SUPPRESSED_COLUMNS)).astype("str")
    return Controlled(taken, suppressed, tuple(in_words(group) for group in decision.unprotected))


class _Taker:
    """Suppresses cells of tables, and logs them."""

    def __init__(self, found: Counted, decision: Decision, small: str, close: str) -> None:
        self.found = found
        self.rule_of: dict[Group, str] = dict.fromkeys(decision.close, close) | dict.fromkeys(decision.small, small)
        self.small = small
        self.log: list[tuple[str, str, str, str, str]] = []

    def rule(self, place: tuple[str, Any, str]) -> str | None:
        """The rule that suppresses a number, if one does."""
        return self.rule_of.get(self.found.of[place]) if place in self.found.of else None

    def note(self, wave: str, table: str, cell: str, column: str, rule: str) -> None:
        self.log.append((wave, table, cell, column, rule))

    def results(self, results: pd.DataFrame, smallest: int) -> pd.DataFrame:
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
            left_out = without_left_out(str(row["note"])) if rules else str(row["note"])
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
        if row["measure"] in COUNTS_IN_DISGUISE and pd.notna(row["estimate"]):
            everyone: Group = (str(row["wave"]),)
            behind = [self.rule_of[group] for group in (everyone, within(everyone, CASE)) if group in self.rule_of]
            if behind:
                rules["estimate"] = behind[0]
        return rules

    def _estimate_goes(self, index: Any, row: dict[Any, Any], rules: dict[str, str], smallest: int) -> bool:
        """Whether an estimate is suppressed: with its small counts, or with any count of its category."""
        if self.small not in rules.values():
            return False
        if index in self.found.categories:
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
    return re.sub(r"\b\d+ (incomplete rows|people without a whole day) left out", r"\1 left out", note)


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
