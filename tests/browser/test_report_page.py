"""The pages of the report in a real browser: layout on a phone, console, requests, links and accessibility (axe).

axe-core is read from the package axe-playwright-python, or from the file that STEGVIS_AXE names.
"""

from __future__ import annotations

from itertools import product

import pandas as pd
import pytest

from stegvis.reporting.file_names import CHECKLISTS, DICTIONARY, EXPLORER
from tests.browser.pages import MAIN, PAGES
from tests.sizes import FULL
from tests.stegvis.reporting.full_report import full_results
from tests.stegvis.reporting.sample_report import WAVE, suppress

WIDTHS = (320, 390, 768, 1440)
# What axe looks at: each width and each scheme; all pairs of them in the full size.
SHOWN = list(product((390, 1440), ("light", "dark"))) if FULL else [(390, "light"), (1440, "dark")]
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_the_page_fits_the_screen_logs_nothing_and_shows_its_banner(browser, folder, name, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    messages, requests = [], []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto((folder / name).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    banner = page.locator(".banner").bounding_box()
    assert banner is not None
    assert banner["y"] < 200
    assert messages == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    page.close()


@pytest.mark.parametrize(("width", "scheme"), SHOWN)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_violation(browser, folder, axe, name, width, scheme):
    # The test injects axe; the page itself allows no scripts.
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto((folder / name).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.evaluate(axe)
    found = page.evaluate("tags => axe.run({runOnly: tags})", STANDARDS)
    violations = [(each["id"], each["nodes"][0]["html"][:120], len(each["nodes"])) for each in found["violations"]]
    assert len(found["passes"]) > 10
    assert violations == []
    context.close()


def test_the_pages_link_to_each_other_and_the_keyboard_skips_to_the_content(browser, folder):
    page = browser.new_page()
    page.goto((folder / "index.html").as_uri())
    page.get_by_role("link", name=WAVE, exact=True).click()
    assert page.url.endswith(MAIN)
    page.wait_for_load_state()  # until then a key is not the page's
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.locator(".skip").bounding_box()["y"] >= 0
    for name in ("Further analyses", "Quality and methods", "In plain language", "På norsk", "In English"):
        page.get_by_role("link", name=name, exact=True).first.click()
    assert page.url.endswith("plain.html")
    page.get_by_role("link", name="All results, for researchers").click()
    assert page.url.endswith("index.html")
    page.close()


def test_every_link_of_every_page_has_a_target(browser, folder):
    page = browser.new_page()
    for name in PAGES:
        page.goto((folder / name).as_uri())
        # In the explorer they lead to a selection of rows, or to these as a file.
        for target in page.evaluate(
            "[...document.links].filter(link => !link.closest('#explorer')).map(link => link.getAttribute('href'))"
        ):
            file, _, anchor = target.partition("#")
            if file.startswith(("../", "https://")):  # other files of the release, and where the study is described
                continue
            if file.endswith(".png"):
                assert (folder / file).is_file()
                continue
            text = (folder / (file or name)).read_text(encoding="utf-8")
            assert not anchor or f'id="{anchor}"' in text, f"{name}: {target}"
    page.close()


def test_a_published_item_is_two_links_from_the_top_of_the_page(browser, folder):
    """From the page of the wave: the table of counterparts, then the counterpart itself, in view."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((folder / MAIN).as_uri())
    items = page.locator("ul.places a").count()
    assert items >= 12
    for number in range(items):
        page.goto((folder / MAIN).as_uri())
        page.get_by_role("link", name="Published counterparts").click()
        page.locator("ul.places a").nth(number).click()
        anchor = page.evaluate("location.hash.slice(1)")
        box = page.locator(f"[id='{anchor}']").bounding_box()
        assert box is not None
        assert -5 <= box["y"] < 900
    page.close()


def test_figures_follow_the_color_scheme(browser, folder):
    colors = []
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto((folder / MAIN).as_uri())
        colors.append(page.locator("svg.figure text").first.evaluate("element => getComputedStyle(element).fill"))
        page.close()
    assert colors[0] != colors[1]


@pytest.mark.parametrize(
    "name", [name for name in PAGES if "methods" not in name and name not in (CHECKLISTS, DICTIONARY, EXPLORER)]
)
def test_text_in_figures_stays_inside_and_readable_on_a_phone(browser, folder, name):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto((folder / name).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    overflowing = page.evaluate(
        """() => [...document.querySelectorAll("svg.figure")].flatMap(svg => {
            const box = svg.closest("figure").getBoundingClientRect();
            return [...svg.querySelectorAll("text")].filter(text => text.getClientRects().length).filter(text => {
                const own = text.getBoundingClientRect();
                return own.left < box.left - 1 || own.right > box.right + 1;
            }).map(text => text.textContent);
        })"""
    )
    sizes = page.evaluate(
        """() => [...document.querySelectorAll("svg.figure text")].map(text =>
            parseFloat(getComputedStyle(text).fontSize) * Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b))"""
    )
    assert overflowing == []
    assert min(sizes) >= 9
    page.close()


def test_the_explorer_filters_links_and_gives_a_csv(browser, folder):
    rows = suppress(full_results(), "101-124")
    page = browser.new_page()
    page.goto((folder / EXPLORER).as_uri())
    assert page.locator("#explorer tbody tr").count() == 8
    page.get_by_label("Analysis").select_option("stratified")
    page.get_by_label("Group of people").select_option("women")
    chosen = rows.query(
        "analysis == 'stratified' and population == 'women' and model == 'adjusted' and measure == 'rr'"
    )
    assert page.locator("#explorer tbody tr").count() == len(chosen)
    assert page.locator("#explorer tbody .point").count() == chosen["ci_low"].notna().sum()
    assert page.get_by_role("status").text_content() == f"{len(chosen)} of {len(rows):,} estimates"
    with page.expect_download() as download:
        page.get_by_role("link", name="This selection as csv").click()
    read = pd.read_csv(download.value.path(), dtype={"level": str, "reference": str})
    assert list(read) == list(rows)
    assert read["estimate"].tolist() == pytest.approx(chosen["estimate"].tolist(), nan_ok=True)
    again = browser.new_page()
    again.goto(page.get_by_role("link", name="Link to this selection").evaluate("link => link.href"))
    assert again.locator("#explorer table").text_content() == page.locator("#explorer table").text_content()
    again.get_by_role("link", name="All estimates", exact=True).last.click()
    # The page follows its address a moment after the click.
    again.get_by_role("status").filter(has_text=f"{len(rows):,} of {len(rows):,} estimates").wait_for(timeout=10_000)
    again.close()
    page.close()


def test_the_explorer_reads_without_scripts(browser, folder):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((folder / EXPLORER).as_uri())
    assert page.locator("#main-results tbody tr").count() >= 8
    assert not page.locator("#explorer").is_visible()
    context.close()
