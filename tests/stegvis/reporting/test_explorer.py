"""The explorer holds the rows that are published and nothing else, in one file without a connection."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

from stegvis.data_files import data_file
from stegvis.reporting.explorer import render_explorer
from stegvis.reporting.markup import script_hash
from tests.stegvis.reporting.full_report import full_results
from tests.stegvis.reporting.sample_report import WAVE, WORDS, suppress
from tests.study import STUDY

MOST_BYTES = 1_500_000
NUMBERS = {"n", "events", "estimate", "ci_low", "ci_high", "std_error", "p_value", "e_value", "e_value_ci"}


def rows_of(page: str) -> pd.DataFrame:
    """The rows inside a page."""
    found = re.search(r'<script type="application/json" id="rows">(.*?)</script>', page, re.DOTALL)
    assert found
    columns = json.loads(found[1])["columns"]
    return pd.DataFrame(
        {
            name: [content["texts"][place] for place in content["rows"]] if isinstance(content, dict) else content
            for name, content in columns.items()
        }
    )


def test_the_page_holds_the_published_rows_exactly() -> None:
    published = suppress(full_results(), "101-124")
    read = rows_of(render_explorer(published, synthetic=True, words=WORDS, about=STUDY.about))
    assert list(read) == list(published)
    for name in published:
        if name in NUMBERS:
            pd.testing.assert_series_equal(read[name].astype("float64"), published[name].astype("float64"))
        else:
            assert read[name].tolist() == published[name].fillna("").astype(str).tolist()


def test_only_its_own_script_may_run() -> None:
    page = render_explorer(full_results(), synthetic=True, words=WORDS, about=STUDY.about)
    script = data_file("reporting/explorer.js").read_text(encoding="utf-8")
    assert f"<script>{script}</script>" in page
    assert f"script-src '{script_hash(script)}'" in page
    assert page.count("<script>") == 1
    assert not re.search(r"src=\"https?:|<link [^>]*https?:", page)


def test_text_of_the_data_cannot_end_its_block() -> None:
    rows = full_results()
    rows.loc[0, "note"] = "</script><script>alert(1)</script>"
    page = render_explorer(rows, synthetic=False, words=WORDS, about=STUDY.about)
    assert "alert(1)</script>" not in page
    assert rows_of(page)["note"][0] == rows["note"][0]


def test_ten_thousand_rows_stay_below_the_limit() -> None:
    rows = full_results()
    many = pd.concat([rows.assign(wave=f"{year}-{year + 2}") for year in range(2000, 2000 + 10_000 // len(rows) + 1)])
    assert len(many) >= 10_000
    assert len(render_explorer(many, synthetic=True, words=WORDS, about=STUDY.about).encode()) < MOST_BYTES


@pytest.mark.parametrize("wave", [WAVE, "2031-2033"])
def test_without_scripts_it_shows_the_main_results_of_the_newest_wave(wave: str) -> None:
    rows = pd.concat([full_results(), full_results(wave, 0.5)])
    page = render_explorer(rows, synthetic=True, words=WORDS, about=STUDY.about)
    shown = re.search(r"<noscript>(.*?)</noscript>", page, re.DOTALL)
    assert shown
    assert f"wave {wave}" in shown[1]
    assert "reference" in shown[1]


def test_a_release_without_any_main_result_has_the_page_too() -> None:
    none = full_results().assign(estimate=float("nan"), status="not_estimable")
    assert "needs scripts" in render_explorer(none, synthetic=True, words=WORDS, about=STUDY.about)
