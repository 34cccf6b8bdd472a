"""Every page of a full report in a folder, a browser and axe, for all browser tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from stegvis.release.checklists import items
from stegvis.reporting import render_index, render_wave
from stegvis.reporting.card import card_png, card_svg
from stegvis.reporting.documents import render_checklists, render_dictionary
from stegvis.reporting.explorer import render_explorer
from stegvis.reporting.file_names import CARD, CARD_PICTURE, CHECKLISTS, DICTIONARY, EXPLORER
from stegvis.reporting.plain import render_plain
from stegvis.reporting.plain_findings import findings
from tests.browser.pages import ARGUMENTS, CHROMIUM, PAGES
from tests.orchestration.conftest import built_home as built_home
from tests.stegvis.reporting.full_report import full_index_report, full_results, full_wave_report
from tests.stegvis.reporting.sample_report import WAVE, WORDS, exclusion_steps, suppress
from tests.study import STUDY


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    # As many claims as the study has, a third of them not supported.
    claims = [
        {**each, "claim": f"{each['claim']}_{number}"}
        for number in range(6)
        for each in (*full_wave_report().claims, full_wave_report().claims[0])
    ]
    report = full_wave_report(results=suppress(full_results(), "101-124"), claims=claims)
    pages = {
        **render_wave(report),
        "index.html": render_index(full_index_report()),
        **render_plain(
            full_results(), exclusion_steps(), synthetic=True, words=WORDS, claims=STUDY.claims, about=STUDY.about
        ),
        CHECKLISTS: render_checklists(items(), [WAVE], synthetic=True, words=WORDS, about=STUDY.about),
        DICTIONARY: render_dictionary(synthetic=True, words=WORDS, about=STUDY.about),
        EXPLORER: render_explorer(suppress(full_results(), "101-124"), synthetic=True, words=WORDS, about=STUDY.about),
    }
    assert set(pages) == set(PAGES)
    for name, html in pages.items():
        (folder / name).write_text(html, encoding="utf-8")
    card = card_svg(findings(full_results(), WORDS), STUDY.about, synthetic=True)
    (folder / CARD).write_text(card, encoding="utf-8")
    (folder / CARD_PICTURE).write_bytes(card_png(card))
    return folder


# Not for the whole session: another module starts a browser of its own.
@pytest.fixture(scope="module")
def browser() -> Iterator:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    named = os.environ.get("STEGVIS_AXE")
    if named:
        return Path(named).read_text(encoding="utf-8")
    package = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    return (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
