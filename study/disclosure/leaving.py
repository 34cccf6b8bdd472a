"""The tables as they may leave: without what is held back, and the log of what that was.

Belongs here: taking a decision to the tables. Does not belong here: the decision (``decision``), writing files.

The log, and the notes in the tables, say which rule held a number back but not whether it was itself small: among few
hidden counts that would tell too much.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from study.characteristics import CHARACTERISTICS_COLUMNS, PEOPLE
from study.disclosure.counts import CASE, Group, told_as, within
from study.disclosure.decision import Decision, decide
from study.disclosure.kept import COUNT_COLUMNS, COUNTS_IN_DISGUISE, ROW_KEYS, kept, kept_rule, kept_steps
from study.disclosure.rounding import rounded
from study.disclosure.tables import ACROSS, Counted, Tables, counted
from study.protocol import Protocol
from study.statistics.results import ESTIMATE_COLUMNS, KEY_COLUMNS, RESULT_COLUMNS, joined

HELD_BACK_COLUMNS = ("wave", "table", "cell", "column", "rule")
# The cell of the log that stands for all of a table.
EVERY = "every count"


@dataclass(frozen=True)
class Leaving:
    """What may leave.

    Attributes:
        tables: without what is held back; a number that is held back is missing.
        held_back: one row per number held back: ``wave``, ``table``, ``cell``, ``column`` and ``rule``.
        exposed: how many sensitive counts could be worked out all the same; unless 0, nothing may leave.
    """

    tables: Tables
    held_back: pd.DataFrame
    exposed: tuple[str, ...]


def small_rule(smallest_count: int) -> str:
    """The rule about small counts in words."""
    return f"a count below {smallest_count}, or one that would give such a count away"


def close_rule(smallest_count: int) -> str:
    """The rule about earlier releases in words."""
    return f"fewer than {smallest_count} people apart from an earlier release, or one that would give such a count away"


def leaving(tables: Tables, protocol: Protocol, earlier: Sequence[Tables] = ()) -> Leaving:
    """Tables (of a wave, or of a whole release) as they may leave.

    Args:
        tables: as they were computed.
        protocol: the rules.
        earlier: the tables of each earlier release, as they left.
    """
    tables = _typed(tables)
    low = protocol.additive_interaction.low_categories
    found = counted(tables, low)
    earlier = [_typed(each) for each in earlier]
    decision = decide(found.counts, protocol, [counted(each, low).counts for each in earlier])
    plain = _taken_out(tables, found, decision, protocol)
    if not earlier or not decision.close:
        return plain
    same = kept(tables, earlier[-1], protocol)
    if same is not None and (plain.exposed or _told(same) > _told(plain.tables)):
        return _as_kept(same, tables, protocol)
    return _with_kept_steps(plain, tables, earlier[-1], protocol)


def leaving_across(tables: Tables, decided: Leaving, protocol: Protocol, earlier: Sequence[Tables] = ()) -> Leaving:
    """The results across waves as they may leave beside the tables of each wave.

    Args:
        tables: of all waves, and the results across them, as they were computed.
        decided: the tables of all waves as they leave, of the same rows, and the log of all of them.
        protocol: the rules.
        earlier: the tables of each earlier release, as they left.

    Raises:
        ValueError: the decided tables are of other rows.

    Returns:
        The results across waves alone; ``exposed`` is the audit of everything together.
    """
    tables = _typed(tables)
    low = protocol.additive_interaction.low_categories
    found = counted(tables, low)
    told = _told_of(found, decided, tables, kept_rule(protocol))
    mine = {found.of[place] for place in found.of if _is_across(place, tables)}
    waves = {group for place, group in found.of.items() if not _is_across(place, tables)} & found.counts.told.keys()
    earlier = [_typed(each) for each in earlier]
    then = [counted(each, low).counts for each in earlier]
    decision = decide(found.counts, protocol, then, hidden=waves - told - mine, fixed=told)
    across = Tables(
        tables.results[tables.results["wave"] == ACROSS], tables.attrition.iloc[:0], tables.characteristics.iloc[:0]
    )
    plain = _taken_out(across, found, decision, protocol)
    same = kept(across, earlier[-1], protocol) if earlier and decision.close else None
    if same is None or _told(same) <= _told(plain.tables):
        return plain
    # Kept, the counts across waves tell nothing today: the audit is of the waves alone.
    beside = decide(found.counts, protocol, then, hidden=(waves - told) | (mine & found.counts.told.keys()), fixed=told)
    return replace(_as_kept(same, across, protocol), exposed=tuple(told_as(group) for group in beside.exposed))


def kept_waves(held_back: pd.DataFrame, protocol: Protocol) -> set[str]:
    """The waves (of a log) whose counts are an earlier release's."""
    every = (held_back["rule"] == kept_rule(protocol)) & (held_back["cell"] == EVERY)
    return set(held_back.loc[every, "wave"])


