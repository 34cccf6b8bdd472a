"""Analysis ``interaction``: effect modification by age and by sex, on the multiplicative scale.

Two tests for both exposures (published: volume only), fully adjusted. As published: the likelihood-ratio test of an
ordinary Poisson likelihood, with age only as older or not. Robust: a Wald test of the product terms, with age as a
continuous covariate as well; with it the ratios of the subgroups' risk ratios by category.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from stegvis.analyses.category_model import joint_row, remarks
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.categories import REFERENCE
from stegvis.statistics.contract import OUTCOME, NotEstimable, complete_rows
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.risk_ratio import fit_risk_ratio, likelihood_ratio
from stegvis.statistics.terms import Categorical, Term, category_term, product_coefficient
from stegvis.study.protocol import Exposure

OLDER = Categorical("older", (False, True), required=True)


@dataclass(frozen=True)
class Modifier:
    """A binary effect modifier.

    ``published`` and ``robust`` are the other covariates in the two tests; ``others`` names the subgroup of its product
    terms, compared with the rest.
    """

    term: Categorical
    others: str
    published: tuple[Term, ...]
    robust: tuple[Term, ...]


def interaction_rows(data: WaveData) -> list[ResultRow]:
    """``p_likelihood_ratio``, ``p_interaction`` and ``ratio_of_rr`` per category, by age and by sex."""
    return [
        row
        for exposure in data.protocol.exposures.names
        for modifier in _modifiers(data)
        for row in [_published_row(data, exposure, modifier), *_robust_rows(data, exposure, modifier)]
    ]


def _modifiers(data: WaveData) -> list[Modifier]:
    covariates = data.covariates("adjusted")
    without_age = tuple(term for term in covariates if term.column != "age")
    without_sex = tuple(term for term in covariates if term.column != "sex")
    sex = Categorical("sex", data.levels["sex"], required=True)
    age = data.protocol.covariates.older_from_age
    return [
        Modifier(OLDER, f"age>={age} against age<{age}", published=without_age, robust=covariates),
        Modifier(sex, f"{sex.levels[1]} against {sex.levels[0]}", published=without_sex, robust=without_sex),
    ]


def _published_row(data: WaveData, exposure: Exposure, modifier: Modifier) -> ResultRow:
    category = category_term(exposure, data.protocol)
    terms = [category, modifier.term, *modifier.published]
    template, frame, dropped = _prepared(data, exposure, modifier, terms)
    row = replace(template, measure="p_likelihood_ratio")
    full = fit_risk_ratio(frame, terms, data.protocol.models, products=[(category, modifier.term)])
    if isinstance(full, NotEstimable):
        return row.not_estimable(full.reason)
    nested = fit_risk_ratio(frame, terms, data.protocol.models)
    if isinstance(nested, NotEstimable):
        return row.not_estimable(nested.reason)
    test = likelihood_ratio(full, nested)
    how = f"likelihood-ratio test on {test.degrees_of_freedom} df, ordinary Poisson likelihood"
    only = "age enters only as older or not" if modifier.term is OLDER else ""
    note = joined(row.note, *remarks(full, dropped, data.protocol), how, only, _published_note(exposure))
    return replace(row, estimate=test.p_value, p_value=test.p_value, note=note)


def _robust_rows(data: WaveData, exposure: Exposure, modifier: Modifier) -> list[ResultRow]:
    category, labels = category_term(exposure, data.protocol), data.labels(exposure)
    terms = [category, modifier.term, *modifier.robust]
    template, frame, dropped = _prepared(data, exposure, modifier, terms)
    fit = fit_risk_ratio(frame, terms, data.protocol.models, products=[(category, modifier.term)])
    template = replace(template, note=joined(template.note, *remarks(fit, dropped, data.protocol)))
    names = [] if isinstance(fit, NotEstimable) else [name for name in fit.coefficients.index if ":" in name]
    rows = [joint_row(fit, template, names, "p_interaction")]
    for level, label in labels.items():
        people = frame[frame[category.column] == level]
        row = replace(
            template,
            level=label,
            reference=labels[REFERENCE],
            measure="ratio_of_rr",
        ).counting(people, OUTCOME)
        name = product_coefficient(category, level, modifier.term, modifier.term.levels[1])
        if people.empty:
            rows.append(row.not_estimable("nobody is in this category"))
        elif isinstance(fit, NotEstimable):
            rows.append(row.not_estimable(fit.reason))
        elif level == REFERENCE:
            rows.append(replace(row, estimate=1.0))
        else:
            rows.append(row.with_estimate(fit.ratio(name)))
    return rows


def _prepared(
    data: WaveData, exposure: Exposure, modifier: Modifier, terms: Sequence[Term]
) -> tuple[ResultRow, pd.DataFrame, int]:
    """The template, the complete rows and the number of incomplete ones."""
    frame, dropped = complete_rows(data.people, [*(term.column for term in terms), OUTCOME])
    template = replace(
        data.template("interaction", "adjusted", exposure),
        term=f"{exposure}_category x {modifier.term.column}",
    ).counting(frame, OUTCOME)
    return replace(template, note=joined(template.note, modifier.others)), frame, dropped


def _published_note(exposure: Exposure) -> str:
    return "" if exposure == "walking_minutes" else "published for volume only"
