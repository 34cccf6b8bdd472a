"""Analyses ``overlap``, ``doubly_robust``, ``overlap_weighted``: could everyone be in every category of an exposure?

``overlap`` describes the propensity of the categories given the covariates of the adjusted model and the squares of
``attrition_weights.squared``: smallest probabilities, equipoise, balance and effective sample sizes; ``diagnostics``
compares them with thresholds. The estimates that rest on it are in ``doubly_robust``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from stegvis.analyses.category_design import CategoryDesign, category_design
from stegvis.analyses.doubly_robust import estimate_rows
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.attrition_weights import effective_sample_size, mean_of_smallest
from stegvis.statistics.categories import REFERENCE
from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.overlap_weights import (
    generalized_overlap_weights,
    inverse_probability_weights,
    largest_differences,
    preference_scores,
)
from stegvis.statistics.propensity import Propensity, categories_of, propensity
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.terms import Categorical
from stegvis.study.protocol import Exposure

ANALYSIS = "overlap"
OVERLAP_WEIGHTS = "overlap:overlap_weights"
SMALLEST_PROBABILITY, EQUIPOISE, ESS = "smallest_probability", "equipoise", "ess"
BALANCE_NOTE = "largest difference of two categories over the levels, in standard deviations"


@dataclass(frozen=True)
class Share:
    """A share of people that may be published, and whether it is a bound."""

    value: float
    note: str = ""


def overlap_rows(data: WaveData) -> list[ResultRow]:
    """Of each exposure what describes overlap, then doubly robust and overlap-weighted estimates."""
    rows = []
    for exposure in data.protocol.exposures.names:
        made = category_design(data, data.template(ANALYSIS, "adjusted", exposure))
        model = _propensity(made, data)
        rows += _category_rows(made, model, data) + _balance_rows(exposure, made, model, data)
        rows += estimate_rows(made, model, data)
    return rows


def _propensity(made: CategoryDesign, data: WaveData) -> Propensity | NotEstimable:
    if isinstance(made.design, NotEstimable):
        return made.design
    covariates, chosen = categories_of(made.design.X, made.levels)
    people = _people(made, data)
    squares = [
        people[name].to_numpy(dtype="float64") ** 2
        for name in data.protocol.attrition_weights.squared
        # With two values the square is determined by the number itself.
        if name in made.design.X and people[name].nunique() > 2
    ]
    return propensity(np.column_stack([covariates, *squares]), chosen, data.protocol.models)


# ---- of each category ----


def _category_rows(made: CategoryDesign, model: Propensity | NotEstimable, data: WaveData) -> list[ResultRow]:
    """``smallest_probability``, ``equipoise`` (against the reference) and ``ess`` of each category."""
    rows = []
    blocks = ((ANALYSIS, SMALLEST_PROBABILITY), (ANALYSIS, EQUIPOISE), (ANALYSIS, ESS), (OVERLAP_WEIGHTS, ESS))
    people = _people(made, data)
    for analysis, measure in blocks:
        for category, row in made.rows.items():
            if measure == EQUIPOISE and category == REFERENCE:
                continue
            # The outcome is not in this model.
            row = replace(row, analysis=analysis, measure=measure)
            row = row.counting(people[people[made.term.column] == category], None)
            if isinstance(model, NotEstimable):
                rows.append(row.not_estimable(model.reason))
            elif category not in made.occupied:
                rows.append(row.not_estimable("nobody is in this category"))
            else:
                found = _of_category(model, made.occupied.index(category), analysis, measure, data)
                rows.append(replace(row, estimate=found.value, note=joined(row.note, found.note)))
    return rows


def _of_category(model: Propensity, place: int, analysis: str, measure: str, data: WaveData) -> Share:
    few = data.protocol.disclosure.smallest_count
    if measure == SMALLEST_PROBABILITY:
        # A minimum is one person's value; the mean of the smallest few is reported instead.
        return Share(mean_of_smallest(model.probabilities[:, place], few), f"mean of the {few} smallest of everyone")
    if measure == EQUIPOISE:
        return _in_equipoise(model, place, data)
    weights = (generalized_overlap_weights if analysis == OVERLAP_WEIGHTS else inverse_probability_weights)(model)
    return Share(effective_sample_size(weights[model.chosen[:, place] == 1]))


def _in_equipoise(model: Propensity, place: int, data: WaveData) -> Share:
    """The share of a category, or of the lowest one, without a clear preference for either: the smaller of the two."""
    low, high = data.protocol.overlap.equipoise
    scores = preference_scores(model, place)
    inside = (scores >= low) & (scores <= high)
    shares = [
        publishable_share(inside[model.chosen[:, each] == 1], data.protocol.disclosure.smallest_count)
        for each in (0, place)
    ]
    found = min(shares, key=lambda share: share.value)
    words = f"preference score {low:g} to {high:g}, the smaller share of the two categories"
    return replace(found, note=joined(words, found.note))


def publishable_share(having: np.ndarray, smallest: int) -> Share:
    """The share of people who have something (bool); of too few, or all but too few, a bound.

    The exact share would reveal how few they are.
    """
    count, total = int(having.sum()), len(having)
    if 0 < count < smallest:
        return Share(smallest / total, "at most this")
    if 0 < total - count < smallest:
        return Share(1 - smallest / total, "at least this")
    return Share(count / total)


# ---- balance ----


def _balance_rows(
    exposure: Exposure, made: CategoryDesign, model: Propensity | NotEstimable, data: WaveData
) -> list[ResultRow]:
    """``smd`` and ``smd_weighted`` of each covariate: by inverse probability, and by overlap weights."""
    people = _people(made, data)
    template = replace(data.template(ANALYSIS, "adjusted", exposure), measure="smd").counting(people, None)
    simplified = () if isinstance(made.design, NotEstimable) else made.design.simplified
    template = replace(template, note=joined(template.note, *simplified, BALANCE_NOTE))
    rows = []
    for analysis, measure in ((ANALYSIS, "smd"), (ANALYSIS, "smd_weighted"), (OVERLAP_WEIGHTS, "smd_weighted")):
        weights = None
        if isinstance(model, Propensity) and measure == "smd_weighted":
            weights = (generalized_overlap_weights if analysis == OVERLAP_WEIGHTS else inverse_probability_weights)(
                model
            )
        for term in data.covariates("adjusted"):
            row = replace(template, analysis=analysis, measure=measure, term=term.column)
            if isinstance(model, NotEstimable):
                rows.append(row.not_estimable(model.reason))
                continue
            columns = _columns(people[term.column], term.levels if isinstance(term, Categorical) else None)
            found = _largest(largest_differences(columns, model.chosen, weights))
            if math.isnan(found):
                rows.append(row.not_estimable("everyone is alike"))
            else:
                rows.append(replace(row, estimate=found))
    return rows


def _people(made: CategoryDesign, data: WaveData) -> pd.DataFrame:
    """The people in the model; without one, everyone analyzed."""
    return data.people if isinstance(made.design, NotEstimable) else data.people.loc[made.design.X.index]


def _columns(values: pd.Series, levels: Sequence[object] | None) -> np.ndarray:
    """n x m: a number as it is, or 0/1 of each level."""
    if levels is None:
        return values.to_numpy(dtype="float64")[:, np.newaxis]
    return np.column_stack([(values == level).to_numpy(dtype="float64") for level in levels])


def _largest(differences: np.ndarray) -> float:
    known = differences[~np.isnan(differences)]
    return float(known.max()) if len(known) else math.nan
