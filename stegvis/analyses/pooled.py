"""Repeated-outcome models: all waves stacked, with each person as one cluster.

People respond in several waves, so the estimates of separate waves are not independent and cannot be combined. The
variance is clustered by person (Liang and Zeger 1986, doi 10.1093/biomet/73.1.13), without small-sample correction.
"""

from __future__ import annotations

import pandas as pd

from stegvis.analyses.category_model import category_rows
from stegvis.analyses.spline import curve_rows
from stegvis.statistics.categories import Cuts, cuts, with_categories
from stegvis.statistics.levels import Levels
from stegvis.statistics.results import ResultRow, joined, options_note, to_frame
from stegvis.statistics.terms import MODELS, Categorical, Term, covariate_terms
from stegvis.study.protocol import Exposure, Protocol

NOTE = "n counts answers, a person may answer in several waves; variance clustered by person"
CUT_NOTE = "categories cut once, on each person's first answer"


def fit_pooled(stacked: pd.DataFrame, protocol: Protocol, levels: Levels) -> pd.DataFrame:
    """The rows of ``pooled_rows`` as results."""
    return to_frame(pooled_rows(stacked, protocol, levels))


def pooled_rows(stacked: pd.DataFrame, protocol: Protocol, levels: Levels) -> list[ResultRow]:
    """Fit the category models to all waves together, with wave as a covariate if there is more than one.

    Args:
        stacked: the analysis sets of all waves, one row per person and wave. Existing categories are replaced.
        protocol: the study's protocol.
        levels: ordered levels of the categorical covariates, the reference first.

    Returns:
        Rows of analysis ``pooled``, wave ``all``, population ``all``.

    Raises:
        ValueError: the frame is empty, has a person twice in a wave, or breaks the contract.
    """
    frame = stack(stacked, protocol)
    waves = tuple(frame["wave"].unique())
    wave_term: tuple[Term, ...] = (Categorical("wave", waves),) if len(waves) > 1 else ()
    rows: list[ResultRow] = []
    for exposure in protocol.exposures.names:
        for model in MODELS:
            covariates = (*covariate_terms(model, protocol, levels), *wave_term)
            template = ResultRow("all", "pooled", "all", model, exposure, note=pooled_note(protocol))
            rows += category_rows(frame, template, covariates, protocol, groups="person")
    return rows


def pooled_curves(frame: pd.DataFrame, protocol: Protocol, levels: Levels) -> list[ResultRow]:
    """The dose-response curves of all waves together, fully adjusted, with the knots and reference of the protocol.

    The curves of separate waves share people, so they are not averaged: one model has all responses, with the wave as
    a covariate and the variance clustered by person.

    Args:
        frame: by ``stack``.
        protocol: the study's protocol.
        levels: ordered levels of the categorical covariates, the reference first.

    Returns:
        Rows of analysis ``pooled_spline``, wave ``all``, population ``all``; none of a single wave.
    """
    waves = tuple(frame["wave"].unique())
    if len(waves) < 2:
        return []
    covariates = (*covariate_terms("adjusted", protocol, levels), Categorical("wave", waves))
    note = joined(options_note(protocol, variance="clustered"), NOTE)
    rows: list[ResultRow] = []
    for exposure in protocol.exposures.names:
        template = ResultRow("all", "pooled_spline", "all", "adjusted", exposure, note=note)
        rows += curve_rows(frame, template, (exposure,), covariates, protocol, "fixed", groups="person")
    return rows


def stack(stacked: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """The waves' analysis sets in a fixed order, with categories cut once.

    Raises:
        ValueError: the frame is empty, or has a person twice in a wave.
    """
    if stacked.empty:
        raise ValueError("there is no wave to pool")
    if stacked.duplicated(["person", "wave"]).any():
        raise ValueError("a person is twice in a wave")
    frame = stacked.sort_values(["wave", "person"], kind="stable", ignore_index=True)
    return with_categories(frame, first_response_cuts(frame, protocol))


def pooled_note(protocol: Protocol) -> str:
    """The options of every estimate across waves."""
    cut_note = "" if protocol.exposures.fixed else CUT_NOTE
    return joined(options_note(protocol, variance="clustered"), cut_note, NOTE)


def first_response_cuts(frame: pd.DataFrame, protocol: Protocol) -> dict[Exposure, Cuts]:
    """Cuts of people, not responses: each person counts once, by the first row in the frame's order."""
    people = frame.drop_duplicates("person")
    return {exposure: cuts(people[exposure].dropna(), exposure, protocol) for exposure in protocol.exposures.names}
