"""Every page with estimates says whom they are about, and that deaths are not known where they are not."""

from __future__ import annotations

import pandas as pd
import pytest

from stegvis.analyses.death_bounds import death_bound_rows
from stegvis.analyses.follow_up_states import follow_up_state_rows
from stegvis.analyses.wave_data import fit
from stegvis.reporting import render_index, render_wave
from stegvis.reporting.estimand import estimand, is_known
from stegvis.reporting.explorer import render_explorer
from stegvis.reporting.plain import render_plain
from tests.stegvis.conftest import lossy_wave_of, with_registry
from tests.stegvis.reporting.full_report import full_results, full_wave_report
from tests.stegvis.reporting.sample_report import exclusion_steps, index_report
from tests.stegvis.reporting.test_plain import text_of
from tests.study import STUDY

WAVE = "2021-2023"
ALIVE = "alive and living in Norway at the follow-up of 2021-2023"
NOT_KNOWN = "Deaths and emigration are not known"


def results_of(registry: bool) -> pd.DataFrame:
    if not registry:
        return full_results()
    made = fit((follow_up_state_rows, death_bound_rows), with_registry(lossy_wave_of()))
    return pd.concat([full_results(), made], ignore_index=True)


@pytest.mark.parametrize("registry", [True, False])
def test_every_page_with_estimates_says_whom_they_are_about(registry: bool) -> None:
    results = results_of(registry)
    words = full_wave_report().words
    pages = render_wave(full_wave_report(results=results)) | {"index": render_index(index_report(results=results))}
    pages["explorer"] = render_explorer(results, False, words, None)
    assert len(pages) == 5
    for name, html in pages.items():
        text = text_of(html)
        assert (ALIVE in text) == registry, name
        assert (NOT_KNOWN in text) != registry, name


@pytest.mark.parametrize("registry", [True, False])
def test_the_plain_pages_say_it_in_their_language(registry: bool) -> None:
    words = full_wave_report().words
    made = render_plain(results_of(registry), exclusion_steps(), False, words, STUDY.claims, None)
    english, norsk = (text_of(made[name]) for name in ("plain.html", "plain.nb.html"))
    assert (ALIVE in english, NOT_KNOWN in english) == (registry, not registry)
    assert ("levde og bodde i Norge" in norsk, "er ikke kjent" in norsk) == (registry, not registry)


def test_a_study_without_a_place_says_in_the_country() -> None:
    words = full_wave_report().words
    cohort = words.texts.en.cohort.model_copy(update={"place": ""})
    texts = words.texts.model_copy(update={"en": words.texts.en.model_copy(update={"cohort": cohort})})
    said = estimand(results_of(True), WAVE, type(words)(texts, words.protocol))
    assert "alive and living in the country at the follow-up" in said


def test_a_wave_published_before_the_registry_does_not_know() -> None:
    results = results_of(True)
    assert is_known(results, WAVE)
    assert not is_known(results, "2024-2026")
    assert estimand(results, "", full_wave_report().words) == ""


def test_the_page_of_further_analyses_has_states_incidence_and_bounds() -> None:
    details = render_wave(full_wave_report(results=results_of(True)))["wave-2021-2023-details.html"]
    text = text_of(details)
    for shown in ("Answered Silent Dead Emigrated", "Died within 4 years, % (95% CI)", "None All Lowest Highest"):
        assert shown in text
    without = text_of(render_wave(full_wave_report(results=results_of(False)))["wave-2021-2023-details.html"])
    assert "No registry of deaths and emigrations was delivered" in without
    assert "Lowest Highest" not in without
