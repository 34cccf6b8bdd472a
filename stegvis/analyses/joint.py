"""Analysis ``joint``: the cells of volume and intensity against the lowest of both, and their product terms.

Cells are numbered by category, not by the cells that occur, so that an empty cell does not shift the others. A cell
with too few events is omitted with its people; only its own estimate is lost. ``exposure`` is walking_minutes in every
row; the level names both categories, volume first.
"""

from __future__ import annotations

from dataclasses import replace

from stegvis.analyses.category_model import fit_levels, joint_row, level_rows, remarks
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.contract import OUTCOME, NotEstimable, complete_rows
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.risk_ratio import fit_risk_ratio
from stegvis.statistics.terms import MODELS, Categorical, Model, category_term

CELL = "walking_minutes_category x walking_met_category"


def joint_rows(data: WaveData) -> list[ResultRow]:
    """``rr`` of each cell, ``p_joint`` that all cells have the same risk, ``p_interaction`` of the product terms."""
    if len(data.protocol.exposures.names) == 1:
        return []
    rows: list[ResultRow] = []
    volume, intensity = data.labels("walking_minutes"), data.labels("walking_met")
    pairs = [(one, other) for one in volume for other in intensity]
    numbers = {number: f"{volume[one]} & {intensity[other]}" for number, (one, other) in enumerate(pairs)}
    first, second = (data.people[f"{each}_category"] for each in data.protocol.exposures.names)
    cell = (first - 1) * len(intensity) + second - 1
    people = data.people.assign(**{CELL: cell})
    term = Categorical(CELL, tuple(numbers), required=True)
    for model in MODELS:
        template = data.template("joint", model, "walking_minutes")
        covariates = data.covariates(model)
        made = fit_levels(people, term, covariates, data.protocol, omit_sparse=True)
        rows += level_rows(made, template, numbers, data.protocol)
        rows.append(_product_row(data, template, model))
    return rows


def _product_row(data: WaveData, template: ResultRow, model: Model) -> ResultRow:
    """The Wald test that no cell deviates from the product of its row and column."""
    volume, intensity = (category_term(each, data.protocol) for each in data.protocol.exposures.names)
    terms = [volume, intensity, *data.covariates(model)]
    complete, dropped = complete_rows(data.people, [*(term.column for term in terms), OUTCOME])
    fit = fit_risk_ratio(complete, terms, data.protocol.models, products=[(volume, intensity)])
    names = [] if isinstance(fit, NotEstimable) else [name for name in fit.coefficients.index if ":" in name]
    row = replace(
        template,
        term=CELL,
        note=joined(template.note, *remarks(fit, dropped, data.protocol)),
    ).counting(complete, OUTCOME)
    return joint_row(fit, row, names, "p_interaction")
