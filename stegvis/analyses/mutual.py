"""Analyses ``mutual`` and ``mutual_categories``: each exposure's categories, adjusted for the other exposure.

The other exposure is one linear term (published) or its categories (an addition).
"""

from __future__ import annotations

from stegvis.analyses.category_model import category_rows
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.results import ResultRow
from stegvis.statistics.terms import Linear, Term, category_term
from stegvis.study.protocol import EXPOSURES, Exposure


def mutual_rows(data: WaveData) -> list[ResultRow]:
    """``rr`` per category and ``p_joint`` of both exposures, with both adjustments for the other."""
    rows: list[ResultRow] = []
    if len(data.protocol.exposures.names) == 1:
        return rows
    for exposure in data.protocol.exposures.names:
        other = other_exposure(exposure)
        added: dict[str, Term] = {
            "mutual": Linear(other, data.protocol.exposures.scale(other).trend_unit),
            "mutual_categories": category_term(other, data.protocol),
        }
        for analysis, term in added.items():
            template = data.template(analysis, "adjusted", exposure)
            rows += category_rows(data.people, template, (*data.covariates("adjusted"), term), data.protocol)
    return rows


def other_exposure(exposure: Exposure) -> Exposure:
    """The other exposure."""
    (other,) = (each for each in EXPOSURES if each != exposure)
    return other
