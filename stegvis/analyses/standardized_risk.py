"""Analysis ``standardized_risk``: the risk if everyone were in a category, differences, and numbers needed.

From a logistic model, and from the Poisson model for comparison. The estimator is in
``stegvis.statistics.standardization``.
"""

from __future__ import annotations

import math
from dataclasses import replace

from stegvis.analyses.category_design import CategoryDesign, category_design
from stegvis.analyses.level_risk_rows import level_risk_row
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.additive_interaction import Difference
from stegvis.statistics.categories import REFERENCE
from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.irls import Family
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.standardization import StandardizedRisks, number_needed, standardized_risks
from stegvis.statistics.terms import MODELS
from stegvis.study.protocol import Protocol

MEASURES = ("risk", "rd", "rr", "nnt")
# The logistic model is the default: its risks stay below 1.
FAMILIES: dict[Family, str] = {"logistic": "standardized_risk", "poisson": "standardized_risk:poisson"}


def standardized_risk_rows(data: WaveData) -> list[ResultRow]:
    """Measures ``risk``, ``rd``, ``rr`` per category, and ``nnt`` for all but the reference."""
    rows = []
    for family, analysis in FAMILIES.items():
        for exposure in data.protocol.exposures.names:
            for model in MODELS:
                template = data.template(analysis, model, exposure)
                template = replace(template, note=joined(template.note, f"{family} model, covariates as sampled"))
                rows += _rows(category_design(data, template), family, data.protocol)
    return rows


def _rows(made: CategoryDesign, family: Family, protocol: Protocol) -> list[ResultRow]:
    found: StandardizedRisks | NotEstimable
    if isinstance(made.design, NotEstimable):
        found = made.design
    else:
        found = standardized_risks(made.design.X, made.design.y, made.levels, family, protocol.models)
    if isinstance(found, StandardizedRisks) and found.share_above_one > 0:
        found = NotEstimable("fitted risks exceed 1: a standardized risk would not be a risk")
    rows = []
    for measure in MEASURES:
        for category, row in made.rows.items():
            row = replace(row, measure=measure)
            if measure == "nnt" and category == REFERENCE:
                continue
            if isinstance(found, NotEstimable):
                rows.append(row.not_estimable(found.reason))
            elif category not in made.occupied:
                rows.append(row.not_estimable("nobody is in this category"))
            else:
                rows.append(_estimate(row, category, found, made, protocol))
    return rows


def _estimate(
    row: ResultRow, category: int, found: StandardizedRisks, made: CategoryDesign, protocol: Protocol
) -> ResultRow:
    if row.measure != "nnt":
        return level_risk_row(row, category, found)
    return _number_needed(row, found.risk_difference(category, REFERENCE), made, protocol)


def _number_needed(row: ResultRow, difference: Difference, made: CategoryDesign, protocol: Protocol) -> ResultRow:
    """If the interval of the difference includes 0, the number has no interval; its two limits go into the note."""
    number = number_needed(difference)
    if isinstance(number, NotEstimable):
        return row.not_estimable(number.reason)
    kind = "benefit" if difference.estimate < 0 else "harm"
    row = replace(row, estimate=number.estimate, note=joined(row.note, f"number needed to {kind}"))
    if not math.isnan(number.ci_low):
        return replace(row, ci_low=number.ci_low, ci_high=number.ci_high)
    # A note remains when the row is suppressed, so it has numbers only if the row cannot be suppressed.
    smallest = protocol.disclosure.smallest_count
    counts = [count for r in made.rows.values() for count in (r.events or 0, (r.n or 0) - (r.events or 0))]
    ends = "NNTB through infinity to NNTH"
    if all(count == 0 or count >= smallest for count in counts):
        ends = f"NNTB {_shown(number.benefit)} to infinity to NNTH {_shown(number.harm)}"
    return replace(row, note=joined(row.note, f"interval {ends}"))


def _shown(number: float) -> str:
    return "infinity" if math.isinf(number) else f"{number:.0f}"
