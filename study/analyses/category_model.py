"""One model of the four categories of an exposure: a row per category, and their joint test.

Belongs here: the commonest block of results, which most analyses repeat in another sample or with other covariates.
Does not belong here: which samples and covariates those are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pandas as pd

from study.protocol import Exposure, Protocol
from study.statistics.categories import CATEGORIES, level_labels
from study.statistics.contract import OUTCOME, NotEstimable, complete_rows
from study.statistics.results import ResultRow, joined
from study.statistics.risk_ratio import Fit, fit_risk_ratio
from study.statistics.terms import Term, category_term


def category_rows(
    frame: pd.DataFrame,
    template: ResultRow,
    covariates: Sequence[Term],
    protocol: Protocol,
    *,
    outcome: str = OUTCOME,
    weights: str | None = None,
    groups: str | None = None,
) -> list[ResultRow]:
    """Fit outcome on the categories of ``template.exposure`` and the covariates.

    Returns five rows: categories 1 to 4 (measure ``rr``, the reference with estimate 1) with the people and events of
    each, and the joint Wald test that all their ratios are 1 (measure ``p_joint``).

    Raises:
        ValueError: the frame breaks the contract in a way that is the caller's mistake.
    """
    exposure = cast(Exposure, template.exposure)
    term = category_term(exposure)
    labels = level_labels(frame, exposure, protocol)
    template = replace(template, term=term.column, reference=labels[CATEGORIES[0]])
    fit = fit_risk_ratio(frame, [term, *covariates], protocol.models, outcome=outcome, weights=weights, groups=groups)
    extra = [column for column in (outcome, weights, groups) if column is not None]
    complete, dropped = complete_rows(frame, [term.column, *(c.column for c in covariates), *extra])
    template = replace(template, note=joined(template.note, *remarks(fit, dropped, protocol)))

    rows = []
    for category in CATEGORIES:
        people = complete[complete[term.column] == category]
        row = replace(template, level=labels[category], n=len(people), events=int(people[outcome].sum()))
        if isinstance(fit, NotEstimable):
            rows.append(row.not_estimable(fit.reason))
        elif people.empty:
            rows.append(row.not_estimable("nobody is in this category"))
        elif category == CATEGORIES[0]:
            rows.append(replace(row, estimate=1.0))
        else:
            rows.append(row.with_ratio(fit.ratio(term.coefficient(category))))
    rows.append(_joint_row(fit, replace(template, n=len(complete), events=int(complete[outcome].sum()))))
    return rows


def remarks(fit: Fit | NotEstimable, dropped: int, protocol: Protocol) -> list[str]:
    """What a reader must know about a fit; counts that are too small to be told are told in words."""
    smallest = protocol.disclosure.smallest_count
    found = []
    if dropped:
        found.append(f"{dropped if dropped >= smallest else f'fewer than {smallest}'} incomplete rows left out")
    if isinstance(fit, Fit) and fit.levels_lost:
        found.append(f"levels without people: {', '.join(fit.levels_lost)}")
    if isinstance(fit, Fit) and fit.share_above_one > 0:
        many = fit.share_above_one * fit.n >= smallest
        found.append(f"{f'{fit.share_above_one:.1%} of' if many else 'a few'} fitted risks exceed 1")
    return found


def _joint_row(fit: Fit | NotEstimable, template: ResultRow) -> ResultRow:
    row = replace(template, measure="p_joint")
    if isinstance(fit, NotEstimable):
        return row.not_estimable(fit.reason)
    names = [name for name in fit.coefficients.index if name.startswith(f"{row.term}[")]
    test = fit.joint_wald(names)
    return replace(
        row,
        estimate=test.p_value,
        p_value=test.p_value,
        note=joined(row.note, f"Wald test on {test.degrees_of_freedom} df"),
    )
