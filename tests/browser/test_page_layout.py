"""The layout of the pages in a real browser: their length, what a phone shows first, what scrolls, and the print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stegvis.reporting.file_names import EXPLORER, details_file_name
from tests.browser.pages import MAIN, PAGES
from tests.stegvis.reporting.sample_report import WAVE

pytestmark = pytest.mark.browser

SCREEN, SCREENS, PAPER = {"width": 1440, "height": 900}, 6, 8
PHONE = {"width": 390, "height": 844}
SCHEMES = ("light", "dark")
# What is wider than its box without scrolling, or ends beyond the screen: both are cut off.
CUT_OFF = """() => [...document.querySelectorAll("main *, header *, footer *")].filter(each => {
    if (each.closest("svg, .unseen, select") || each.parentElement.closest(".table-region, .scrolls")) return false;
    if (!each.getClientRects().length) return false;
    const box = each.getBoundingClientRect();
    return box.right > innerWidth + 1 || box.left < -1 && !each.closest(".banner") && !each.closest(".skip")
        || each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX === "hidden";
}).map(each => `${each.tagName} ${each.className} ${each.textContent.slice(0, 40)}`)"""


def opened(browser, folder: Path, name: str, scheme: str = "light", size: dict[str, int] = SCREEN):
    page = browser.new_page(viewport=size, color_scheme=scheme)
    page.goto((folder / name).as_uri())
    return page


def unfold(page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")


def printed_pages(page) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4", print_background=True)))


def edges(region) -> tuple[bytes, bytes]:
    """What is seen at the left and at the right edge of a region, above its content."""
    box = region.bounding_box()
    sides = (box["x"], box["x"] + box["width"] - 8)
    return tuple(
        region.page.screenshot(clip={"x": side, "y": box["y"], "width": 8, "height": box["height"]}) for side in sides
    )


def test_the_main_page_of_a_wave_is_six_screens_long_and_leads_with_the_answer_and_its_table(browser, folder):
    page = opened(browser, folder, MAIN)
    height = page.evaluate("document.documentElement.scrollHeight")
    assert height <= SCREENS * SCREEN["height"], f"{height / SCREEN['height']:.1f} screens"
    assert page.locator(".headline strong").first.bounding_box()["y"] < SCREEN["height"] / 2
    assert page.locator("#results-table").bounding_box()["y"] < 1.2 * SCREEN["height"]
    page.close()


def test_the_main_page_of_a_wave_prints_on_eight_pages(browser, folder):
    page = opened(browser, folder, MAIN)
    assert 2 < printed_pages(page) <= PAPER
    page.close()


def test_collapsed_parts_are_printed_only_if_they_were_opened(browser, folder):
    page = opened(browser, folder, MAIN)
    page.emulate_media(media="print")
    evidence, summary = page.locator("#claims-table"), page.get_by_text("Each claim with its evidence")
    assert not evidence.is_visible()
    assert summary.is_visible()  # so that a reader of the paper knows of it
    assert "Collapsed parts are printed only if they are opened first." in page.locator("footer").text_content()
    closed = printed_pages(page)
    unfold(page)
    assert evidence.is_visible()
    assert printed_pages(page) > closed
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_paper_is_white_without_links_and_with_the_banner(browser, folder, name):
    page = opened(browser, folder, name, "dark", {"width": 673, "height": 950})
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("nav:visible").count() == 0
    assert page.locator(".banner").is_visible()
    if name != EXPLORER:  # its filters are for the screen
        assert page.evaluate(CUT_OFF) == []
    page.close()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_phone_shows_the_adjusted_result_first(browser, folder, scheme):
    page = opened(browser, folder, MAIN, scheme, PHONE)
    box = page.locator(".headline strong").first.bounding_box()
    assert box["y"] + box["height"] < PHONE["height"]
    assert page.locator(".headline strong").first.text_content().startswith("risk ratio 0.76")
    for table in ("#results-table", "#published-table"):
        cell = page.locator(f"{table} tbody td").first.bounding_box()
        assert cell["x"] + cell["width"] <= PHONE["width"]
    # The published number and this wave's are beside each other without scrolling.
    last = page.locator("#published-table tbody tr:last-child td").last.bounding_box()
    assert last["x"] + last["width"] <= PHONE["width"]
    page.close()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_table_that_scrolls_shows_on_which_side_there_is_more(browser, folder, scheme):
    page = opened(browser, folder, MAIN, scheme, PHONE)
    region = page.locator(".table-region:has(#results-table)")
    region.scroll_into_view_if_needed()
    # The table itself is not part of the comparison, only what is behind it.
    page.add_style_tag(content="#results-table { opacity: 0 }")
    assert region.evaluate("each => each.scrollWidth > each.clientWidth")
    left, right = edges(region)
    region.evaluate("each => each.scrollLeft = each.scrollWidth")
    left_at_end, right_at_end = edges(region)
    assert right != left
    assert left == right_at_end  # no shade
    assert left_at_end not in (left, right)
    page.set_viewport_size(SCREEN)
    wide = edges(region)
    assert wide[0] == wide[1]
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_whatever_scrolls_has_a_name_and_the_keyboard_reaches_it(browser, folder, name):
    page = opened(browser, folder, name, size=PHONE)
    unfold(page)
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("main *, header *")].filter(each =>
            each.scrollWidth > each.clientWidth + 1 && ["auto", "scroll"].includes(getComputedStyle(each).overflowX)
        ).filter(each => {
            const named = document.getElementById(each.getAttribute("aria-labelledby"))?.textContent.trim()
                || each.getAttribute("aria-label");
            return !named || !(each.tabIndex === 0 || each.querySelector("a"));
        }).map(each => each.outerHTML.slice(0, 80))"""
    )
    assert unnamed == []
    page.close()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [390, 768, 1440])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_off(browser, folder, name, width, scheme):
    page = opened(browser, folder, name, scheme, {"width": width, "height": 900})
    unfold(page)
    assert page.evaluate(CUT_OFF) == []
    page.close()


def test_a_link_to_a_part_of_another_page_leads_there(browser, folder):
    page = opened(browser, folder, MAIN)
    page.get_by_role("link", name="volume and intensity together", exact=True).click()
    assert page.url.endswith(f"{details_file_name(WAVE)}#joint")
    assert page.locator("#joint").bounding_box()["y"] < SCREEN["height"]
    page.close()
