"""Analyses ``main``, ``fixed_cuts`` and ``trend``: the headline models of both exposures, and trends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from stegvis.analyses import trend
from stegvis.analyses.category_model import LevelFit, fit_levels, level_rows
from stegvis.analyses.fit_quality import Block, fit_quality_rows
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.categories import add_categories
from stegvis.statistics.results import ResultRow
from stegvis.statistics.terms import MODELS, category_term
from stegvis.study.protocol import EXPOSURES


def main_and_quality_rows(data: WaveData) -> list[ResultRow]:
    """Analysis ``main``, and ``fit_quality`` of the same fits."""
    fits = _fits(data)
    return [*_category_rows(data, "main", fits), *fit_quality_rows(data, fits)]


def main_rows(data: WaveData) -> list[ResultRow]:
    """Analysis ``main``: ``rr`` per category and ``p_joint``."""
    return _category_rows(data, "main", _fits(data))


def other_cuts_rows(data: WaveData) -> list[ResultRow]:
    """The same with the other rule for the cuts: ``fixed_cuts``, or ``sample_cuts`` if the rule is fixed cuts.

    Fixed cuts have the same meaning in every wave; sample quartiles have the same size.
    """
    fixed = data.protocol.exposures.categories == "sample_quartiles"
    exposures = data.protocol.exposures.model_copy(
        update={"categories": "fixed_published" if fixed else "sample_quartiles"}
    )
    other = data.protocol.model_copy(update={"exposures": exposures})
    recut = replace(data, people=add_categories(data.people, other), protocol=other)
    return _category_rows(recut, "fixed_cuts" if fixed else "sample_cuts", _fits(recut))


def _fits(data: WaveData) -> dict[Block, LevelFit]:
    """The models of the categories, of both exposures."""
    return {
        (exposure, model): fit_levels(data.people, category_term(exposure), data.covariates(model), data.protocol)
        for exposure in EXPOSURES
        for model in MODELS
    }


def _category_rows(data: WaveData, analysis: str, fits: Mapping[Block, LevelFit]) -> list[ResultRow]:
    return [
        row
        for (exposure, model), made in fits.items()
        for row in level_rows(made, data.template(analysis, model, exposure), data.labels(exposure), data.protocol)
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
