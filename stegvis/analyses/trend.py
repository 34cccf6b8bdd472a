"""Trend over an exposure: three linear terms, each in place of the categories.

The median of each category, the ordinal score, and the exposure itself per unit. A trend p-value says nothing about the
shape of the curve (``spline``).

The median score is the usual test for trend in epidemiology; how tests with such scores behave is simulated in
Brownstein and Cai 2019, doi 10.1186/s12874-018-0630-7. Medians are those of the analysis sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pandas as pd

from stegvis.analyses.category_model import remarks
from stegvis.statistics.contract import OUTCOME, NotEstimable, complete_rows
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.risk_ratio import fit_risk_ratio
from stegvis.statistics.terms import Linear, Term
from stegvis.study.protocol import Exposure, Protocol


def add_scores(frame: pd.DataFrame, exposure: Exposure) -> pd.DataFrame:
    """A copy of the frame with ``<exposure>_median`` (exposure's unit) and ``<exposure>_ordinal`` (1 and up)."""
    category = frame[f"{exposure}_category"]
    return frame.assign(
        **{
            f"{exposure}_median": frame[exposure].groupby(category).transform("median"),
            f"{exposure}_ordinal": category.astype("float64"),
        }
    )


def trend_rows(
    frame: pd.DataFrame,
    template: ResultRow,
    covariates: Sequence[Term],
    protocol: Protocol,
    *,
    outcome: str = OUTCOME,
    weights: str | None = None,
    groups: str | None = None,
) -> list[ResultRow]:
    """Three rows (measure ``rr``): per unit of the category's median, per category, and per unit of the exposure.

    The unit is the protocol's ``trend_unit``, so that the ratio is easy to interpret; the p-value does not depend on
    it.

    Raises:
        ValueError: the caller broke the contract of ``statistics.contract.prepare``.
    """
    exposure = cast(Exposure, template.exposure)
    scale = protocol.exposures.scale(exposure)
    # The same people as in the model of the categories, for any term.
    needed = [exposure, f"{exposure}_category", *(c.column for c in covariates), outcome]
    needed += [column for column in (weights, groups) if column is not None]
    complete, dropped = complete_rows(frame, needed)
    scored = add_scores(complete, exposure)
    per_unit = f"per {scale.trend_unit:g} {scale.unit}"
    terms = {
        f"{exposure}_median": (Linear(f"{exposure}_median", scale.trend_unit), per_unit),
        f"{exposure}_ordinal": (Linear(f"{exposure}_ordinal"), "per category"),
        f"{exposure}_linear": (Linear(exposure, scale.trend_unit), per_unit),
    }
    rows = []
    for name, (term, level) in terms.items():
        fit = fit_risk_ratio(
            scored, [term, *covariates], protocol.models, outcome=outcome, weights=weights, groups=groups
        )
        row = replace(
            template,
            term=name,
            level=level,
            note=joined(template.note, *remarks(fit, dropped, protocol)),
        ).counting(scored, outcome)
        if isinstance(fit, NotEstimable):
            rows.append(row.not_estimable(fit.reason))
        else:
            rows.append(row.with_ratio(fit.ratio(term.column)))
    return rows
