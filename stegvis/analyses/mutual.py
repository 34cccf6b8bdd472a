"""Analyses ``mutual`` and ``mutual_categories``: each exposure's categories, adjusted for the other exposure.

Belongs here: the fully adjusted model with the other exposure added, as one linear term (published) or as its
categories (an addition). Does not belong here: how they are fitted (``category_model``).
"""

from __future__ import annotations

from stegvis.analyses.category_model import category_rows
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.results import ResultRow
from stegvis.statistics.terms import Linear, Term, category_term
from stegvis.study.protocol import EXPOSURES, Exposure


def mutual_rows(data: WaveData) -> list[ResultRow]:
    """``rr`` per category and ``p_joint`` of both exposures, under both ways to adjust for the other."""
    rows: list[ResultRow] = []
    for exposure in EXPOSURES:
        other = other_exposure(exposure)
        added: dict[str, Term] = {
            "mutual": Linear(other, data.protocol.exposures.scale(other).trend_unit),
            "mutual_categories": category_term(other),
        }
        for analysis, term in added.items():
            template = data.template(analysis, "adjusted", exposure)
            rows += category_rows(data.people, template, (*data.covariates("adjusted"), term), data.protocol)
    return rows


def other_exposure(exposure: Exposure) -> Exposure:
    """The exposure that is not this one."""
    (other,) = (each for each in EXPOSURES if each != exposure)
    return other
