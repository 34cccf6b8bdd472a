"""The main models of one wave: categories, their joint test, and trends; both exposures, both models.

Belongs here: the list of what is fitted for a wave. Does not belong here: how (``category_model``, ``trend``).
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from study.protocol import EXPOSURES, Protocol
from study.statistics.category_model import category_rows
from study.statistics.levels import Levels
from study.statistics.results import ResultRow, options_note, to_frame
from study.statistics.terms import MODELS, covariate_terms
from study.statistics.trend import trend_rows


def fit_wave(analysis_set: pd.DataFrame, protocol: Protocol, levels: Levels) -> pd.DataFrame:
    """Fit the main models of one wave.

    Args:
        analysis_set: one row per analyzed person of one wave, complete, with the categories of ``add_categories``.
        protocol: the protocol in force.
        levels: ordered levels of the categorical covariates, the reference first.

    Returns:
        Results: analyses ``main`` (rr per category, and p_joint) and ``trend``, population ``all``.

    Raises:
        ValueError: the frame is empty, holds several waves or a person twice, or breaks the contract.
    """
    waves = analysis_set["wave"].unique()
    if len(waves) != 1:
        raise ValueError(f"one wave is needed, not {len(waves)}")
    if analysis_set["person"].duplicated().any():
        raise ValueError("a person stands twice in the analysis set")
    # A fixed order of rows makes the last digits the same on every run.
    frame = analysis_set.sort_values("person", kind="stable")
    rows: list[ResultRow] = []
    for exposure in EXPOSURES:
        for model in MODELS:
            covariates = covariate_terms(model, protocol, levels)
            template = ResultRow(str(waves[0]), "main", "all", model, exposure, note=options_note(protocol))
            rows += category_rows(frame, template, covariates, protocol)
            rows += trend_rows(frame, replace(template, analysis="trend"), covariates, protocol)
    return to_frame(rows)
