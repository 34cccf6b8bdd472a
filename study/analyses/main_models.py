"""Analyses ``main``, ``fixed_cuts`` and ``trend``: the categories with their joint test, and trends; both exposures.

Belongs here: the headline models of a wave. Does not belong here: how they are fitted (``category_model``, ``trend``).
"""

from __future__ import annotations

from dataclasses import replace

from study.analyses import trend
from study.analyses.category_model import category_rows
from study.analyses.wave_data import WaveData
from study.protocol import EXPOSURES
from study.statistics.categories import add_categories
from study.statistics.results import ResultRow
from study.statistics.terms import MODELS


def main_rows(data: WaveData) -> list[ResultRow]:
    """Analysis ``main``: ``rr`` per category and ``p_joint``."""
    return _category_rows(data, "main")


def other_cuts_rows(data: WaveData) -> list[ResultRow]:
    """The same with the other rule for the cuts: ``fixed_cuts`` beside sample quartiles, ``sample_cuts`` beside fixed.

    Fixed cuts keep their meaning from wave to wave; sample quartiles keep their size.
    """
    fixed = data.protocol.exposures.categories == "sample_quartiles"
    exposures = data.protocol.exposures.model_copy(
        update={"categories": "fixed_published" if fixed else "sample_quartiles"}
    )
    other = data.protocol.model_copy(update={"exposures": exposures})
    recut = replace(data, people=add_categories(data.people, other), protocol=other)
    return _category_rows(recut, "fixed_cuts" if fixed else "sample_cuts")


def _category_rows(data: WaveData, analysis: str) -> list[ResultRow]:
    return [
        row
        for exposure in EXPOSURES
        for model in MODELS
        for row in category_rows(
            data.people, data.template(analysis, model, exposure), data.covariates(model), data.protocol
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