def _told(tables: Tables) -> int:
    """How many counts tables tell."""
    return sum(int(getattr(tables, name)[list(columns)].count().sum()) for name, columns in COUNT_COLUMNS.items())


def _as_kept(same: Tables, computed: Tables, protocol: Protocol) -> Leaving:
    """Tables with kept counts, which every row says, whether its count has changed or not."""
    rule = kept_rule(protocol)
    notes = [joined(rule, _without_levels(_without_left_out(str(note)))) for note in same.results["note"]]
    results = same.results.assign(note=pd.Series(notes, index=same.results.index, dtype="str"))
    log = []
    for name, keys in ROW_KEYS.items():
        now, told = getattr(computed, name), getattr(same, name)
        for column in COUNT_COLUMNS[name]:
            log += [(str(wave), name, EVERY, column, rule) for wave in now["wave"].unique()]
            for index in now.index[now[column].notna() & told[column].isna()]:
                cell = " / ".join(str(now.at[index, key]) for key in keys if now.at[index, key])
                log.append((str(now.at[index, "wave"]), name, cell, column, rule))
    held_back = pd.DataFrame(log, columns=list(HELD_BACK_COLUMNS)).astype("str")
    tables = Tables(
        results.astype(RESULT_COLUMNS), same.attrition, same.characteristics.astype(CHARACTERISTICS_COLUMNS)
    )
    return Leaving(tables, held_back, ())


def _with_kept_steps(plain: Leaving, computed: Tables, before: Tables, protocol: Protocol) -> Leaving:
    """Steps that are held back only for being close to what was told stay as they were told."""
    if plain.exposed:
        return plain
    steps = kept_steps(plain.tables.attrition, computed.attrition, before.attrition, protocol)
    log = plain.held_back.copy()
    for column in COUNT_COLUMNS["attrition"]:
        rules = steps.loc[steps[column].notna() & plain.tables.attrition[column].isna(), "rule"]
        mine = (log["table"] == "attrition") & (log["column"] == column) & log["cell"].isin(rules)
        log.loc[mine, "rule"] = kept_rule(protocol)
    return Leaving(Tables(plain.tables.results, steps, plain.tables.characteristics), log, plain.exposed)


def _typed(tables: Tables) -> Tables:
    """Tables read back from a database or file come with other types, in which a count cannot be missing."""
    results = tables.results.reset_index(drop=True)
    texts = [name for name, kind in RESULT_COLUMNS.items() if kind == "str"]
    results = results.astype(RESULT_COLUMNS | dict.fromkeys(texts, "object"))
    results[texts] = results[texts].fillna("")
    counts = {"excluded": "Int64", "remaining": "Int64"}
    table_one = tables.characteristics.reset_index(drop=True).astype(CHARACTERISTICS_COLUMNS | {"level": "object"})
    table_one["level"] = table_one["level"].fillna("")
    return Tables(
        results.astype(RESULT_COLUMNS),
        tables.attrition.reset_index(drop=True).astype(counts),
        table_one.astype(CHARACTERISTICS_COLUMNS),
    )


def _is_across(place: tuple[str, Any, str], tables: Tables) -> bool:
    return place[0] == "results" and tables.results["wave"].iloc[place[1]] == ACROSS


