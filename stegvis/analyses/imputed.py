"""Analysis ``imputed``: the published models with missing covariates imputed.

All respondents are included, with or without missing covariates. The categories are those of the analyzed participants,
so that the same contrasts are compared. Imputation and pooling are in ``stegvis.statistics`` (``imputation``,
``rubin``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from stegvis.analyses.category_design import with_cuts_of_people
from stegvis.analyses.wave_data import WaveData
from stegvis.disclosure import is_small
from stegvis.statistics.categories import REFERENCE
from stegvis.statistics.contract import OUTCOME, NotEstimable, complete_rows, prepare
from stegvis.statistics.imputation import impute, incomplete_columns
from stegvis.statistics.irls import fit_matrix, refusal
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.rubin import Pooled, pool
from stegvis.statistics.sandwich import variance_factor
from stegvis.statistics.terms import MODELS, Categorical, Linear, Model, Term, category_term
from stegvis.study.protocol import Exposure

Block = tuple[Exposure, Model]


def imputed_rows(data: WaveData) -> list[ResultRow]:
    """Measures ``rr``, ``fmi`` (fraction of missing information) per category, and ``p_joint``."""
    answered, _ = complete_rows(data.eligible, [*data.protocol.exposures.names, OUTCOME])
    frame = with_cuts_of_people(answered, data).reset_index(drop=True)
    incomplete = incomplete_columns(frame, data.covariates("adjusted"))
    found = _pooled(frame, incomplete, data)
    remark = f"{data.protocol.imputation.imputations} imputations" if incomplete else "no covariate is missing"
    return [row for block, pooled in found.items() for row in _rows(block, pooled, frame, remark, data)]


def _pooled(frame: pd.DataFrame, incomplete: list[str], data: WaveData) -> dict[Block, Pooled | NotEstimable]:
    """The pooled log ratios of the categories but the reference, of each exposure and model."""
    blocks: list[Block] = [(exposure, model) for exposure in data.protocol.exposures.names for model in MODELS]
    fits: dict[Block, list[tuple[np.ndarray, np.ndarray]]] = {block: [] for block in blocks}
    refused: dict[Block, NotEstimable] = {}
    size: dict[Block, int] = {}
    # A model of complete covariates is the same in every copy.
    same = {block for block in blocks if not incomplete_columns(frame, data.covariates(block[1]))}
    try:
        for copy in _copies(frame, incomplete, data):
            for block in [b for b in blocks if b not in refused and not (b in same and fits[b])]:
                fit = _fit(copy, block, data)
                if isinstance(fit, NotEstimable):
                    refused[block] = fit
                else:
                    coefficients, covariance, size[block] = fit
                    fits[block].append((coefficients, covariance))
    except np.linalg.LinAlgError:
        refused = dict.fromkeys(blocks, NotEstimable("a regression behind the imputations did not converge"))
    return {
        block: refused.get(block)
        or pool(np.array([b for b, _ in fits[block]]), np.array([V for _, V in fits[block]]), len(frame) - size[block])
        for block in blocks
    }


def _copies(frame: pd.DataFrame, incomplete: list[str], data: WaveData) -> Iterable[pd.DataFrame]:
    if not incomplete:
        return [frame]
    rules = data.protocol.imputation
    terms: list[Term] = [Linear(OUTCOME), *data.covariates("adjusted")]
    for exposure in data.protocol.exposures.names:
        # An empty category has no column; the order of the others does not matter here.
        levels = tuple(sorted(frame[f"{exposure}_category"].unique()))
        terms.append(Categorical(f"{exposure}_category", levels))
    return impute(
        frame,
        terms,
        imputations=rules.imputations,
        iterations=rules.iterations,
        prior_sd=rules.prior_sd,
        random=np.random.default_rng(rules.seed),
    )


def _fit(copy: pd.DataFrame, block: Block, data: WaveData) -> tuple[np.ndarray, np.ndarray, int] | NotEstimable:
    """Coefficients of the categories but the first, their covariance, and the number of coefficients of the model."""
    exposure, model = block
    term = category_term(exposure, data.protocol)
    models = data.protocol.models
    design = prepare(copy, [term, *data.covariates(model)], models)
    if isinstance(design, NotEstimable):
        return design
    fit = fit_matrix(design.X.to_numpy(), design.y, "poisson")
    if reason := refusal(fit, models):
        return reason
    at = [position for position, name in enumerate(design.X.columns) if str(name).startswith(f"{term.column}[")]
    n = len(design.y)
    factor = variance_factor(n, models.variance)
    return fit.coefficients[at], factor * fit.robust_covariance[np.ix_(at, at)], design.X.shape[1]


def _rows(
    block: Block, pooled: Pooled | NotEstimable, frame: pd.DataFrame, remark: str, data: WaveData
) -> list[ResultRow]:
    exposure, model = block
    term = category_term(exposure, data.protocol)
    labels = data.labels(exposure)
    template = data.template("imputed", model, exposure, "answered")
    template = replace(
        template.counting(frame, None),
        term=term.column,
        reference=labels[REFERENCE],
        n=_publishable(len(frame), data),
        note=joined(template.note, remark),
    )
    occupied = [category for category in labels if (frame[term.column] == category).any()]
    rows = []
    for measure in ("rr", "fmi"):
        for category, label in labels.items():
            row = replace(template, level=label, measure=measure)
            if measure == "fmi" and category == REFERENCE:
                continue
            if isinstance(pooled, NotEstimable):
                rows.append(row.not_estimable(pooled.reason))
            elif category not in occupied:
                rows.append(row.not_estimable("nobody is in this category"))
            elif category == REFERENCE:
                rows.append(replace(row, estimate=1.0))
            elif measure == "fmi":
                rows.append(replace(row, estimate=float(pooled.fraction_missing[occupied.index(category) - 1])))
            else:
                at = occupied.index(category) - 1
                rows.append(row.with_ratio(pooled.ratio(at, data.protocol.models.confidence)))
    row = replace(template, measure="p_joint")
    if isinstance(pooled, NotEstimable):
        return [*rows, row.not_estimable(pooled.reason)]
    test = pooled.joint_wald(list(range(len(occupied) - 1)))
    note = joined(row.note, f"D1 test on {test.degrees_of_freedom} df")
    return [*rows, replace(row, estimate=test.p_value, p_value=test.p_value, note=note)]


def _publishable(people: int, data: WaveData) -> int | None:
    """The number of people, unless a small number added to the analyzed participants could be inferred from it."""
    added = np.array([people - len(data.people)])
    return None if is_small(added, data.protocol.disclosure.smallest_count)[0] else people
