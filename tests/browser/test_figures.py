"""Figures in a real browser: as wide as the text, read by pointer, keyboard, touch and without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from stegvis.reporting import render_index, render_wave, wave_file_name
from stegvis.reporting.file_names import details_file_name
from tests.browser.test_report_page import STANDARDS
from tests.stegvis.reporting.full_report import (
    full_index_report,
    full_results,
    full_wave_report,
    pooled_curve,
    pooled_results,
)
from tests.stegvis.reporting.sample_report import WAVE

pytestmark = pytest.mark.browser

LATER = "2024-2026"
INDEX, MAIN, DETAILS = "index.html", wave_file_name(WAVE), details_file_name(WAVE)
# Text of a page is at most this wide, px.
TEXT = 704


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("figures")
    results = pd.concat([full_results(), full_results(LATER, 0.9), pooled_results(), pooled_curve()], ignore_index=True)
    index = full_index_report(waves=(WAVE, LATER), results=results)
    for name, html in {INDEX: render_index(index), **render_wave(full_wave_report())}.items():
        (folder / name).write_text(html, encoding="utf-8")
    return folder


@pytest.fixture
def page(browser, folder) -> Iterator:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((folder / INDEX).as_uri())
    yield page
    page.close()


def value_of(text: str) -> float:
    return float(re.match(r"[\d.]+", text)[0])


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
@pytest.mark.parametrize("name", [INDEX, MAIN, DETAILS])
def test_figures_are_as_wide_as_the_text_and_their_labels_do_not_collide(browser, folder, name, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto((folder / name).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    found = page.evaluate(
        """() => [...document.querySelectorAll("figure.drawing svg.plot")].map(svg => {
            const figure = svg.closest("figure").getBoundingClientRect();
            const texts = [...svg.querySelectorAll("text")].filter(text => text.getClientRects().length);
            const boxes = texts.map(text => text.getBoundingClientRect());
            const collide = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5
                && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;
            const hits = boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b => collide(a, b)).length
                ? [texts[i].textContent] : []);
            const own = svg.getBoundingClientRect();
            const beside = svg.style.getPropertyValue("--beside");
            const covered = own.width + (beside && innerWidth <= 640 ? parseFloat(beside)
                : Number(svg.dataset.left) + Number(svg.dataset.right));
            return { figure: figure.width, covered, hits, right: Math.max(...boxes.map(b => b.right)) - figure.right,
                     left: figure.left - Math.min(...boxes.map(b => b.left)), area: own.width };
        })"""
    )
    page_width = page.evaluate("document.querySelector('main').clientWidth")
    assert len(found) >= 4
    for each in found:
        assert each["covered"] == pytest.approx(each["figure"], abs=1)
        assert each["hits"] == []
        assert each["right"] <= 1
        assert each["left"] <= 1
        assert each["area"] >= 60
        if width >= 768:  # two figures in a row have nearly half of the page each
            assert round(each["figure"]) == TEXT or each["figure"] > 0.46 * page_width > 400
    page.close()


def test_the_value_on_a_curve_is_read_under_the_pointer(page):
    curve, reading = page.locator("svg.plot[data-range]").first, page.locator(".reading").first
    curve.scroll_into_view_if_needed()
    assert "Point at the curve" in reading.text_content()
    box = curve.bounding_box()
    seen = []
    for where in (0.1, 0.55, 0.9):
        page.mouse.move(box["x"] + where * box["width"], box["y"] + 150)
        seen.append(reading.text_content())
    assert [value_of(each) for each in seen] == sorted({value_of(each) for each in seen})
    # The fixture's points, as they are printed: 40, 62, ... 180 on an axis from 40 to 180.
    assert seen[1].startswith("120 min/day: risk ratio 2021–2023: 0.91 (95% CI 0.83 to 0.99); 2024–2026: 0.91")
    assert page.locator("svg.plot .cursor").count() == 1


def test_a_curve_is_read_by_keyboard_and_says_its_value_to_a_screen_reader(page):
    slider = page.get_by_label("Walking volume, min/day: read the curve")
    slider.focus()
    first = slider.get_attribute("aria-valuetext")
    page.keyboard.press("ArrowRight")
    after = slider.get_attribute("aria-valuetext")
    assert value_of(after) > value_of(first)
    assert after == page.locator(".reading").first.text_content()
    page.keyboard.press("Home")
    assert slider.get_attribute("aria-valuetext").startswith("40 min/day")
    page.keyboard.press("ArrowRight")
    assert "2021–2023: 1, the reference" in slider.get_attribute("aria-valuetext")


def test_a_curve_is_read_by_touch(browser, folder):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.goto((folder / INDEX).as_uri())
    curve = page.locator("svg.plot[data-range]").first
    curve.scroll_into_view_if_needed()
    box = curve.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] - 2, box["y"] + 120)
    assert page.locator(".reading").first.text_content().startswith("180 min/day: risk ratio")
    context.close()


def test_a_reader_chooses_wave_and_model(page):
    waves = page.get_by_label("Wave", exact=True).first
    series = page.locator("svg.plot[data-range]").first.locator(".series:visible")
    bands = page.locator("svg.plot[data-range]").first.locator(".band:visible")
    assert (series.count(), bands.count()) == (3, 1)
    waves.select_option("2024–2026")
    assert (series.count(), bands.count()) == (1, 1)
    page.get_by_label("Adjusted", exact=True).first.select_option("Also for walking intensity")
    assert series.first.get_attribute("data-model") == "Also for walking intensity"
    # There is no pooled curve of that model: a choice that leaves nothing is taken back.
    waves.select_option("Pooled")
    assert waves.input_value() == ""
    assert series.count() == 2
    slider = page.get_by_label("Walking volume, min/day: read the curve")
    slider.focus()
    assert "2021–2023" in slider.get_attribute("aria-valuetext")


def test_without_scripts_the_page_shows_its_curves_and_nothing_that_does_not_work(browser, folder):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((folder / INDEX).as_uri())
    assert page.locator("svg.plot[data-range] .series:visible").count() == 6
    assert page.locator("input, select, .reading").count() == 0
    assert page.locator("#waves-walking_minutes-table tbody tr").count() >= 5
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing_in_figures_that_are_being_read(browser, axe, folder, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    messages = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    for name in (INDEX, MAIN):
        page.goto((folder / name).as_uri())
        page.get_by_label("Walking volume, min/day: read the curve").first.focus()
        page.keyboard.press("ArrowRight")
        page.evaluate(axe)
        found = page.evaluate("tags => axe.run({runOnly: tags})", STANDARDS)
        assert [(each["id"], each["nodes"][0]["html"][:120]) for each in found["violations"]] == []
    assert messages == []
    context.close()


def test_what_only_a_script_adds_is_not_printed(page):
    slider = page.locator("input[type=range]").first
    assert slider.is_visible()
    page.emulate_media(media="print")
    assert not slider.is_visible()
    assert page.locator("svg.plot[data-range] .series:visible").count() == 6
