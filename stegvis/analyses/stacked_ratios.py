"""Rows of weighted ratios whose intervals allow for the estimation of the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import numpy as np
import pandas as pd

from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.categories import REFERENCE
from stegvis.statistics.contract import OUTCOME, NotEstimable
from stegvis.statistics.irls import MatrixFit
from stegvis.statistics.results import ResultRow
from stegvis.statistics.risk_ratio import ratio
from stegvis.statistics.terms import category_term
from stegvis.study.protocol import Exposure

# By coefficient, the log ratio and its standard error.
Coefficients = Mapping[str, tuple[float, float]]


def coefficients_of(names: pd.Index, fit: MatrixFit, covariance: np.ndarray) -> Coefficients:
    """The k coefficients of a fit by name, with the errors of a k x k covariance."""
    errors = np.sqrt(np.diag(covariance))
    return {str(name): (float(b), float(error)) for name, b, error in zip(names, fit.coefficients, errors, strict=True)}


def category_counts(template: ResultRow, people: pd.DataFrame, data: WaveData) -> dict[int, ResultRow]:
    """A row of each category of the template's exposure without an estimate."""
    exposure = cast(Exposure, template.exposure)
    labels, column = data.labels(exposure), category_term(exposure, data.protocol).column
    template = replace(template, term=column, reference=labels[REFERENCE])
    return {
        category: replace(template, level=label).counting(people[people[column] == category], OUTCOME)
        for category, label in labels.items()
    }


def stacked_ratio_rows(
    template: ResultRow, people: pd.DataFrame, found: Coefficients | NotEstimable, data: WaveData
) -> list[ResultRow]:
    """A ratio of each category, or why there is none."""
    term = category_term(cast(Exposure, template.exposure), data.protocol)
    rows = []
    for category, row in category_counts(template, people, data).items():
        if isinstance(found, NotEstimable):
            rows.append(row.not_estimable(found.reason))
        elif not row.n:
            rows.append(row.not_estimable("nobody is in this category"))
        elif category == REFERENCE:
            rows.append(replace(row, estimate=1.0))
        else:
            rows.append(row.with_ratio(ratio(*found[term.coefficient(category)], data.protocol.models.confidence)))
    return rows
