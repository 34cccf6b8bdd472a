"""Analyses ``selection_weighted``, ``selection_weights``: weights for selection from the whole cohort.

Those of ``attrition_weighted`` begin at the eligible people, and correct for the last step only: here the analyzed
people represent every member of the cohort without the outcome at baseline (``selection_steps``). Missing covariates
are one of the steps.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import pandas as pd

from stegvis.analyses.category_model import category_rows
from stegvis.analyses.selection_steps import Selection, selection_of, steps_of
from stegvis.analyses.stacked_ratios import Coefficients, coefficients_of, stacked_ratio_rows
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.attrition_weights import effective_sample_size, mean_of_smallest, truncated
from stegvis.statistics.contract import OUTCOME, NotEstimable, prepare
from stegvis.statistics.irls import fit_matrix, refusal
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.selection_weights import stacked_covariance
from stegvis.statistics.terms import MODELS, Model, category_term
from stegvis.study.protocol import Exposure

ANALYSIS, WEIGHTS = "selection_weighted", "selection_weights"
WEIGHT, PRODUCT = "weight", "product"


def selection_weighted_rows(data: WaveData) -> list[ResultRow]:
    """The weights (``ess``, ``mean_weight``, ``largest_weights``), the smallest probabilities, and weighted ratios."""
    selection = selection_of(data)
    rows = [*_weight_rows(selection, data), *_step_rows(selection, data)]
    for exposure in data.protocol.exposures.names:
        for name in _variants(data):
            # Truncation is about the weights, whatever the model: the fully adjusted one shows it.
            for model in MODELS if name == PRODUCT else ("adjusted",):
                rows += _ratio_rows(name, model, exposure, selection, data)
        for model in MODELS:
            rows += _stacked_rows(model, exposure, selection, data)
    return rows


# ---- weights ----


def _variants(data: WaveData) -> dict[str, tuple[float, float]]:
    """By name, the quantiles at which the product of inverse probabilities is truncated."""
    pairs = data.protocol.attrition_weights.truncations
    return {PRODUCT: (0.0, 1.0)} | {f"truncated_{100 * low:g}_{100 * high:g}": (low, high) for low, high in pairs}


def _weights(name: str, selection: Selection, data: WaveData) -> np.ndarray:
    """Weights of the analyzed people (s) of a variant."""
    return truncated(selection.weights, *_variants(data)[name])


def _weight_rows(selection: Selection | NotEstimable, data: WaveData) -> list[ResultRow]:
    few = data.protocol.disclosure.smallest_count
    notes = {
        "ess": "",
        "mean_weight": "members of the cohort that an analyzed person represents",
        # A maximum is one person's value.
        "largest_weights": f"mean of the {few} largest",
    }
    template = replace(data.template(WEIGHTS, "adjusted", "walking_minutes"), exposure=data.protocol.exposures.of_all)
    rows = []
    for name in _variants(data):
        for measure, note in notes.items():
            row = replace(template, term=name, measure=measure, note=joined(template.note, note))
            if isinstance(selection, NotEstimable):
                rows.append(row.not_estimable(selection.reason))
                continue
            weights = _weights(name, selection, data)
            value = {
                "ess": effective_sample_size(weights),
                "mean_weight": float(weights.mean()),
                "largest_weights": float(np.sort(weights)[-few:].mean()),
            }[measure]
            rows.append(replace(row, estimate=value).counting(_people(selection, data), None))
    return rows


def _step_rows(selection: Selection | NotEstimable, data: WaveData) -> list[ResultRow]:
    """The smallest probabilities of passing each step, of everyone at the step, whether they passed or not."""
    few = data.protocol.disclosure.smallest_count
    template = data.template(WEIGHTS, "adjusted", "walking_minutes", population="cohort")
    template = replace(template, exposure=data.protocol.exposures.of_all, measure="smallest_probabilities")
    rows = []
    for name in steps_of(data.protocol):
        row = replace(template, term=name, note=joined(template.note, f"mean of the {few} smallest, passed or not"))
        if isinstance(selection, NotEstimable):
            rows.append(row.not_estimable(selection.reason))
        elif name not in selection.steps:
            rows.append(replace(row, estimate=1.0, note=joined(template.note, "everybody passed this step")))
        else:
            omitted = ", ".join(selection.left_out[name])
            remark = f"too few people in a level, so not a predictor: {omitted}" if omitted else ""
            smallest = mean_of_smallest(selection.steps[name].fit.fitted, few)
            rows.append(replace(row, estimate=smallest, note=joined(row.note, remark)))
    return rows


def _people(selection: Selection, data: WaveData) -> pd.DataFrame:
    """The analyzed people who passed all steps."""
    return data.people if selection.analyzed.all() else data.people[selection.analyzed]


# ---- ratios ----


def _ratio_rows(
    name: str, model: Model, exposure: Exposure, selection: Selection | NotEstimable, data: WaveData
) -> list[ResultRow]:
    analysis = ANALYSIS if name == PRODUCT else f"{ANALYSIS}:{name}"
    template = data.template(analysis, model, exposure)
    template = replace(template, note=joined(template.note, "inverse probabilities of all steps, taken as known"))
    if isinstance(selection, NotEstimable):
        together = replace(template, term=category_term(exposure, data.protocol).column, measure="p_joint")
        together = together.counting(data.people, OUTCOME).not_estimable(selection.reason)
        return [*stacked_ratio_rows(template, data.people, selection, data), together]
    weights = _weights(name, selection, data)
    # Their scale changes no estimate; a mean of 1 keeps the fit well conditioned.
    frame = _people(selection, data).assign(**{WEIGHT: weights / weights.mean()})
    return category_rows(frame, template, data.covariates(model), data.protocol, weights=WEIGHT)


def _stacked_rows(
    model: Model, exposure: Exposure, selection: Selection | NotEstimable, data: WaveData
) -> list[ResultRow]:
    """The same estimates with an interval that allows for the weights being estimated."""
    template = data.template(f"{ANALYSIS}:estimated_weights", model, exposure)
    template = replace(template, note=joined(template.note, "estimation of all steps allowed for, hc0"))
    found = selection if isinstance(selection, NotEstimable) else _stacked(model, exposure, selection, data)
    people = data.people if isinstance(found, NotEstimable) else _people(cast(Selection, selection), data)
    return stacked_ratio_rows(template, people, found, data)


def _stacked(model: Model, exposure: Exposure, selection: Selection, data: WaveData) -> Coefficients | NotEstimable:
    """Log ratio and standard error of each coefficient by name."""
    terms = [category_term(exposure, data.protocol), *data.covariates(model)]
    design = prepare(_people(selection, data), terms, data.protocol.models)
    if isinstance(design, NotEstimable):
        return design
    X, weights = design.X.to_numpy(), selection.weights
    fit = fit_matrix(X, design.y, "poisson", weights=weights / weights.mean())
    if reason := refusal(fit, data.protocol.models):
        return reason
    V = stacked_covariance(list(selection.steps.values()), selection.people, selection.selected, X, fit)
    return coefficients_of(design.X.columns, fit, V)
