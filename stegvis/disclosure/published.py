"""Published once: a wave's numbers, once published, are carried forward as they are.

A number that moves when somebody withdraws reveals who withdrew, however few digits it has. Withdrawals, late answers
and corrections therefore change the tables inside the home, never a published number. Whether anything is waiting is
not said anywhere: that would reveal that somebody changed.

The numbers of the shared baseline (exclusion steps before the follow-up, everyone who was eligible) keep their earlier
value in a new wave too, and in a new edition beside a wave that is carried forward. The step that follows is derived
from them, so that no subtraction gives the number of people who have left since.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from stegvis.disclosure.audit import is_main_ratio
from stegvis.disclosure.tables import ROW_KEYS, Tables
from stegvis.statistics.results import ESTIMATE_COLUMNS, KEY_COLUMNS, joined
from stegvis.study.waves import ACROSS

# In the place of every number of a wave that was retracted.
RETRACTED = "retracted: this number was wrong"
# The population whose counts do not depend on a wave's answers.
ELIGIBLE = "eligible"


def of_wave(tables: Tables, wave: str) -> Tables | None:
    """The published tables of a wave (or of ``ACROSS``); None if it was not published."""
    found = {name: getattr(tables, name) for name in ROW_KEYS}
    mine = {name: rows[rows["wave"].astype("str") == wave].reset_index(drop=True) for name, rows in found.items()}
    return Tables(**mine) if len(mine["results"]) else None


def retracted(tables: Tables, waves: Collection[str]) -> Tables:
    """Tables without any number of some waves, nor of the results across waves that were made with them.

    Args:
        tables: as published.
        waves: those that were retracted.
    """
    across = {ACROSS} if set(waves) & set(tables.attrition["wave"].astype("str")) else set()
    return without_numbers(tables, {*waves, *across}, RETRACTED)


def without_numbers(tables: Tables, waves: Collection[str], note: str) -> Tables:
    """Tables without any number of some waves (or of ``ACROSS``).

    Args:
        tables: as published.
        waves: those without numbers.
        note: in their place.
    """
    results, steps, table_one = tables.results.copy(), tables.attrition.copy(), tables.characteristics.copy()
    gone = set(waves)
    mine = results["wave"].astype("str").isin(gone)
    results.loc[mine, ["n", "events"]] = pd.NA
    results.loc[mine, list(ESTIMATE_COLUMNS)] = np.nan
    # Points of a curve, and its reference, are numbers too.
    curves = mine & results["term"].astype("str").str.endswith("_spline")
    results.loc[curves, "reference"] = ""
    results = results[~(curves & (results["level"] != ""))].assign(
        status=results["status"].mask(mine, "suppressed"), note=results["note"].mask(mine, note)
    )
    out = steps["wave"].astype("str").isin(gone)
    steps.loc[out, ["excluded", "remaining"]] = pd.NA
    steps.loc[out, "status"] = "suppressed"
    out = table_one["wave"].astype("str").isin(gone)
    table_one.loc[out, ["n", "percent", "mean", "sd"]] = np.nan
    table_one.loc[out, "status"] = "suppressed"
    return Tables(results.reset_index(drop=True), steps, table_one)


def across_of(tables: Tables, waves: Sequence[str]) -> pd.DataFrame | None:
    """The published results across these waves; None if they were not published for exactly these waves."""
    published = set(tables.results["wave"].astype("str")) - {ACROSS}
    mine = of_wave(tables, ACROSS)
    return None if mine is None or published != set(waves) else mine.results


def with_shared_baseline(new: Tables, before: Tables, smallest_count: int) -> Tables:
    """The tables of a wave that is new, or published anew, with the earlier values of what it shares with others.

    A step or a row of the shared baseline that was not published before has no number: beside the earlier ones it would
    say how many have left since.

    Args:
        new: after disclosure control.
        before: the newest release's tables, or those of the wave itself.
        smallest_count: the smallest publishable count.
    """
    if before.attrition.empty:
        return new
    waves = before.attrition["wave"].astype("str")
    then = before.attrition[waves == waves.iloc[-1]].set_index("rule")
    steps = new.attrition.copy()
    followup = steps["rule"].str.startswith("followup").cummax()
    shared = ~followup
    for column in ("excluded", "remaining"):
        steps.loc[shared, column] = steps.loc[shared, "rule"].map(then[column])
    steps.loc[shared, "status"] = steps.loc[shared, "rule"].map(then["status"]).fillna("suppressed")
    steps = steps.astype({"excluded": "Int64", "remaining": "Int64"})
    remaining = steps["remaining"]
    first = followup & ~followup.shift(fill_value=False)
    lost = (remaining.shift() - remaining)[first]
    # Below zero where another method has excluded fewer people before the follow-up.
    small = lost.isna() | (lost.lt(smallest_count) & lost.ne(0))
    steps.loc[first, "excluded"] = lost.mask(small)
    steps.loc[first, "status"] = small.map({True: "suppressed", False: "ok"})
    return Tables(_with_shared_people(new.results, before.results), steps, new.characteristics)


def with_main_ratios(tables: Tables, computed: pd.DataFrame, decimals: int, kind: str) -> Tables:
    """Published tables with the main ratios and their intervals of today; every other number stays as it is.

    Categories keep the labels and counts that were published: both would say who has changed. Nothing is published
    from which a further digit of a ratio follows.

    Args:
        tables: a wave's, as published.
        computed: its results as computed today.
        decimals: of a ratio.
        kind: of the edition, for the note of each row.
    """
    results, names = tables.results.copy(), ["model", "exposure", "term"]
    now = dict(list(computed[is_main_ratio(computed)].groupby(names, sort=False)))
    for block, rows in results[is_main_ratio(results)].groupby(names, sort=False):
        today = now.get(block)
        if today is None or len(today) != len(rows):
            continue
        pairs = zip(rows.index, rows.to_dict("records"), today.to_dict("records"), strict=True)
        for index, old, new in pairs:
            if (old["status"], new["status"]) != ("ok", "ok") or old["level"] == old["reference"]:
                continue
            results.loc[index, list(ESTIMATE_COLUMNS)] = np.nan
            for column in ("estimate", "ci_low", "ci_high"):
                results.at[index, column] = round(float(new[column]), decimals)
            results.at[index, "note"] = joined(kind, str(old["note"]).removeprefix(kind).removeprefix("; "))
    return Tables(results, tables.attrition, tables.characteristics)


def without_shared_baseline(new: Tables) -> Tables:
    """The tables of a new wave without what it shares with waves whose published values are not known any more.

    Args:
        new: after disclosure control.
    """
    steps, results = new.attrition.copy(), new.results.copy()
    later = steps["rule"].str.startswith("followup").cummax()
    steps.loc[~later, ["excluded", "remaining"]] = pd.NA
    # Together with what remains, the first step of the follow-up would give the number before it.
    steps.loc[later & ~later.shift(fill_value=False), "excluded"] = pd.NA
    steps.loc[steps["excluded"].isna() | steps["remaining"].isna(), "status"] = "suppressed"
    results.loc[results["population"] == ELIGIBLE, "n"] = pd.NA
    return Tables(results, steps, new.characteristics)


def _with_shared_people(new: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Results whose n of everyone eligible is the one published before; missing where none was."""
    keys = [key for key in KEY_COLUMNS if key != "wave"]
    rows = before[(before["population"] == ELIGIBLE) & (before["wave"] != ACROSS)]
    then = rows.drop_duplicates(keys, keep="last")[[*keys, "n"]]
    chosen = new["population"] == ELIGIBLE
    found = new.loc[chosen, keys].merge(then, on=keys, how="left").set_axis(new.index[chosen])
    made = new.copy()
    made.loc[chosen, "n"] = found["n"].astype("Int64")
    return made
