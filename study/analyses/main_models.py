"""Analyses ``main`` and ``trend``: the categories with their joint test, and trends; both exposures, both models.

Belongs here: the headline models of a wave. Does not belong here: how they are fitted (``category_model``, ``trend``).
"""

from __future__ import annotations

from study.analyses import trend
from study.analyses.category_model import category_rows
from study.analyses.wave_data import WaveData
from study.protocol import EXPOSURES
from study.statistics.results import ResultRow
from study.statistics.terms import MODELS


def main_rows(data: WaveData) -> list[ResultRow]:
    """Analysis ``main``: ``rr`` per category and ``p_joint``."""
    return [
        row
        for exposure in EXPOSURES
        for model in MODELS
        for row in category_rows(
            data.people, data.template("main", model, exposure), data.covariates(model), data.protocol
        )
    ]


def trend_rows(data: WaveData) -> list[ResultRow]:
    """Analysis ``trend``: three linear terms, each in place of the categories."""
    return [
        row
        for exposure in EXPOSURES
        for model in MODELS
        for row in trend.trend_rows(
            data.people, data.template("trend", model, exposure), data.covariates(model), data.protocol
        )
    ]
