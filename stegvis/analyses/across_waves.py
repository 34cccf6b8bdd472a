"""All estimates across waves: the table ``pooled_models``."""

from __future__ import annotations

import pandas as pd

from stegvis.analyses.pain_course import course_rows
from stegvis.analyses.pooled import first_response_cuts, pooled_curves, pooled_note, pooled_rows, stack
from stegvis.analyses.projection import projection_rows
from stegvis.analyses.wave_interaction import wave_rows
from stegvis.statistics.levels import Levels
from stegvis.statistics.results import ResultRow, to_frame
from stegvis.statistics.terms import MODELS, covariate_terms
from stegvis.study.protocol import Protocol


def fit_across_waves(
    stacked: pd.DataFrame, histories: pd.DataFrame, protocol: Protocol, levels: Levels
) -> pd.DataFrame:
    """The rows of ``rows_across_waves`` as results."""
    return to_frame(rows_across_waves(stacked, histories, protocol, levels))


def rows_across_waves(
    stacked: pd.DataFrame, histories: pd.DataFrame, protocol: Protocol, levels: Levels
) -> list[ResultRow]:
    """Fit all analyses across waves.

    Args:
        stacked: the analysis sets of all waves, one row per person and wave.
        histories: rows of ``sql/pain_histories.sql``: all respondents with an exposure, with or without earlier pain.
        protocol: the study's protocol.
        levels: ordered levels of the categorical covariates, the reference first.

    Returns:
        Rows of wave ``all``; analyses ``pooled``, ``wave_interaction``, ``incidence``, ``persistence``,
        ``recurrence``, ``projection``, ``pooled_spline``. An analysis that needs more waves has no rows.

    Raises:
        ValueError: there is no wave, a person is twice in one, or a frame breaks the contract.
    """
    frame = stack(stacked, protocol)
    note = pooled_note(protocol)
    pooled = pooled_rows(stacked, protocol, levels)
    rows = list(pooled)
    for exposure in protocol.exposures.names:
        for model in MODELS:
            template = ResultRow("all", "wave_interaction", "all", model, exposure, note=note)
            rows += wave_rows(frame, template, covariate_terms(model, protocol, levels), protocol)
    rows += course_rows(histories, first_response_cuts(frame, protocol), note, protocol, levels)
    rows += projection_rows(pooled, frame, protocol)
    rows += pooled_curves(frame, protocol, levels)
    return rows
