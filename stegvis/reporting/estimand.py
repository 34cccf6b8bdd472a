"""Whom the estimates of a wave are about, in a sentence: the living in the country, where that is known."""

from __future__ import annotations

import pandas as pd

from stegvis.analyses.follow_up_states import STATES_ANALYSIS
from stegvis.reporting.blocks import Section, paragraph, section
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.texts import texts
from stegvis.reporting.words import Words


def estimand(results: pd.DataFrame, wave: str, words: Words) -> str:
    """Whom the estimates are about; empty without a wave.

    Args:
        results: of any waves, as published.
        wave: the wave.
        words: of the study, in the language of the sentence.
    """
    if not wave:
        return ""
    said = texts(words.language)["estimand"]
    key = "known" if is_known(results, wave) else "unknown"
    values = {"people": words.cohort.people, "outcome": words.outcome.name, "wave": wave}
    return said[key].format(**values, place=words.cohort.place or said["place"])


def is_known(results: pd.DataFrame, wave: str) -> bool:
    """Whether deaths and emigrations were known when the wave was published."""
    rows = (results["wave"].astype("string") == wave) & (results["analysis"].astype("string") == STATES_ANALYSIS)
    return bool(rows.fillna(False).any())


def whom(report: WaveReport) -> Section:
    """The sentence as the first section of a page."""
    said = estimand(report.own_results, report.wave, report.words)
    return section("whom", "Whom the estimates are about", paragraph(said), short="Whom")
