"""The ratios that several releases have in common, each combined by fixed and by random effects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stegvis.pooling.cohorts import Cohort, PoolError
from stegvis.statistics.meta_analysis import Combined, combine
from stegvis.statistics.random_effects import RandomEffects, random_effects

KEY = ["exposure", "analysis", "model", "term", "level", "reference"]
# Analyses whose ratios mean the same in every cohort, if level and reference are spelled alike. Categories of a
# cohort's own quartiles seldom are; a trend per unit of the exposure and categories with fixed cuts are.
ANALYSES = ("trend", "fixed_cuts", "main")
LINEAR = "_linear"  # of the terms of trend, the one that does not depend on categories
MODELS = ("adjusted", "age")


@dataclass(frozen=True)
class Pooled:
    """One ratio of several cohorts.

    Attributes:
        key: exposure, analysis, model, term, level and reference.
        rows: one row per cohort that has it: cohort, wave, n, events, estimate, ci_low, ci_high, std_error, and the
            weights (shares) under both models.
        absent: cohorts that do not have it, with the reason.
        fixed: fixed effect.
        random: random effects.
    """

    key: dict[str, str]
    rows: pd.DataFrame
    absent: dict[str, str]
    fixed: Combined
    random: RandomEffects


@dataclass(frozen=True)
class Combination:
    """Every ratio that could be combined, and what could not be, in sentences."""

    pooled: tuple[Pooled, ...]
    not_combined: tuple[str, ...]
    confidence: float


def combine_cohorts(cohorts: Sequence[Cohort]) -> Combination:
    """Combine what the releases have in common.

    A comparison is combined if every release has it with the same level and reference, and at least two have an
    estimate.

    Args:
        cohorts: releases whose definitions agree (``estimand.must_agree``).

    Raises:
        PoolError: the releases have no ratio in common, or their intervals have different levels.
    """
    confidence = _confidence(cohorts)
    tables = {cohort.name: _comparable(cohort) for cohort in cohorts}
    keys = list(dict.fromkeys(key for table in tables.values() for key in table.index))
    common = [key for key in keys if all(key in table.index for table in tables.values())]
    pooled, too_few = [], dict[tuple[str, ...], list[str]]()
    for key in sorted(common, key=_order):
        found = _pooled(dict(zip(KEY, key, strict=True)), key, cohorts, tables, confidence)
        if found is None:
            too_few.setdefault(key[:3], []).append(_level(key))
        else:
            pooled.append(found)
    notes = _cuts_that_differ(cohorts, tables) + [
        f"{' / '.join(names)}: fewer than two releases have an estimate of {', '.join(levels)}"
        for names, levels in too_few.items()
    ]
    if not pooled:
        reason = f" ({notes[0]})" if notes else ""
        raise PoolError(f"the releases have no estimate in common that could be combined{reason}")
    return Combination(tuple(pooled), tuple(notes), confidence)


def _confidence(cohorts: Sequence[Cohort]) -> float:
    found = {float(cohort.protocol.get("models", {}).get("confidence", 0.95)) for cohort in cohorts}
    if len(found) > 1:
        raise PoolError(f"the releases have intervals of different levels ({', '.join(map(str, sorted(found)))})")
    return found.pop()


def _comparable(cohort: Cohort) -> pd.DataFrame:
    """The ratios of a release that may be comparable, by key; the reference categories are left out."""
    rows = cohort.results
    wanted = (
        rows["analysis"].isin(ANALYSES)
        & (rows["population"] == "all")
        & (rows["measure"] == "rr")
        & rows["model"].isin(MODELS)
        & (rows["level"] != rows["reference"])
        & ((rows["analysis"] != "trend") | rows["term"].str.endswith(LINEAR))
    )
    return rows[wanted].set_index(KEY)


def _order(key: tuple[str, ...]) -> tuple[str, int, int, float]:
    exposure, analysis, model, _, level, _ = key
    return exposure, ANALYSES.index(analysis), MODELS.index(model), _lower_bound(level)


def _lower_bound(level: str) -> float:
    """The lower bound a category's name begins with, to keep categories in order."""
    digits = level.lstrip("<>= ").split("-")[0]
    try:
        return float(digits)
    except ValueError:
        return math.inf


def _cuts_that_differ(cohorts: Sequence[Cohort], tables: dict[str, pd.DataFrame]) -> list[str]:
    """A sentence for every exposure and analysis whose levels are not the same in all releases."""
    notes = []
    first = cohorts[0]
    names = {key[:2] for table in tables.values() for key in table.index}
    for exposure, analysis in sorted(names):
        levels = {
            cohort.name: list(dict.fromkeys(_levels(tables[cohort.name], exposure, analysis))) for cohort in cohorts
        }
        for cohort in cohorts[1:]:
            mine, other = levels[first.name], levels[cohort.name]
            if mine != other:
                notes.append(
                    f"{exposure}, analysis {analysis}: {first.name} has {_listed(mine)}, {cohort.name} has "
                    f"{_listed(other)}; only what every release has is combined"
                )
                break
    return notes


def _levels(table: pd.DataFrame, exposure: str, analysis: str) -> list[str]:
    return [_level(key) for key in table.index if key[:2] == (exposure, analysis)]


def _level(key: tuple[str, ...]) -> str:
    return f"{key[4]} against {key[5]}" if key[5] else key[4]


def _listed(levels: list[str]) -> str:
    return ", ".join(levels) or "no ratio"


def _pooled(
    names: dict[str, str],
    key: tuple[str, ...],
    cohorts: Sequence[Cohort],
    tables: dict[str, pd.DataFrame],
    confidence: float,
) -> Pooled | None:
    found, absent = [], {}
    for cohort in cohorts:
        row = tables[cohort.name].loc[[key]].iloc[0]
        if row["status"] == "ok" and row["estimate"] > 0 and row["std_error"] > 0:
            columns = ("n", "events", "estimate", "ci_low", "ci_high", "std_error")
            found.append({"cohort": cohort.name, "wave": cohort.wave} | {name: row[name] for name in columns})
        else:
            absent[cohort.name] = "suppressed" if row["status"] == "suppressed" else "not estimable"
    if len(found) < 2:
        return None
    rows = pd.DataFrame(found).astype({"n": "Int64", "events": "Int64"})
    b, se = np.log(rows["estimate"].to_numpy("float64")), rows["std_error"].to_numpy("float64")
    fixed, random = combine(b, se, "fixed"), random_effects(b, se, confidence)
    for name, tau2 in (("fixed_weight", 0.0), ("random_weight", random.combined.tau2)):
        weights = 1 / (se**2 + tau2)
        rows[name] = weights / weights.sum()
    return Pooled(names, rows, absent, fixed, random)
