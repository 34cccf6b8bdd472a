"""One model of the categories of an exposure: a row per category, and their joint test.

Most analyses repeat this block in another sample or with other covariates.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import pandas as pd

from stegvis.statistics.categories import level_labels
from stegvis.statistics.contract import OUTCOME, NotEstimable, complete_rows, too_few
from stegvis.statistics.members import only
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.risk_ratio import Fit, fit_risk_ratio
from stegvis.statistics.terms import Categorical, Term, category_term
from stegvis.study.protocol import Exposure, Protocol

TOO_THIN = "too few events or non-events"


@dataclass(frozen=True)
class LevelFit:
    """A model of the levels of a term, fitted.

    Attributes:
        term: as asked for.
        people: the complete rows.
        dropped: number of incomplete rows.
        outcome: column of 0 and 1.
        sparse: levels omitted with their people, for too few events or non-events.
        fit: of the other levels, or why there is none.
    """

    term: Categorical
    people: pd.DataFrame
    dropped: int
    outcome: str
    sparse: tuple[Hashable, ...]
    fit: Fit | NotEstimable


def category_rows(
    frame: pd.DataFrame,
    template: ResultRow,
    covariates: Sequence[Term],
    protocol: Protocol,
    *,
    outcome: str = OUTCOME,
    weights: str | None = None,
    groups: str | None = None,
    labels: Mapping[int, str] | None = None,
) -> list[ResultRow]:
    """Fit outcome on the categories of ``template.exposure`` and the covariates.

    Args:
        frame: the people, with their categories.
        template: a row without the estimate.
        covariates: the other terms.
        protocol: the study's protocol.
        outcome: column of 0 and 1.
        weights: column of analysis weights.
        groups: column of the person (cluster) of a row.
        labels: printed labels of the categories, for a sample that reuses another's cuts; by default those of the
            frame.

    Returns:
        A row for each category (measure ``rr``, the reference with estimate 1) with n and events of
        each, and the joint Wald test that all their ratios are 1 (measure ``p_joint``).

    Raises:
        ValueError: the caller broke the contract of ``statistics.contract.prepare``.
    """
    exposure = cast(Exposure, template.exposure)
    term = category_term(exposure, protocol)
    printed = level_labels(frame, exposure, protocol) if labels is None else labels
    made = fit_levels(frame, term, covariates, protocol, outcome=outcome, weights=weights, groups=groups)
    return level_rows(made, template, printed, protocol)


def fit_levels(
    frame: pd.DataFrame,
    term: Categorical,
    covariates: Sequence[Term],
    protocol: Protocol,
    *,
    outcome: str = OUTCOME,
    weights: str | None = None,
    groups: str | None = None,
    omit_sparse: bool = False,
) -> LevelFit:
    """Fit a model as in ``category_rows``, for the levels of any categorical term, without rows.

    With ``omit_sparse`` a level other than the reference that has too few events or non-events is omitted with its
    people, so that only its own estimate is lost; otherwise the whole model is not estimable.
    """
    extra = [column for column in (outcome, weights, groups) if column is not None]
    needed = [term.column, *(each.column for each in covariates), *extra]
    complete, dropped = complete_rows(only(frame, needed), needed)
    sparse = _sparse_levels(complete, term, outcome, protocol.models.minimum_events) if omit_sparse else []
    fit = fit_risk_ratio(
        complete[~complete[term.column].isin(sparse)] if sparse else complete,
        [replace(term, levels=tuple(level for level in term.levels if level not in sparse)), *covariates],
        protocol.models,
        outcome=outcome,
        weights=weights,
        groups=groups,
    )
    return LevelFit(term, complete, dropped, outcome, tuple(sparse), fit)


def level_rows(made: LevelFit, template: ResultRow, labels: Mapping[int, str], protocol: Protocol) -> list[ResultRow]:
    """The rows of a fitted model: one per level, and the joint test.

    Args:
        made: by ``fit_levels``.
        template: a row without the estimate.
        labels: printed, of each level.
        protocol: the study's protocol.
    """
    term, fit = made.term, made.fit
    template = replace(template, term=term.column, reference=labels[cast(int, term.levels[0])])
    template = replace(template, note=joined(template.note, *remarks(fit, made.dropped, protocol)))

    rows = []
    levels, counted = made.people[term.column].to_numpy(), only(made.people, [made.outcome])
    for level in term.levels:
        members = levels == level
        row = replace(template, level=labels[cast(int, level)]).counting(counted[members], made.outcome)
        if not members.any():
            rows.append(row.not_estimable("nobody is in this category"))
        elif isinstance(fit, NotEstimable):
            rows.append(row.not_estimable(fit.reason))
        elif level in made.sparse:
            rows.append(row.not_estimable(f"{TOO_THIN} in this category"))
        elif level == term.levels[0]:
            rows.append(replace(row, estimate=1.0))
        else:
            rows.append(row.with_ratio(fit.ratio(term.coefficient(level))))
    if made.sparse:
        template = replace(template, note=joined(template.note, f"categories with {TOO_THIN} left out"))
    everyone = template.counting(made.people, made.outcome)
    rows.append(joint_row(fit, everyone, [name for name in _names(fit) if name.startswith(f"{term.column}[")]))
    return rows


def joint_row(
    fit: Fit | NotEstimable, template: ResultRow, names: Sequence[str], measure: str = "p_joint"
) -> ResultRow:
    """The row of a Wald test that the named coefficients are all zero."""
    row = replace(template, measure=measure)
    if isinstance(fit, NotEstimable):
        return row.not_estimable(fit.reason)
    test = fit.joint_wald(names)
    note = joined(row.note, f"Wald test on {test.degrees_of_freedom} df")
    return replace(row, estimate=test.p_value, p_value=test.p_value, note=note)


def remarks(fit: Fit | NotEstimable, dropped: int, protocol: Protocol) -> list[str]:
    """Remarks on a fit for the note; small counts are given in words."""
    smallest = protocol.disclosure.smallest_count
    found = []
    if dropped:
        found.append(f"{dropped if dropped >= smallest else f'fewer than {smallest}'} incomplete rows left out")
    if isinstance(fit, Fit) and fit.absent_levels:
        found.append(f"levels without people: {', '.join(fit.absent_levels)}")
    if isinstance(fit, Fit):
        found += fit.simplified
    if isinstance(fit, Fit) and fit.share_above_one > 0:
        many = fit.share_above_one * fit.n >= smallest
        found.append(f"{f'{fit.share_above_one:.1%} of' if many else 'a few'} fitted risks exceed 1")
    return found


def _names(fit: Fit | NotEstimable) -> list[str]:
    return [] if isinstance(fit, NotEstimable) else [str(name) for name in fit.coefficients.index]


def _sparse_levels(people: pd.DataFrame, term: Categorical, outcome: str, minimum: int) -> list[Hashable]:
    """The levels that are not empty but have too few events or non-events."""
    found: list[Hashable] = []
    for level in term.levels[1:]:
        y = people.loc[people[term.column] == level, outcome].to_numpy(dtype="float64")
        if len(y) and too_few(y, "the level", minimum):
            found.append(level)
    return found
