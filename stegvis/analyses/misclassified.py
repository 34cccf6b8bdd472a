"""Analyses ``misclassification`` and ``misclassification_probabilistic``: correction for misclassified low back pain.

From standardized risks of the adjusted model, with the sensitivity and specificity that the protocol assumes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stegvis.analyses.category_design import CategoryDesign, category_design
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.categories import REFERENCE
from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.misclassification import corrected_risks, prior_draws, probabilistic_ratios
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.standardization import StandardizedRisks, standardized_risks


def misclassification_rows(data: WaveData) -> list[ResultRow]:
    """Measure ``rr`` per category, corrected with fixed values and with draws from the priors."""
    rules = data.protocol.misclassification
    once = f"assumed sensitivity {rules.sensitivity:g}, specificity {rules.specificity:g}, alike in all categories"
    priors = (
        f"sensitivity {rules.sensitivity_prior.shape} {_listed(rules.sensitivity_prior.values)}, "
        f"specificity {rules.specificity_prior.shape} {_listed(rules.specificity_prior.values)}: assumptions"
    )
    rows = []
    for exposure in data.protocol.exposures.names:
        for analysis, remark in (("misclassification", once), ("misclassification_probabilistic", priors)):
            template = data.template(analysis, "adjusted", exposure)
            made = category_design(data, replace(template, note=joined(template.note, remark)))
            found = _risks(made, data)
            if isinstance(found, NotEstimable):
                rows += made.not_estimable(("rr",), found.reason)
            elif analysis == "misclassification":
                rows += _simple(made, found, data)
            else:
                rows += _probabilistic(made, found, data)
    return rows


def _risks(made: CategoryDesign, data: WaveData) -> StandardizedRisks | NotEstimable:
    if isinstance(made.design, NotEstimable):
        return made.design
    return standardized_risks(made.design.X, made.design.y, made.levels, "logistic", data.protocol.models)


def _simple(made: CategoryDesign, found: StandardizedRisks, data: WaveData) -> list[ResultRow]:
    rules = data.protocol.misclassification
    risks = corrected_risks(found.risks, rules.sensitivity, rules.specificity)
    if isinstance(risks, NotEstimable):
        return made.not_estimable(("rr",), risks.reason)
    ratios = risks / risks[0]
    return _each(made, [(float(r), np.nan, np.nan) for r in ratios[1:]], "")


def _probabilistic(made: CategoryDesign, found: StandardizedRisks, data: WaveData) -> list[ResultRow]:
    rules = data.protocol.misclassification
    random = np.random.default_rng(rules.seed)
    sensitivity = prior_draws(rules.sensitivity_prior.shape, rules.sensitivity_prior.values, rules.draws, random)
    specificity = prior_draws(rules.specificity_prior.shape, rules.specificity_prior.values, rules.draws, random)
    ratios = probabilistic_ratios(
        found.risks,
        sensitivity,
        specificity,
        confidence=data.protocol.models.confidence,
        largest_impossible_share=rules.largest_impossible_share,
        covariance=found.unconditional,
        random=random,
    )
    if isinstance(ratios, NotEstimable):
        return made.not_estimable(("rr",), ratios.reason)
    low, middle, high = ratios.quantiles
    estimates = [(float(m), float(a), float(b)) for m, a, b in zip(middle, low, high, strict=True)]
    return _each(made, estimates, f"{ratios.used} draws, {ratios.dropped} impossible ones dropped")


def _each(made: CategoryDesign, estimates: list[tuple[float, float, float]], remark: str) -> list[ResultRow]:
    """A row per category; ``estimates`` are those of the occupied ones but the reference."""
    rows = []
    for category, row in made.rows.items():
        row = replace(row, note=joined(row.note, remark))
        if category not in made.occupied:
            rows.append(row.not_estimable("nobody is in this category"))
        elif category == REFERENCE:
            rows.append(replace(row, estimate=1.0))
        else:
            estimate, low, high = estimates[made.occupied.index(category) - 1]
            rows.append(replace(row, estimate=estimate, ci_low=low, ci_high=high))
    return rows


def _listed(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:g}" for value in values)
