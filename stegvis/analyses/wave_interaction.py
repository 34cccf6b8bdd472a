"""Analysis ``wave_interaction``: whether the association differs between waves.

The pooled model with products of category and wave; its ratios in each wave, and their joint test. There is no row if
there is only one wave.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pandas as pd

from stegvis.analyses.category_model import remarks
from stegvis.statistics.categories import REFERENCE, level_labels
from stegvis.statistics.contract import OUTCOME, NotEstimable, complete_rows
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.risk_ratio import Fit, fit_risk_ratio, ratio
from stegvis.statistics.terms import Categorical, Linear, Term, category_term
from stegvis.study.protocol import Exposure, Protocol


def wave_rows(
    frame: pd.DataFrame, template: ResultRow, covariates: Sequence[Term], protocol: Protocol
) -> list[ResultRow]:
    """``rr`` per wave (population ``wave <name>``) and category, and ``p_interaction`` that the ratios are the same.

    Args:
        frame: stacked waves with categories, one row per person and wave.
        template: a row without the estimate, with its exposure.
        covariates: terms besides the categories and the wave.
        protocol: the study's protocol.
    """
    exposure = cast(Exposure, template.exposure)
    term = category_term(exposure, protocol)
    labels = level_labels(frame, exposure, protocol)
    needed = [term.column, "wave", *(c.column for c in covariates), OUTCOME, "person"]
    frame, dropped = complete_rows(frame, needed)
    waves = sorted(frame["wave"].unique())
    if len(waves) < 2:
        return []
    products = {
        _product(category, wave): ((frame[term.column] == category) & (frame["wave"] == wave)).astype("float64")
        for wave in waves[1:]
        for category in list(labels)[1:]
    }
    design = pd.concat([frame, pd.DataFrame(products)], axis=1)
    terms = [term, Categorical("wave", tuple(waves)), *map(Linear, products), *covariates]
    fit = _sparse(frame, term, protocol) or fit_risk_ratio(design, terms, protocol.models, groups="person")
    template = replace(
        template, reference=labels[REFERENCE], note=joined(template.note, *remarks(fit, dropped, protocol))
    )
    rows = _ratio_rows(frame, term, fit, template, labels)
    joint = replace(
        template,
        term=f"{term.column} x wave",
        reference="",
        measure="p_interaction",
    ).counting(frame, OUTCOME)
    if isinstance(fit, NotEstimable):
        return [*rows, joint.not_estimable(fit.reason)]
    test = fit.joint_wald(list(products))
    note = joined(joint.note, f"Wald test on {test.degrees_of_freedom} df")
    return [*rows, replace(joint, estimate=test.p_value, p_value=test.p_value, note=note)]


def _ratio_rows(
    frame: pd.DataFrame, term: Categorical, fit: Fit | NotEstimable, template: ResultRow, labels: dict[int, str]
) -> list[ResultRow]:
    """A row of each category in each wave, from the coefficients of category and product."""
    rows = []
    waves = sorted(frame["wave"].unique())
    for wave in waves:
        for category, label in labels.items():
            people = frame[(frame["wave"] == wave) & (frame[term.column] == category)]
            row = replace(
                template,
                population=f"wave {wave}",
                term=term.column,
                level=label,
            ).counting(people, OUTCOME)
            if isinstance(fit, NotEstimable):
                rows.append(row.not_estimable(fit.reason))
            elif category == REFERENCE:
                rows.append(replace(row, estimate=1.0))
            else:
                names = [term.coefficient(category)] + ([_product(category, wave)] if wave != waves[0] else [])
                variance = float(fit.covariance.loc[names, names].to_numpy().sum())
                log_ratio = float(fit.coefficients[names].sum())
                rows.append(row.with_ratio(ratio(log_ratio, math.sqrt(variance), fit.confidence)))
    return rows


def _product(category: int, wave: str) -> str:
    return f"category {category} in {wave}"


def _sparse(frame: pd.DataFrame, term: Categorical, protocol: Protocol) -> Fit | NotEstimable | None:
    """The contract's smallest numbers of events, applied to every category of every wave."""
    cells = (
        frame.groupby(["wave", term.column])[OUTCOME]
        .agg(["sum", "count"])
        .reindex(pd.MultiIndex.from_product([sorted(frame["wave"].unique()), term.levels]), fill_value=0)
    )
    fewest = min(cells["sum"].min(), (cells["count"] - cells["sum"]).min())
    if fewest < protocol.models.minimum_events:
        return NotEstimable(
            f"a category of a wave has fewer than {protocol.models.minimum_events} events or non-events"
        )
    return None
