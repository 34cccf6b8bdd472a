"""Analysis ``fit_quality``: events per coefficient of the main models, and the share of fitted risks above 1.

``diagnostics`` compares them with the protocol's thresholds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from stegvis.analyses.category_model import LevelFit, remarks
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.terms import Model
from stegvis.study.protocol import Exposure

EVENTS_PER_COEFFICIENT = "events_per_coefficient"
SHARE_ABOVE_ONE = "share_above_one"
# The keys of a main model.
Block = tuple[Exposure, Model]


def fit_quality_rows(data: WaveData, fits: Mapping[Block, LevelFit]) -> list[ResultRow]:
    """``events_per_coefficient`` and ``share_above_one`` of each main model, from its fit."""
    rows = []
    for (exposure, model), made in fits.items():
        fit = made.fit
        row = replace(data.template("fit_quality", model, exposure), term=f"{exposure}_category")
        if isinstance(fit, NotEstimable):
            measures = (EVENTS_PER_COEFFICIENT, SHARE_ABOVE_ONE)
            rows += [replace(row, measure=measure).not_estimable(fit.reason) for measure in measures]
            continue
        row = row.counting(made.people, made.outcome)
        note = joined(row.note, *remarks(fit, made.dropped, data.protocol))
        per_coefficient = fit.events / (len(fit.coefficients) - 1)
        rows.append(replace(row, measure=EVENTS_PER_COEFFICIENT, estimate=per_coefficient))
        # A share of a few people would reveal their number.
        above = fit.share_above_one * fit.n
        few = 0 < above < data.protocol.disclosure.smallest_count
        share = data.protocol.disclosure.smallest_count / fit.n if few else fit.share_above_one
        note = joined(note, "at most this" if few else "")
        rows.append(replace(row, measure=SHARE_ABOVE_ONE, estimate=share, note=note))
    return rows
