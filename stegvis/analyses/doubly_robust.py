"""Analyses ``doubly_robust`` and ``overlap_weighted``: standardized risks by estimators that rest on overlap.

Doubly robust risks are of the same people as the standardized ones, so their ratio (``ratio_of_rr``) is 1 but for
chance if the outcome model is right. Overlap-weighted ratios are of the people who could be in any category.
"""

from __future__ import annotations

from dataclasses import replace

from stegvis.analyses.category_design import CategoryDesign
from stegvis.analyses.level_risk_rows import level_risk_row
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.categories import REFERENCE
from stegvis.statistics.contract import Design, NotEstimable
from stegvis.statistics.doubly_robust import cross_fitted_risks, doubly_robust_risks, fold_numbers
from stegvis.statistics.level_risks import LevelRisks
from stegvis.statistics.overlap_weights import overlap_weighted_risks
from stegvis.statistics.propensity import Propensity
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.standardization import standardized_risks

DOUBLY_ROBUST, OVERLAP_WEIGHTED = "doubly_robust", "overlap_weighted"
MEASURES = {DOUBLY_ROBUST: ("risk", "rd", "rr", "ratio_of_rr"), OVERLAP_WEIGHTED: ("rd", "rr", "ratio_of_rr")}
AGAINST = "over the ratio of standardized_risk"

Risks = LevelRisks | NotEstimable


def estimate_rows(made: CategoryDesign, model: Propensity | NotEstimable, data: WaveData) -> list[ResultRow]:
    """Risks, differences and ratios of both estimators, and their ratios over the standardized ones."""
    design = made.design
    if isinstance(design, NotEstimable) or isinstance(model, NotEstimable):
        reason = model if isinstance(model, NotEstimable) else design
        assert isinstance(reason, NotEstimable)
        found: dict[str, Risks] = dict.fromkeys(MEASURES, reason)
        standardized: Risks = reason
    else:
        models = data.protocol.models
        found = {
            DOUBLY_ROBUST: _doubly_robust(design, made, model, data),
            OVERLAP_WEIGHTED: overlap_weighted_risks(design.y, made.occupied, model, models),
        }
        standardized = standardized_risks(design.X, design.y, made.levels, "logistic", models)
    rows = []
    for analysis, measures in MEASURES.items():
        for measure in measures:
            rows += _rows(made, analysis, measure, found[analysis], standardized, _remark(analysis, data))
    return rows


def _doubly_robust(design: Design, made: CategoryDesign, model: Propensity, data: WaveData) -> Risks:
    rules, models = data.protocol.overlap, data.protocol.models
    if rules.folds == 1:
        return doubly_robust_risks(design.X, design.y, made.levels, model, models)
    folds = fold_numbers(len(design.y), rules.folds, rules.seed)
    return cross_fitted_risks(design.X, design.y, made.levels, model, folds, models)


def _remark(analysis: str, data: WaveData) -> str:
    if analysis == OVERLAP_WEIGHTED:
        return "generalized overlap weights, their estimation allowed for"
    folds = data.protocol.overlap.folds
    how = "estimation of both allowed for" if folds == 1 else f"cross-fitted in {folds} folds"
    return f"logistic model of the outcome, multinomial model of the categories, {how}"


def _rows(
    made: CategoryDesign, analysis: str, measure: str, found: Risks, standardized: Risks, remark: str
) -> list[ResultRow]:
    rows = []
    for category, row in made.rows.items():
        against = AGAINST if measure == "ratio_of_rr" else ""
        row = replace(row, analysis=analysis, measure=measure, note=joined(row.note, remark, against))
        if isinstance(found, NotEstimable):
            rows.append(row.not_estimable(found.reason))
        elif category not in made.occupied:
            rows.append(row.not_estimable("nobody is in this category"))
        elif measure == "ratio_of_rr" and isinstance(standardized, NotEstimable):
            rows.append(row.not_estimable(standardized.reason))
        else:
            rows.append(_estimate(row, category, found, standardized))
    return rows


def _estimate(row: ResultRow, category: int, found: LevelRisks, standardized: Risks) -> ResultRow:
    if row.measure != "ratio_of_rr" or category == REFERENCE:
        return level_risk_row(row, category, found)
    assert isinstance(standardized, LevelRisks)
    return row.with_estimate(found.against(standardized, category, REFERENCE))
