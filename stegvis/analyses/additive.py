"""Analysis ``additive_interaction``: interaction of low volume and low intensity on the additive scale.

Both exposures are harm-coded: walking little, or slowly, is the harm; the reference has neither. This analysis is an
addition to the published ones. The measures are in ``statistics.additive_interaction``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from stegvis.analyses.category_model import remarks
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.additive_interaction import AdditiveInteraction, additive_interaction
from stegvis.statistics.contract import OUTCOME, NotEstimable, complete_rows
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.risk_ratio import Fit, fit_risk_ratio
from stegvis.statistics.terms import MODELS, Categorical, product_coefficient

LOW_VOLUME = Categorical("low_walking_minutes", (0, 1), required=True)
LOW_INTENSITY = Categorical("low_walking_met", (0, 1), required=True)
TERM = "low_walking_minutes x low_walking_met"
NEITHER = "neither low"
CELLS = {(0, 0): NEITHER, (1, 0): "low volume", (0, 1): "low intensity", (1, 1): "both low"}
NAMES = (
    LOW_VOLUME.coefficient(1),
    LOW_INTENSITY.coefficient(1),
    product_coefficient(LOW_VOLUME, 1, LOW_INTENSITY, 1),
)
MEASURES = ("reri", "reri_mover", "ap", "synergy_index")


def additive_rows(data: WaveData) -> list[ResultRow]:
    """``rr`` of the four cells, ``ratio_of_rr`` of the product, ``reri`` (two intervals), ``ap``, ``synergy_index``."""
    exposures = data.protocol.exposures.names
    if len(exposures) == 1:
        return []
    lowest = data.protocol.additive_interaction.low_categories
    low = {f"low_{exposure}": (data.people[f"{exposure}_category"] <= lowest).astype("Int64") for exposure in exposures}
    people = data.people.assign(**low)
    rows: list[ResultRow] = []
    for model in MODELS:
        terms = [LOW_VOLUME, LOW_INTENSITY, *data.covariates(model)]
        frame, dropped = complete_rows(people, [*(term.column for term in terms), OUTCOME])
        fit = fit_risk_ratio(frame, terms, data.protocol.models, products=[(LOW_VOLUME, LOW_INTENSITY)])
        template = replace(
            data.template("additive_interaction", model, "walking_minutes"),
            term=TERM,
            reference=NEITHER,
        ).counting(frame, OUTCOME)
        template = replace(template, note=joined(template.note, *remarks(fit, dropped, data.protocol)))
        found = _measured(fit)
        rows += _cell_rows(frame, template, fit)
        rows += _measure_rows(template, fit, found, data.protocol.additive_interaction.uninformative_ratio)
    return rows


def _measured(fit: Fit | NotEstimable) -> AdditiveInteraction | NotEstimable:
    if isinstance(fit, NotEstimable):
        return fit
    names = list(NAMES)
    return additive_interaction(
        fit.coefficients.loc[names].to_numpy(), fit.covariance.loc[names, names].to_numpy(), fit.confidence
    )


def _cell_rows(frame: pd.DataFrame, template: ResultRow, fit: Fit | NotEstimable) -> Iterator[ResultRow]:
    for (volume, intensity), label in CELLS.items():
        people = frame[(frame[LOW_VOLUME.column] == volume) & (frame[LOW_INTENSITY.column] == intensity)]
        row = replace(template, level=label).counting(people, OUTCOME)
        if isinstance(fit, NotEstimable):
            yield row.not_estimable(fit.reason)
        elif label == NEITHER:
            yield replace(row, estimate=1.0)
        else:
            weights = dict(zip(NAMES, (volume, intensity, volume * intensity), strict=True))
            yield row.with_ratio(fit.combined_ratio(weights))


def _measure_rows(
    template: ResultRow, fit: Fit | NotEstimable, found: AdditiveInteraction | NotEstimable, uninformative: float
) -> Iterator[ResultRow]:
    product = replace(template, measure="ratio_of_rr")
    if isinstance(fit, NotEstimable):
        yield product.not_estimable(fit.reason)
    else:
        yield product.with_estimate(fit.ratio(NAMES[2]))
    if isinstance(found, NotEstimable):
        yield from (replace(template, measure=measure).not_estimable(found.reason) for measure in MEASURES)
        return
    yield replace(template, measure="reri").with_estimate(found.reri)
    low, high = found.reri_mover
    mover = replace(template, measure="reri_mover", estimate=found.reri.estimate, ci_low=low, ci_high=high)
    yield replace(mover, note=joined(mover.note, "interval by MOVER"))
    yield replace(template, measure="ap").with_estimate(found.ap)
    synergy = replace(template, measure="synergy_index")
    if isinstance(found.synergy, NotEstimable):
        yield synergy.not_estimable(found.synergy.reason)
    else:
        wide = found.synergy.ci_high / found.synergy.ci_low > uninformative
        yield replace(
            synergy.with_estimate(found.synergy),
            note=joined(synergy.note, "interval too wide to inform" if wide else ""),
        )
