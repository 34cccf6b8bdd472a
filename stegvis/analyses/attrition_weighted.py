"""Analyses ``attrition_weighted``, ``attrition_weights``, ``attrition_balance``: weights for attrition.

The response model includes all eligible participants with known covariates, without those who are known to have died or
emigrated; the respondents among them are the analyzed participants. Differences that it cannot account for are the
subject of ``tipping_points``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from stegvis.analyses.category_design import with_cuts_of_people
from stegvis.analyses.category_model import category_rows
from stegvis.analyses.living import LIVING, living, vital_status_known
from stegvis.analyses.stacked_ratios import Coefficients, coefficients_of, stacked_ratio_rows
from stegvis.analyses.wave_data import WaveData
from stegvis.disclosure import is_small
from stegvis.statistics.attrition_weights import (
    ResponseWeights,
    effective_sample_size,
    mean_of_smallest,
    response_weights,
    stacked_covariance,
    standardized_difference,
    truncated,
)
from stegvis.statistics.contract import Design, NotEstimable, complete_rows, prepare
from stegvis.statistics.irls import fit_matrix, refusal
from stegvis.statistics.results import ResultRow, joined, options_note
from stegvis.statistics.terms import MODELS, Categorical, Linear, Term, category_term
from stegvis.study.protocol import Exposure

ANSWERED = "answered"
WEIGHT = "weight"
RESPONSE, SMALLEST = "response", "smallest_probabilities"
BALANCE_NOTE = "who answered against who did not, in standard deviations; everyone eligible with known covariates"

LIVING_NOTE = "without those who died or emigrated"


@dataclass(frozen=True)
class ResponseModel:
    """The response model of one exposure, with its data.

    Attributes:
        frame: n eligible participants with known covariates.
        baseline: n x k design of everything known at baseline.
        exposure: n x j design of the exposure alone.
        weights: the two fitted models.
    """

    frame: pd.DataFrame
    baseline: Design
    exposure: Design
    weights: ResponseWeights

    def people(self) -> pd.DataFrame:
        """The respondents."""
        return self.frame[self.weights.answered]


def attrition_weighted_rows(data: WaveData) -> list[ResultRow]:
    """Balance (``smd``, ``smd_weighted``), weights (``ess`` ...), and the weighted ratios of both exposures."""
    frame = _everyone(data)
    fitted = {exposure: _response_model(frame, exposure, data) for exposure in data.protocol.exposures.names}
    rows = _balance_rows(frame, fitted["walking_minutes"], data)
    for exposure, response in fitted.items():
        rows += _weight_rows(exposure, response, data)
        rows += _ratio_rows(exposure, response, data)
    return rows


def _everyone(data: WaveData) -> pd.DataFrame:
    """The living eligible participants with known covariates and exposures, with categories and squared predictors."""
    needed = [*(term.column for term in data.covariates("adjusted")), *data.protocol.exposures.names]
    frame, _ = complete_rows(living(data.eligible), needed)
    squares = {
        f"{name}_squared": frame[name].astype("float64") ** 2 for name in data.protocol.attrition_weights.squared
    }
    frame = frame.assign(**{ANSWERED: frame[ANSWERED].astype("float64")}, **squares)
    return with_cuts_of_people(frame, data).reset_index(drop=True)


def _predictors(data: WaveData) -> list[Term]:
    squares = [Linear(f"{name}_squared") for name in data.protocol.attrition_weights.squared]
    return [*data.covariates("adjusted"), *squares, *(Linear(exposure) for exposure in data.protocol.exposures.names)]


def _response_model(frame: pd.DataFrame, exposure: Exposure, data: WaveData) -> ResponseModel | NotEstimable:
    designs = []
    for terms in (_predictors(data), [category_term(exposure, data.protocol)]):
        design = prepare(frame, terms, data.protocol.models, outcome=ANSWERED)
        if isinstance(design, NotEstimable):
            # The reasons of the contract name events; here an event is a response.
            reason = design.reason.replace("non-events", "people who did not answer").replace("events", "answers")
            return NotEstimable(f"model of answering: {reason}")
        designs.append(design)
    baseline, alone = designs
    weights = response_weights(baseline.y == 1, baseline.X.to_numpy(), alone.X.to_numpy(), data.protocol.models)
    return weights if isinstance(weights, NotEstimable) else ResponseModel(frame, baseline, alone, weights)


# ---- balance ----


def _balance_rows(frame: pd.DataFrame, response: ResponseModel | NotEstimable, data: WaveData) -> list[ResultRow]:
    note = joined(options_note(data.protocol), BALANCE_NOTE)
    template = ResultRow(
        data.wave, "attrition_balance", "eligible", "adjusted", data.protocol.exposures.of_all, note=note
    )
    if vital_status_known(data.eligible):
        # Their number is not given: beside the deaths it would say how many are eligible today.
        template = replace(template, population=LIVING, note=joined(note, LIVING_NOTE))
    else:
        template = template.counting(frame, None)
    rows = []
    for row, values in _characteristics(frame, template, data):
        for measure in ("smd", "smd_weighted"):
            row = replace(row, measure=measure)
            if isinstance(response, NotEstimable):
                rows.append(row.not_estimable(response.reason))
                continue
            weights = response.weights.both_groups if measure == "smd_weighted" else None
            found = standardized_difference(values, response.weights.answered, weights)
            if _too_few(values, response.weights.answered, data):
                rows.append(row.not_estimable("too few people with or without it"))
            elif math.isnan(found):
                rows.append(row.not_estimable("everyone is alike"))
            else:
                rows.append(replace(row, estimate=found))
    return rows


def _characteristics(frame: pd.DataFrame, template: ResultRow, data: WaveData) -> list[tuple[ResultRow, np.ndarray]]:
    """A row and the values (n) of each numeric characteristic and of each level of the others."""
    found = []
    for term in [*data.covariates("adjusted"), *(Linear(exposure) for exposure in data.protocol.exposures.names)]:
        if isinstance(term, Categorical):
            for level in term.levels:
                values = (frame[term.column] == level).to_numpy(dtype="float64")
                found.append((replace(template, term=term.column, level=str(level)), values))
        else:
            found.append((replace(template, term=term.column), frame[term.column].to_numpy(dtype="float64")))
    return found


def _too_few(values: np.ndarray, answered: np.ndarray, data: WaveData) -> bool:
    """Whether a 0/1 characteristic has a count in either group that is too small to publish."""
    if not np.isin(values, (0.0, 1.0)).all():
        return False
    counts = np.array([float((values[side] == value).sum()) for side in (answered, ~answered) for value in (0, 1)])
    return bool(is_small(counts, data.protocol.disclosure.smallest_count).any())


# ---- weights ----


def _variants(weights: ResponseWeights, data: WaveData) -> dict[str, np.ndarray]:
    """The weights by the name of the variant."""
    found = {"stabilized": weights.stabilized, "unstabilized": weights.unstabilized}
    for low, high in data.protocol.attrition_weights.truncations:
        found[_truncation(low, high)] = truncated(weights.stabilized, low, high)
    return found


def _truncation(low: float, high: float) -> str:
    return f"truncated_{100 * low:g}_{100 * high:g}"


def _names(data: WaveData) -> list[str]:
    return ["stabilized", "unstabilized", *(_truncation(*pair) for pair in data.protocol.attrition_weights.truncations)]


def _weight_rows(exposure: Exposure, response: ResponseModel | NotEstimable, data: WaveData) -> list[ResultRow]:
    template = data.template("attrition_weights", "adjusted", exposure)
    measures = ("ess", "mean_weight", "largest_weights")
    rows = []
    for name in _names(data):
        row = replace(template, term=name)
        if isinstance(response, NotEstimable):
            rows += [replace(row, measure=measure).not_estimable(response.reason) for measure in measures]
            continue
        weights = _variants(response.weights, data)[name]
        row = row.counting(response.people(), None)
        # A maximum is one person's value; the mean of the largest few is reported instead.
        few = data.protocol.disclosure.smallest_count
        largest = float(np.sort(weights)[-few:].mean())
        estimates = (effective_sample_size(weights), float(weights.mean()), largest)
        notes = ("", "", f"mean of the {few} largest")
        rows += [
            replace(row, measure=measure, estimate=estimate, note=joined(row.note, note))
            for measure, estimate, note in zip(measures, estimates, notes, strict=True)
        ]
    return [*rows, _positivity_row(template, response, data)]


def _positivity_row(template: ResultRow, response: ResponseModel | NotEstimable, data: WaveData) -> ResultRow:
    """The smallest probabilities of responding of everyone in the response model, whom the weights should represent."""
    row = replace(template, population="eligible", term=RESPONSE, measure=SMALLEST)
    if isinstance(response, NotEstimable):
        return row.not_estimable(response.reason)
    few = data.protocol.disclosure.smallest_count
    note = joined(row.note, f"mean of the {few} smallest, respondents or not")
    row = replace(row, estimate=mean_of_smallest(response.weights.denominator.fitted, few), note=note)
    return row.counting(response.frame, None)


# ---- ratios ----


def _ratio_rows(exposure: Exposure, response: ResponseModel | NotEstimable, data: WaveData) -> list[ResultRow]:
    rows = []
    for name in _names(data):
        analysis = "attrition_weighted" if name == "stabilized" else f"attrition_weighted:{name}"
        for model in MODELS:
            template = data.template(analysis, model, exposure)
            template = replace(template, note=joined(template.note, f"{name} weights, taken as known"))
            if isinstance(response, NotEstimable):
                made = category_rows(data.people, template, data.covariates(model), data.protocol)
                rows += [_without_estimate(row, response.reason) for row in made]
                continue
            frame = response.people().assign(**{WEIGHT: _variants(response.weights, data)[name]})
            rows += category_rows(frame, template, data.covariates(model), data.protocol, weights=WEIGHT)
    return rows + _stacked_rows(exposure, response, data)


def _without_estimate(row: ResultRow, reason: str) -> ResultRow:
    bare = ResultRow(**{name: getattr(row, name) for name in ("wave", "analysis", "population", "model", "exposure")})
    kept = ("term", "level", "reference", "n", "events", "measure", "note", "members")
    same = {name: getattr(row, name) for name in kept}
    return replace(bare, **same).not_estimable(reason)


def _stacked_rows(exposure: Exposure, response: ResponseModel | NotEstimable, data: WaveData) -> list[ResultRow]:
    """The stabilized estimates with an interval that allows for the weights being estimated."""
    rows = []
    for model in MODELS:
        template = data.template("attrition_weighted:estimated_weights", model, exposure)
        note = joined(template.note, "stabilized weights, their estimation allowed for, hc0")
        found = _stacked(response, [category_term(exposure, data.protocol), *data.covariates(model)], data)
        rows += stacked_ratio_rows(replace(template, note=note), data.people, found, data)
    return rows


def _stacked(response: ResponseModel | NotEstimable, terms: list[Term], data: WaveData) -> Coefficients | NotEstimable:
    """Log ratio and standard error of each coefficient by name."""
    if isinstance(response, NotEstimable):
        return response
    design = prepare(response.people(), terms, data.protocol.models)
    if isinstance(design, NotEstimable):
        return design
    X = design.X.to_numpy()
    fit = fit_matrix(X, design.y, "poisson", weights=response.weights.stabilized)
    if reason := refusal(fit, data.protocol.models):
        return reason
    baseline, alone = response.baseline.X.to_numpy(), response.exposure.X.to_numpy()
    V = stacked_covariance(response.weights, baseline, alone, X, fit)
    return coefficients_of(design.X.columns, fit, V)
