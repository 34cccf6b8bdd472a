"""Counts that are carried forward from the previous release where hardly anything has changed since.

One person who withdraws changes a count in nearly every table. Publishing the new counts would reveal who withdrew;
suppressing everything that could reveal it would leave a report without numbers. Counts carried forward reveal nothing:
as long as each is close to its earlier value, a wave carries all counts of the previous release forward, and says so.
Which of them changed, if any, is not published.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from stegvis.disclosure import is_small
from stegvis.disclosure.tables import Tables
from stegvis.statistics.results import ESTIMATE_COLUMNS, KEY_COLUMNS
from stegvis.study.protocol import Protocol

ROW_KEYS = {
    "results": list(KEY_COLUMNS),
    "attrition": ["wave", "rule"],
    "characteristics": ["wave", "exposure", "category", "variable", "level"],
}
COUNT_COLUMNS = {"results": ("n", "events"), "attrition": ("excluded", "remaining"), "characteristics": ("n",)}
# Estimates from which the people or cases of their wave follow.
COUNTS_IN_DISGUISE = ("events_per_coefficient", "ess_share", "minimum_detectable_rr", "detectable_rr", "waves_needed")


def kept_rule(protocol: Protocol) -> str:
    """The rule in words."""
    return (
        f"counts as an earlier release told them: each has changed since by fewer than "
        f"{protocol.disclosure.smallest_count} people or by at most {protocol.release.carried_forward_share:.0%}"
    )


def kept(tables: Tables, before: Tables, protocol: Protocol) -> Tables | None:
    """Tables with the counts of the same rows in the previous release, and current estimates.

    Args:
        tables: of a wave (or across waves) as they were computed.
        before: the published tables of the previous release, of all waves.
        protocol: smallest count, and the share by which a count carried forward may have changed.

    Returns:
        None where counts cannot be carried forward: the previous release has other steps or not the wave, a count has
        changed by much, or a published one is small now. A row that the previous release lacks has no count.
    """
    then = {name: _same_rows(getattr(before, name), getattr(tables, name), keys) for name, keys in ROW_KEYS.items()}
    waves = set(tables.results["wave"])
    if not waves <= set(before.results["wave"]) or len(then["attrition"].dropna(subset="wave")) < len(tables.attrition):
        return None
    for name, columns in COUNT_COLUMNS.items():
        now: pd.DataFrame = getattr(tables, name)
        if not all(_close(now[column], then[name][column], protocol) for column in columns):
            return None
    if _newly_small(tables.results, then["results"], protocol.disclosure.smallest_count):
        return None
    return Tables(
        _results(tables.results, then["results"], protocol.disclosure.smallest_count),
        tables.attrition.assign(**{name: then["attrition"][name] for name in ("excluded", "remaining", "status")}),
        _characteristics(tables.characteristics, then["characteristics"]),
    )


def kept_steps(held: pd.DataFrame, computed: pd.DataFrame, before: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Exclusion steps of a new wave with the counts of the same steps of other waves in the previous release.

    The steps before the follow-up are the same in every wave, so that a new wave can have their counts, too.

    Args:
        held: the wave's steps after suppression.
        computed: the same as they were computed.
        before: the steps of all waves in the previous release.
        protocol: as for ``kept``.

    Returns:
        ``held``, where missing counts of steps before the follow-up may be those of the previous release.
    """
    followup = computed["rule"].str.startswith("followup").cummax()
    shared = before[before["rule"].isin(computed.loc[~followup, "rule"])].drop_duplicates("rule")
    then = computed[["rule"]].merge(shared, on="rule", how="left").set_axis(computed.index)
    made = held.copy()
    for column in COUNT_COLUMNS["attrition"]:
        if not _close(computed[column], then[column], protocol):
            return held
        missing = made[column].isna() & computed[column].notna()
        made.loc[missing, column] = then.loc[missing, column].astype("Int64")
    complete = made[list(COUNT_COLUMNS["attrition"])].notna() | computed[list(COUNT_COLUMNS["attrition"])].isna()
    made.loc[complete.all(axis=1), "status"] = "ok"
    return made


def _same_rows(before: pd.DataFrame, now: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The rows of before in the order of now, under its index; all missing where before does not have a row."""
    wanted, known = (pd.MultiIndex.from_frame(each[list(keys)].astype("str")) for each in (now, before))
    return before.set_axis(known)[~known.duplicated()].reindex(wanted).set_axis(now.index)


def _close(now: pd.Series, then: pd.Series, protocol: Protocol) -> bool:
    """Whether no published count has changed by much, or disappeared."""
    smallest, share = protocol.disclosure.smallest_count, protocol.release.carried_forward_share
    published = then.notna().to_numpy()
    if now.isna().to_numpy()[published].any():
        return False
    after, before = (each.to_numpy(dtype="float64", na_value=np.nan)[published] for each in (now, then))
    return bool((np.abs(after - before) <= np.maximum(smallest - 1, share * before)).all())


def _newly_small(now: pd.DataFrame, then: pd.DataFrame, smallest_count: int) -> bool:
    """Whether a published count of people, cases or non-cases is small now: a missing estimate would reveal it."""
    for published, counts in (
        (then["n"].notna(), now["n"]),
        (then["events"].notna(), now["events"]),
        (then["n"].notna() & then["events"].notna(), now["n"] - now["events"]),
    ):
        shown = published.to_numpy() & counts.notna().to_numpy()
        if is_small(counts[shown].to_numpy(dtype="float64"), smallest_count).any():
            return True
    return False


def _results(now: pd.DataFrame, then: pd.DataFrame, smallest_count: int) -> pd.DataFrame:
    """Current estimates with the earlier counts; suppressed rows stay suppressed."""
    made = now.assign(n=then["n"], events=then["events"])
    disguised = now["measure"].isin(COUNTS_IN_DISGUISE) & then["status"].notna()
    columns = [*ESTIMATE_COLUMNS, "status"]
    made.loc[disguised, columns] = then.loc[disguised, columns]
    small = [
        is_small(counts.to_numpy(dtype="float64", na_value=np.nan), smallest_count)
        for counts in (now["n"], now["events"], now["n"] - now["events"])
    ]
    # A published count is not small: these are rows whose counts were suppressed, or that are new.
    gone = (then["status"] == "suppressed").to_numpy() | np.any(small, axis=0)
    made.loc[gone, list(ESTIMATE_COLUMNS)] = np.nan
    made.loc[gone, "status"] = "suppressed"
    return made


def _characteristics(now: pd.DataFrame, then: pd.DataFrame) -> pd.DataFrame:
    numbers = {name: then[name] for name in ("n", "percent", "mean", "sd")}
    return now.assign(**numbers, status=then["status"].fillna("suppressed"))
