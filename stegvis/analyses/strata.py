"""Analyses ``stratified``, ``within_intensity`` and ``within_volume``: the categories in subgroups.

Whether subgroups differ is tested in ``interaction``: significance in only one of two subgroups does not show a
difference. The cuts are those of the whole sample, as published.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from stegvis.analyses.category_model import category_rows
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.results import ResultRow
from stegvis.statistics.terms import MODELS
from stegvis.study.protocol import Exposure


def stratified_rows(data: WaveData) -> list[ResultRow]:
    """Analysis ``stratified``: older and younger people (age stays a covariate), women and men (sex does not)."""
    age, people = data.protocol.covariates.older_from_age, data.people
    older = people["older"].astype("boolean").fillna(False).astype(bool)
    strata: list[tuple[str, pd.Series, tuple[str, ...]]] = [
        (f"age<{age}", ~older, ()),
        (f"age>={age}", older, ()),
        ("women", people["sex"] == "female", ("sex",)),
        ("men", people["sex"] == "male", ("sex",)),
    ]
    return [
        row
        for population, members, dropped in strata
        for exposure in data.protocol.exposures.names
        for row in _rows(data, "stratified", population, people[members], exposure, dropped)
    ]


def within_intensity_rows(data: WaveData) -> list[ResultRow]:
    """Analysis ``within_intensity``: the categories of volume inside each category of intensity."""
    if len(data.protocol.exposures.names) == 1:
        return []
    return [
        row
        for population, members in _parts(data, "walking_met")
        for row in _rows(data, "within_intensity", population, members, "walking_minutes")
    ]


def within_volume_rows(data: WaveData) -> list[ResultRow]:
    """Analysis ``within_volume``: the categories of intensity inside each category of volume, and below the highest.

    An addition, used to evaluate the published statement on intensity below the highest volume.
    """
    if len(data.protocol.exposures.names) == 1:
        return []
    last, highest = list(data.labels("walking_minutes").items())[-1]
    below = data.people[data.people["walking_minutes_category"] < last]
    # The label of the highest category reads ">=125".
    name = (
        f"walking_minutes {highest.replace('>=', '<')}" if highest.startswith(">=") else "walking_minutes not highest"
    )
    parts = dict(_parts(data, "walking_minutes"))
    # If all cuts coincide, the lowest category is everyone below the highest: the same name, the same people.
    parts.setdefault(name, below)
    return [
        row
        for population, members in parts.items()
        for row in _rows(data, "within_volume", population, members, "walking_met")
    ]


def _parts(data: WaveData, exposure: Exposure) -> Iterator[tuple[str, pd.DataFrame]]:
    """A name and the people of each category of an exposure."""
    for category, label in data.labels(exposure).items():
        yield f"{exposure} {label}", data.people[data.people[f"{exposure}_category"] == category]


def _rows(
    data: WaveData,
    analysis: str,
    population: str,
    members: pd.DataFrame,
    exposure: Exposure,
    dropped: Sequence[str] = (),
) -> Iterator[ResultRow]:
    for model in MODELS:
        covariates = [term for term in data.covariates(model) if term.column not in dropped]
        template = data.template(analysis, model, exposure, population)
        yield from category_rows(members, template, covariates, data.protocol, labels=data.labels(exposure))
