"""The pages for users and developers are true to the code, and link to each other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from stegvis.accelerometry.orientation import Worn
from stegvis.accelerometry.pair_problems import Refusal
from stegvis.statistics.results import RESULT_COLUMNS
from stegvis.study import dictionary_page

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors_of(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_data_dictionary_is_the_dictionary() -> None:
    assert dictionary_page.PAGE.read_text(encoding="utf-8") == dictionary_page.render()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(text_of(page)):
        linked = (page.parent / target) if target else page
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors_of(linked), f"{target}#{anchor}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, open_pages = set(), [ROOT / "README.md"]
    while open_pages:
        here = open_pages.pop()
        reached.add(here)
        linked = {(here.parent / target).resolve() for target, _ in LINK.findall(text_of(here)) if target}
        open_pages += [each for each in linked if each.suffix == ".md" and each not in reached]
    assert set(PAGES) <= reached


def test_the_protocol_page_names_files_that_exist() -> None:
    named = re.findall(r"`((?:sql|stegvis)/[\w/]+(?:\.\w+)?)`", text_of(ROOT / "docs" / "protocol.md"))
    assert named
    for file in named:
        assert (ROOT / file).exists(), file


def test_results_columns_are_documented() -> None:
    text = text_of(ROOT / "docs" / "results.md")
    for column in RESULT_COLUMNS:
        assert f"`{column}`" in text, column


def test_the_page_of_one_pair_names_every_reason_for_which_a_pair_is_refused() -> None:
    page = text_of(ROOT / "docs" / "one_pair.md")
    worn_wrongly = [how for how in Worn if how not in (Worn.AS_PRESCRIBED, Worn.UNKNOWN)]
    assert [rule for rule in (*get_args(Refusal), *worn_wrongly) if f"`{rule}`" not in page] == []


def test_every_command_that_a_package_outside_stata_provides_is_named() -> None:
    """``xblc`` is not part of Stata; the page says where it comes from."""
    assert "ssc install xblc" in text_of(ROOT / "docs" / "results.md")


# ---- decisions ----


def test_decisions_are_numbered_without_holes_and_listed_by_their_titles() -> None:
    listed = text_of(ROOT / "docs" / "decisions" / "README.md")
    for number, page in enumerate(DECISIONS, start=1):
        assert page.name.startswith(f"{number:04}-")
        title = text_of(page).splitlines()[0]
        assert title.startswith(f"# {number}. ")
        assert page.name in listed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_decision_is_mentioned_by_the_number_of_its_file(page: Path) -> None:
    for number, file in re.findall(r"\[[Dd]ecision (\d+)\]\([^)]*?(\d{4})-", text_of(page)):
        assert int(number) == int(file)


# ---- the glossary ----


def test_the_glossary_is_in_alphabetical_order_and_defines_each_term_once() -> None:
    terms = re.findall(r"^- \*\*(.+?)\*\*", text_of(ROOT / "GLOSSARY.md"), re.MULTILINE)
    order = [term.lower().replace("-", " ") for term in terms]
    assert order == sorted(set(order))
