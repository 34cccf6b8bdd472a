"""The design of a model of the categories, and a row for each of them.

For analyses that fit the published models by estimators other than modified Poisson (``category_model``).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import cast

import pandas as pd

from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.categories import REFERENCE, cuts, with_categories
from stegvis.statistics.contract import OUTCOME, Design, NotEstimable, prepare
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.terms import Categorical, Model, category_term
from stegvis.study.protocol import Exposure


@dataclass(frozen=True)
class CategoryDesign:
    """One exposure's categories with a model's covariates, in the analyzed people.

    Attributes:
        design: checked by the contract, or why there is none.
        term: of the categories.
        rows: one for each category, with its n and events, without an estimate.
        occupied: the categories that are not empty, in order.
    """

    design: Design | NotEstimable
    term: Categorical
    rows: dict[int, ResultRow]
    occupied: tuple[int, ...]

    @property
    def levels(self) -> dict[Hashable, str | None]:
        """Indicator column of each category that is not empty; None for the reference."""
        return {c: None if c == REFERENCE else self.term.coefficient(c) for c in self.occupied}

    def not_estimable(self, measures: Sequence[str], reason: str) -> list[ResultRow]:
        """All rows, of each measure, without an estimate."""
        return [
            replace(row, measure=measure).not_estimable(reason) for measure in measures for row in self.rows.values()
        ]


def category_design(data: WaveData, template: ResultRow) -> CategoryDesign:
    """The design of ``template``'s exposure and model, and the rows of its categories."""
    exposure = cast(Exposure, template.exposure)
    term = category_term(exposure, data.protocol)
    covariates = data.covariates(cast(Model, template.model))
    design = prepare(data.people, [term, *covariates], data.protocol.models)
    labels = data.labels(exposure)
    people = data.people.loc[design.X.index] if isinstance(design, Design) else data.people
    simplified = design.simplified if isinstance(design, Design) else ()
    template = replace(
        template,
        term=template.term or term.column,
        reference=labels[REFERENCE],
        note=joined(template.note, *simplified),
    )
    rows = {}
    for category in labels:
        these = people[people[term.column] == category]
        rows[category] = replace(template, level=labels[category]).counting(these, OUTCOME)
    return CategoryDesign(design, term, rows, tuple(c for c in rows if rows[c].n))


def with_cuts_of_people(frame: pd.DataFrame, data: WaveData) -> pd.DataFrame:
    """A frame of other people with the cuts of the analyzed people, so that the categories are the same."""
    return with_categories(
        frame, {e: cuts(data.people[e].dropna(), e, data.protocol) for e in data.protocol.exposures.names}
    )
