"""The front page: the answer first, what changed, the foot with who runs the study, and hashes only on demand."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from stegvis.release.checklists import items
from stegvis.reporting import render_index, render_wave
from stegvis.reporting.about import study_foot
from stegvis.reporting.documents import render_checklists, render_dictionary
from stegvis.reporting.explorer import render_explorer
from stegvis.reporting.plain import render_plain
from tests.stegvis.release.test_affected import STAGES
from tests.stegvis.reporting.full_report import (
    full_index_report,
    full_results,
    full_wave_report,
    pooled_curve,
    pooled_results,
)
from tests.stegvis.reporting.sample_report import WAVE, WORDS, bridge, checks, exclusion_steps, index_report, provenance
from tests.stegvis.reporting.test_plain import text_of
from tests.study import STUDY


def test_the_answer_comes_before_everything_else_with_a_picture_and_its_date():
    html = render_index(full_index_report())
    first = html[html.index("<main") : html.index('<h2 id="curves"')]
    text = text_of(first)
    assert text.startswith(
        "The answer Chronic low back pain was less common some years later among people who walked 125"
    )
    assert first.count("<circle") == 200
    assert "How sure? The data fit best with a risk" in text
    assert f"11,194 adults followed to {WAVE}. Release of 2026-03-02" in text
    assert f"Next wave {STUDY.about.next_wave}" in text
    assert "checks" not in text


@pytest.mark.parametrize(
    ("wave", "previous", "said"),
    [
        (WAVE, "2025-004", "1 main result changed."),
        ("2024-2026", "2025-004", "Wave 2024-2026 added; no main result changed."),
        (None, "2025-004", "No main result changed."),
        (None, None, "This is the first release."),
    ],
)
def test_what_changed_since_the_last_release_is_one_sentence(wave, previous, said):
    change = "changed" if wave == WAVE else "new"
    changed = [{**each, "wave": wave, "change": change} for each in bridge()] if wave else []
    report = full_index_report(bridge=changed, provenance=provenance() | {"previous_release": previous})
    assert f"Since the last release {said}" in text_of(render_index(report))


def test_without_results_the_front_page_says_so():
    assert "The answer There were too few people" in text_of(
        render_index(full_index_report(results=full_results().assign(status="not_estimable", estimate=None)))
    )
    assert "The answer No wave has been analyzed yet." in text_of(
        render_index(index_report(waves=(), results=full_results().iloc[:0]))
    )


def test_hashes_and_failed_checks_are_there_for_those_who_look():
    html = render_index(full_index_report())
    open_parts = re.sub(r"<details>.*?</details>", "", html, flags=re.DOTALL)
    assert "9f2c9f2c" in html
    assert "9f2c9f2c" not in open_parts
    assert "day_is_whole" not in open_parts


def test_every_page_says_who_runs_the_study_and_only_what_is_named():
    about = STUDY.about
    pages = [
        *render_wave(full_wave_report()).values(),
        *render_plain(full_results(), exclusion_steps(), True, WORDS, STUDY.claims, about).values(),
        render_index(full_index_report()),
        render_explorer(full_results(), True, WORDS, about),
        render_dictionary(True, WORDS, about),
        render_checklists(items(), [WAVE], True, WORDS, about),
    ]
    for html in pages:
        assert STUDY.about.cite in text_of(html[html.index("<footer>") :])
    nameless = STUDY.about.model_copy(update={"licence": "", "link": "", "cite": ""})
    foot = text_of(study_foot(nameless, WORDS))
    assert "Run by" in foot
    assert not any(name in foot for name in ("Licence", "More", "How to cite"))
    assert study_foot(None, WORDS) == ""


def test_the_front_page_is_small_links_to_its_card_and_names_it_for_programs_that_show_links():
    html = render_index(full_index_report())
    assert len(html.encode()) < 200_000
    assert 'href="card.svg"' in html
    assert 'href="card.png"' in html
    assert '<meta property="og:image" content="card.png">' in html
    described = re.search(r'<meta property="og:description" content="([^"]+)">', html)
    assert described
    assert described[1].startswith("Chronic low back pain was less common")
    assert "(Synthetic data)" in re.search(r'<meta property="og:title" content="([^"]+)">', html)[1]


def test_all_waves_curves_are_in_one_picture_with_one_axis_and_a_name_at_each_line():
    later = "2024-2026"
    results = pd.concat([full_results(), full_results(later, 0.9), pooled_results()], ignore_index=True)
    html = render_index(full_index_report(waves=(WAVE, later), results=results))
    for exposure in ("walking_minutes", "walking_met"):
        svg = re.search(rf'<svg[^>]*aria-labelledby="waves-{exposure}-title.*?</figure>', html, re.DOTALL)[0]
        shown = [part for part in svg.split('<g class="series"')[1:] if 'display="none"' not in part.partition(">")[0]]
        assert len(shown) == 2
        assert [re.search(r">(20\d\d–20\d\d)</text>", part)[1] for part in shown] == ["2021–2023", "2024–2026"]
        assert 'data-domain="0.8 1.25"' in svg
    assert html.count("No pooled curve is published") == 1


def test_the_pooled_curve_is_drawn_with_the_waves_and_has_the_band():
    later = "2024-2026"
    results = pd.concat([full_results(), full_results(later, 0.9), pooled_results(), pooled_curve()], ignore_index=True)
    html = render_index(full_index_report(waves=(WAVE, later), results=results))
    svg = re.search(r'<svg[^>]*aria-labelledby="waves-walking_minutes-title.*?</figure>', html, re.DOTALL)[0]
    shown = [part for part in svg.split('<g class="series"')[1:] if 'display="none"' not in part.partition(">")[0]]
    names = [re.search(r'data-name="([^"]+)"', part)[1] for part in shown]
    bands = [re.search(r'<path class="band"[^>]*>', part)[0] for part in shown]
    assert names == ["2021–2023", "2024–2026", "Pooled"]
    assert ['display="none"' in band for band in bands] == [True, True, False]
    assert html.count("Pooled: all responses in one model") == 1
    assert "No pooled curve" not in html
    hidden = results.assign(status=results["status"].mask(results["analysis"] == "pooled_spline", "suppressed"))
    assert 'data-name="Pooled"' not in render_index(full_index_report(waves=(WAVE, later), results=hidden))
    lost = (results["wave"] == later) & results["analysis"].str.contains("spline")
    without = render_index(full_index_report(waves=(WAVE, later), results=results[~lost]))
    assert "No curve is available of 2024–2026." in without


def test_a_release_without_curves_has_no_section_of_them_and_no_script():
    results = full_results()
    html = render_index(full_index_report(results=results[~results["analysis"].str.contains("spline")]))
    assert 'id="curves"' not in html
    assert "<script" not in html


def test_each_failed_check_says_which_estimates_are_made_from_its_rows():
    later = "2024-2026"
    failed = {**checks()[0], "passed": False, "severity": "warning"}
    one = {**failed, "asset": "outcome_questionnaire", "partition": later}
    own = [{**failed, "asset": "cohort", "partition": ""}, one, {**failed, "asset": "wave_drift", "partition": ""}]
    own.append({**failed, "asset": "time_use_models", "partition": WAVE})
    html = render_index(full_index_report(waves=(WAVE, later), checks=own, stages=STAGES))
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", html[html.index('id="checks-table"') :], re.DOTALL)[:4]
    assert "all estimates" in rows[0]
    assert "2024–2026 and all waves together" in rows[1]
    assert "no estimate" in rows[2]
    assert "2021–2023 (time use models)" in rows[3]
    assert "Estimates made from it" in html
