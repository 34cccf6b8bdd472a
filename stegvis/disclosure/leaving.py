"""Disclosure control of the tables of a wave, and of the results across waves.

It chooses between new counts with some suppressed (``decision``, ``taking_out``) and counts that are carried forward
from the previous release (``kept``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from stegvis.analyses.characteristics import CHARACTERISTICS_COLUMNS
from stegvis.disclosure.counts import Group, in_words
from stegvis.disclosure.decision import decide
from stegvis.disclosure.kept import COUNT_COLUMNS, ROW_KEYS, kept, kept_rule, kept_steps
from stegvis.disclosure.tables import ACROSS, Counted, Tables, counted
from stegvis.disclosure.taking_out import SUPPRESSED_COLUMNS, Controlled, taken_out, without_left_out, without_levels
from stegvis.statistics.results import RESULT_COLUMNS, joined
from stegvis.study.protocol import Protocol

# The cell of the log that means all cells of a table.
EVERY = "every count"


def control_disclosure(tables: Tables, protocol: Protocol, earlier: Sequence[Tables] = ()) -> Controlled:
    """Tables (of a wave, or of a whole release) as they may be published.

    Args:
        tables: as they were computed.
        protocol: the rules.
        earlier: the published tables of each earlier release.
    """
    tables = _typed(tables)
    low = protocol.additive_interaction.low_categories
    found = counted(tables, low)
    earlier = [_typed(each) for each in earlier]
    decision = decide(found.counts, protocol, [counted(each, low).counts for each in earlier])
    plain = taken_out(tables, found, decision, protocol)
    if not decision.close or not protocol.release.carries_forward:
        return plain
    same = kept(tables, earlier[-1], protocol)
    if same is not None and _is_better(same, plain):
        return _as_kept(same, tables, protocol)
    return _with_kept_steps(plain, tables, earlier[-1], protocol)


def control_across_waves(
    tables: Tables, decided: Controlled, protocol: Protocol, earlier: Sequence[Tables] = ()
) -> Controlled:
    """The results across waves as they may be published together with the tables of each wave.

    Args:
        tables: of all waves, and the results across them, as they were computed.
        decided: the controlled tables of all waves, with the same rows, and the log of all of them.
        protocol: the rules.
        earlier: the published tables of each earlier release.

    Raises:
        ValueError: the controlled tables have other rows.

    Returns:
        The results across waves alone; ``unprotected`` is the audit of everything together.
    """
    tables = _typed(tables)
    low = protocol.additive_interaction.low_categories
    found = counted(tables, low)
    published = _published_groups(found, decided, tables, kept_rule(protocol))
    mine = {found.of[place] for place in found.of if _is_across(place, tables)}
    waves = {
        group for place, group in found.of.items() if not _is_across(place, tables)
    } & found.counts.published.keys()
    earlier = [_typed(each) for each in earlier]
    then = [counted(each, low).counts for each in earlier]
    decision = decide(found.counts, protocol, then, hidden=waves - published - mine, fixed=published)
    across = Tables(
        tables.results[tables.results["wave"] == ACROSS], tables.attrition.iloc[:0], tables.characteristics.iloc[:0]
    )
    plain = taken_out(across, found, decision, protocol)
    if not decision.close or not protocol.release.carries_forward:
        return plain
    same = kept(across, earlier[-1], protocol)
    if same is None or not _is_better(same, plain):
        return plain
    # Counts carried forward reveal nothing new: the audit covers the waves alone.
    beside = decide(
        found.counts,
        protocol,
        then,
        hidden=(waves - published) | (mine & found.counts.published.keys()),
        fixed=published,
    )
    return replace(_as_kept(same, across, protocol), unprotected=tuple(in_words(group) for group in beside.unprotected))


def kept_waves(suppressed: pd.DataFrame, protocol: Protocol) -> set[str]:
    """The waves (of a log) whose counts are carried forward."""
    every = (suppressed["rule"] == kept_rule(protocol)) & (suppressed["cell"] == EVERY)
    return set(suppressed.loc[every, "wave"])


def _is_better(same: Tables, plain: Controlled) -> bool:
    """Whether carrying forward publishes more counts, or is allowed where new counts are not."""
    return bool(plain.unprotected) or _published(same) > _published(plain.tables)


def _published(tables: Tables) -> int:
    """How many counts the tables hold."""
    return sum(int(getattr(tables, name)[list(columns)].count().sum()) for name, columns in COUNT_COLUMNS.items())


def _as_kept(same: Tables, computed: Tables, protocol: Protocol) -> Controlled:
    """Tables with counts carried forward; every row says so, whether its count has changed or not."""
    rule = kept_rule(protocol)
    notes = [joined(rule, without_levels(without_left_out(str(note)))) for note in same.results["note"]]
    results = same.results.assign(note=pd.Series(notes, index=same.results.index, dtype="str"))
    log = []
    for name, keys in ROW_KEYS.items():
        now, published = getattr(computed, name), getattr(same, name)
        for column in COUNT_COLUMNS[name]:
            log += [(str(wave), name, EVERY, column, rule) for wave in now["wave"].unique()]
            for index in now.index[now[column].notna() & published[column].isna()]:
                cell = " / ".join(str(now.at[index, key]) for key in keys if now.at[index, key])
                log.append((str(now.at[index, "wave"]), name, cell, column, rule))
    suppressed = pd.DataFrame(log, columns=list(SUPPRESSED_COLUMNS)).astype("str")
    tables = Tables(
        results.astype(RESULT_COLUMNS), same.attrition, same.characteristics.astype(CHARACTERISTICS_COLUMNS)
    )
    return Controlled(tables, suppressed, ())


def _with_kept_steps(plain: Controlled, computed: Tables, before: Tables, protocol: Protocol) -> Controlled:
    """Steps suppressed only because they are close to published ones are carried forward."""
    if plain.unprotected:
        return plain
    steps = kept_steps(plain.tables.attrition, computed.attrition, before.attrition, protocol)
    log = plain.suppressed.copy()
    for column in COUNT_COLUMNS["attrition"]:
        rules = steps.loc[steps[column].notna() & plain.tables.attrition[column].isna(), "rule"]
        mine = (log["table"] == "attrition") & (log["column"] == column) & log["cell"].isin(rules)
        log.loc[mine, "rule"] = kept_rule(protocol)
    return Controlled(Tables(plain.tables.results, steps, plain.tables.characteristics), log, plain.unprotected)


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


def _published_groups(found: Counted, decided: Controlled, tables: Tables, kept_as: str) -> set[Group]:
    """Groups whose current count is published somewhere in the controlled tables."""
    published: set[Group] = set()
    waves = _typed(decided.tables)
    of_waves = tables.results["wave"] != ACROSS
    for name, keys in ROW_KEYS.items():
        computed: pd.DataFrame = getattr(tables, name)
        mine = (computed[of_waves] if name == "results" else computed)[keys].reset_index(drop=True)
        if not mine.equals(getattr(waves, name)[keys]):
            raise ValueError(f"the decided {name} are not of the rows that were computed")
    log = decided.suppressed[decided.suppressed["rule"] == kept_as]
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
            published.add(group)
    return published
