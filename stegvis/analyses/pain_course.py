"""Analyses ``incidence``, ``persistence`` and ``recurrence``: walking and the course of pain from wave to wave.

The outcome is always chronic low back pain at a wave; the populations at risk differ in their pain history. The
previous wave is the one delivered before, or baseline for the first; people who did not respond to it are excluded. A
person may
be at risk at several waves: the variance is clustered by person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from stegvis.analyses.category_model import category_rows
from stegvis.statistics.categories import Cuts, with_categories
from stegvis.statistics.levels import Levels
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.terms import MODELS, Categorical, covariate_terms
from stegvis.study.protocol import Exposure, Protocol

# Populations at risk, and the number of waves needed: with one wave, incidence is the main analysis.
COURSES: dict[str, tuple[str, Callable[[pd.DataFrame], pd.Series], int]] = {
    "incidence": ("free of pain at the wave before", lambda h: h["previous_low_back_pain"] == 0, 2),
    "persistence": ("pain at the wave before", lambda h: h["previous_low_back_pain"] == 1, 1),
    "recurrence": (
        "free of pain at the wave before, pain at the one before that",
        lambda h: (h["previous_low_back_pain"] == 0) & (h["earlier_low_back_pain"] == 1),
        2,
    ),
}


def course_rows(
    histories: pd.DataFrame, cuts: dict[Exposure, Cuts], note: str, protocol: Protocol, levels: Levels
) -> list[ResultRow]:
    """``rr`` per category and ``p_joint``, for both exposures and models, in each population at risk.

    Args:
        histories: rows of ``sql/pain_histories.sql``: one per person and wave with a response.
        cuts: the pooled analysis's cuts, so that a category means the same in all analyses.
        note: of every row.
        protocol: the study's protocol.
        levels: ordered levels of the categorical covariates, the reference first.
    """
    waves = tuple(sorted(histories["wave"].unique()))
    rows: list[ResultRow] = []
    for analysis, (population, at_risk, needed) in COURSES.items():
        if len(waves) < needed:
            continue
        chosen = histories[at_risk(histories).fillna(False).astype(bool)].dropna(subset=[*protocol.exposures.names])
        people = with_categories(chosen.reset_index(drop=True), cuts)
        present = tuple(wave for wave in waves if (people["wave"] == wave).any())
        wave_term = (Categorical("wave", present),) if len(present) > 1 else ()
        for exposure in protocol.exposures.names:
            for model in MODELS:
                template = ResultRow("all", analysis, population, model, exposure)
                template = replace(template, note=joined(note, f"waves: {', '.join(present) or 'none'}"))
                terms = (*covariate_terms(model, protocol, levels), *wave_term)
                rows += category_rows(people, template, terms, protocol, groups="person")
    return rows
