"""The pages for users say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stegvis.study import dictionary_page

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_data_dictionary_is_the_dictionary() -> None:
    assert dictionary_page.PAGE.read_text(encoding="utf-8") == dictionary_page.render()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_protocol_page_names_files_that_exist() -> None:
    text = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:sql|study)/[\w/]+\.\w+)`", text)
    assert named
    for file in named:
        assert (ROOT / file).exists(), file


def test_results_columns_are_documented() -> None:
    from stegvis.statistics.results import RESULT_COLUMNS

    text = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    for column in RESULT_COLUMNS:
        assert f"`{column}`" in text, column


def test_the_page_of_one_pair_names_every_reason_for_which_a_pair_is_refused() -> None:
    from typing import get_args

    from stegvis.accelerometry.orientation import Worn
    from stegvis.accelerometry.pair_problems import Refusal

    page = (ROOT / "docs" / "one_pair.md").read_text(encoding="utf-8")
    worn_wrongly = [how for how in Worn if how not in (Worn.AS_PRESCRIBED, Worn.UNKNOWN)]
    assert [rule for rule in (*get_args(Refusal), *worn_wrongly) if f"`{rule}`" not in page] == []
