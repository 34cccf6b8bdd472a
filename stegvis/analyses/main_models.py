"""Analyses ``main``, ``fixed_cuts`` and ``trend``: the headline models of both exposures, and trends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from stegvis.analyses import trend
from stegvis.analyses.category_model import LevelFit, fit_levels, level_rows
from stegvis.analyses.fit_quality import Block, fit_quality_rows
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.categories import add_categories
from stegvis.statistics.results import ResultRow
from stegvis.statistics.terms import MODELS, category_term
from stegvis.study.protocol import Exposure


def main_and_quality_rows(data: WaveData) -> list[ResultRow]:
    """Analysis ``main``, and ``fit_quality`` of the same fits."""
    fits = _fits(data, data.protocol.exposures.names)
    return [*_category_rows(data, "main", fits), *fit_quality_rows(data, fits)]


def main_rows(data: WaveData) -> list[ResultRow]:
    """Analysis ``main``: ``rr`` per category and ``p_joint``."""
    return _category_rows(data, "main", _fits(data, data.protocol.exposures.names))


def other_cuts_rows(data: WaveData) -> list[ResultRow]:
    """The same with the other rule for the cuts: ``fixed_cuts``, or ``sample_cuts`` if the rule is fixed cuts.

    Fixed cuts have the same meaning in every wave; sample quantiles have the same size. An exposure without
    published bounds has no fixed cuts.
    """
    other = data.protocol.model_copy(update={"exposures": data.protocol.exposures.other_rule()})
    found = [
        e for e in other.exposures.names if not other.exposures.fixed or other.exposures.scale(e).published_lower_bounds
    ]
    recut = replace(data, people=add_categories(data.people, other, found), protocol=other)
    return _category_rows(recut, "fixed_cuts" if other.exposures.fixed else "sample_cuts", _fits(recut, found))


def _fits(data: WaveData, exposures: Sequence[Exposure]) -> dict[Block, LevelFit]:
    """The models of the categories, of some exposures."""
    return {
        (exposure, model): fit_levels(
            data.people, category_term(exposure, data.protocol), data.covariates(model), data.protocol
        )
        for exposure in exposures
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
        for exposure in data.protocol.exposures.names
        for model in MODELS
        for row in trend.trend_rows(
            data.people, data.template("trend", model, exposure), data.covariates(model), data.protocol
        )
    ]
