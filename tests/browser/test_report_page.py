"""The report pages in a real browser: nothing overflows a phone, nothing is logged, the banner is in view."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from study.reporting import render_index, render_wave, wave_file_name
from tests.study.reporting.sample_report import WAVE, index_report, results, suppress, wave_report

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGES = (wave_file_name(WAVE), "index.html")
WIDTHS = (320, 390, 1200)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    report = wave_report(results=suppress(results(), "101-124"))
    (folder / PAGES[0]).write_text(render_wave(report), encoding="utf-8")
    (folder / PAGES[1]).write_text(render_index(index_report(waves=(report,))), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_the_page_fits_logs_nothing_and_shows_its_banner(browser, folder, name, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((folder / name).as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    banner = page.locator(".banner").bounding_box()
    assert banner is not None
    assert banner["y"] < 200
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    page.close()


def test_the_pages_link_to_each_other_and_the_keyboard_skips_to_the_content(browser, folder):
    page = browser.new_page()
    page.goto((folder / "index.html").as_uri())
    page.get_by_role("link", name=WAVE).click()
    assert page.url.endswith(PAGES[0])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.locator(".skip").bounding_box()["y"] >= 0
    page.get_by_role("link", name="All waves").click()
    assert page.url.endswith("index.html")
    page.close()


def test_figures_follow_the_dark_setting(browser, folder):
    colors = []
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto((folder / PAGES[0]).as_uri())
        colors.append(page.locator("svg.figure text").first.evaluate("element => getComputedStyle(element).fill"))
        page.close()
    assert colors[0] != colors[1]


def test_text_in_figures_stays_inside_and_readable_on_a_phone(browser, folder):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto((folder / PAGES[0]).as_uri())
    spilled = page.evaluate(
        """() => [...document.querySelectorAll("svg.figure")].flatMap(svg => {
            const box = svg.getBoundingClientRect();
            return [...svg.querySelectorAll("text")].filter(text => {
                const own = text.getBoundingClientRect();
                return own.left < box.left - 1 || own.right > box.right + 1;
            }).map(text => text.textContent);
        })"""
    )
    sizes = page.evaluate(
        """() => [...document.querySelectorAll("svg.figure text")].map(text =>
            parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a)"""
    )
    assert spilled == []
    assert min(sizes) >= 10
    page.close()