def _told_of(found: Counted, decided: Leaving, tables: Tables, kept_as: str) -> set[Group]:
    """Groups whose count of today the decided tables tell somewhere."""
    told: set[Group] = set()
    waves = _typed(decided.tables)
    of_waves = tables.results["wave"] != ACROSS
    for name, keys in ROW_KEYS.items():
        computed: pd.DataFrame = getattr(tables, name)
        mine = (computed[of_waves] if name == "results" else computed)[keys].reset_index(drop=True)
        if not mine.equals(getattr(waves, name)[keys]):
            raise ValueError(f"the decided {name} are not of the rows that were computed")
    log = decided.held_back[decided.held_back["rule"] == kept_as]
    kept_cells = set(log[["wave", "table", "cell", "column"]].itertuples(index=False, name=None))
    row_of = {index: position for position, index in enumerate(tables.results.index[of_waves])}
    for (table, index, column), group in found.of.items():
        frame: pd.DataFrame = getattr(waves, table)
        position = row_of.get(index) if table == "results" else index
        if position is None or pd.isna(frame[column].iloc[position]):
            continue
        wave = str(frame["wave"].iloc[position])
        step = str(frame["rule"].iloc[position]) if table == "attrition" else EVERY
        if (wave, table, EVERY, column) not in kept_cells and (wave, table, step, column) not in kept_cells:
            told.add(group)
    return told


def _taken_out(tables: Tables, found: Counted, decision: Decision, protocol: Protocol) -> Leaving:
    smallest = protocol.disclosure.smallest_count
    taker = _Taker(found, decision, small_rule(smallest), close_rule(smallest))
    taken = Tables(
        taker.results(tables.results.copy(), smallest),
        taker.attrition(tables.attrition.copy()),
        taker.characteristics(tables.characteristics.copy()),
    )
    if protocol.release.rounding != "none":
        _round(taken, protocol)
    held_back = pd.DataFrame(taker.log, columns=list(HELD_BACK_COLUMNS)).astype("str")
    return Leaving(taken, held_back, tuple(told_as(group) for group in decision.exposed))


class _Taker:
    """Takes what is held back out of tables, and logs it."""

    def __init__(self, found: Counted, decision: Decision, small: str, close: str) -> None:
        self.found = found
        self.rule_of: dict[Group, str] = dict.fromkeys(decision.close, close) | dict.fromkeys(decision.small, small)
        self.small = small
        self.log: list[tuple[str, str, str, str, str]] = []

    def rule(self, place: tuple[str, Any, str]) -> str | None:
        """The rule that holds a number back, if one does."""
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
            left_out = _without_left_out(str(row["note"])) if rules else str(row["note"])
            # The rule first: a note ends in why a row could not be estimated.
            notes[index] = joined(*dict.fromkeys(rules.values()), _without_levels(left_out))
        results.loc[gone["n"], "n"] = pd.NA
        results.loc[gone["events"], "events"] = pd.NA
        results.loc[gone["estimate"], list(ESTIMATE_COLUMNS)] = np.nan
        results.loc[gone["estimate"], "status"] = "suppressed"
        results["note"] = pd.Series(notes, dtype="str")
        return results.astype(RESULT_COLUMNS)

    def _rules_of(self, index: Any, row: dict[Any, Any]) -> dict[str, str]:
        """The rule that holds back each number of a row of results that is held back."""
        rules = {}
        for column in ("n", "events"):
            rule = self.rule(("results", index, column))
            if rule and pd.notna(row[column]):
                rules[column] = rule
        if "n" in rules and pd.notna(row["events"]):
            rules.setdefault("events", rules["n"])  # among people too few to be told, none tells as much as one
        if row["measure"] in COUNTS_IN_DISGUISE and pd.notna(row["estimate"]):
            everyone: Group = (str(row["wave"]),)
            behind = [self.rule_of[group] for group in (everyone, within(everyone, CASE)) if group in self.rule_of]
            if behind:
                rules["estimate"] = behind[0]
        return rules

    def _estimate_goes(self, index: Any, row: dict[Any, Any], rules: dict[str, str], smallest: int) -> bool:
        """An estimate goes with small counts, and with any of its category; that of a whole sample stays otherwise."""
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
        """A category whose number of people is hidden goes entirely: a percentage would give its base away."""
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


def _without_left_out(note: str) -> str:
    """A note without how many were left out of the row's people: beside another count that would tell n."""
    return re.sub(r"\b\d+ (incomplete rows|people without a whole day) left out", r"\1 left out", note)


def _without_levels(note: str) -> str:
    """A note that does not say which level has few events."""
    return re.sub(
        r"level [^;]+? has fewer than (\d+) (?:non-)?events", r"a level has fewer than \1 events or non-events", note
    )


def _round(tables: Tables, protocol: Protocol) -> None:
    """Round what is told (in place); percentages follow from the rounded counts."""
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
