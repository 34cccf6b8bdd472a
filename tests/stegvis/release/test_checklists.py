"""The reporting checklists: every item is covered by an existing place."""

from __future__ import annotations

import re

import pytest

from stegvis.release.checklists import ITEMS, ChecklistError, Item, Place, anchors_of, check_answers, items

PAGES = {
    "index.html": "".join(
        f'<h2 id="{anchor}"></h2>' for anchor in ("waves", "left-out", "changes", "provenance", "registration")
    ),
    "dictionary.html": '<h2 id="results"></h2>',
    "wave-2021-2023.html": "".join(
        f'<h2 id="{anchor}"></h2>' for anchor in ("question", "asked-first", "included", "results", "claims", "curves")
    ),
    "wave-2021-2023-details.html": '<h2 id="strata"></h2>',
    "wave-2021-2023-methods.html": '<h2 id="quality"></h2><h2 id="methods"></h2><h2 id="provenance"></h2>',
}
FILES = {
    "results.csv", "attrition.csv", "characteristics.csv", "commands.csv", "checks.json", "protocol.json",
    "manifest.json", "registration.json",
}  # fmt: skip


def replaced(name, **fields):
    return [Item(**each.model_dump() | fields) if each.name == name else each for each in items()]


def test_every_item_has_a_place_or_a_reason():
    check_answers(items(), PAGES, FILES)
    for checklist, wanted in ITEMS.items():
        assert [each.item for each in items() if each.checklist == checklist] == list(wanted)
    # With their parts: STROBE has 34 of 22 items for a cohort study, TARGET 39 of 21. RECORD adds 13, RECORD-PE 15.
    assert len({re.sub(r"\D.*", "", each) for each in ITEMS["TARGET"]}) == 21
    assert len({each.item.rstrip("abcde") for each in items() if each.checklist == "STROBE"}) == 22
    assert len(items()) == 34 + 13 + 39 + 15


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([each for each in items() if each.name != "STROBE 12c"], "STROBE 12c is absent"),
        ([*items(), items()[0]], "STROBE 1a is duplicated"),
        (replaced("STROBE 5", item="5x"), "STROBE 5x is not an item"),
        (replaced("RECORD 12.2", where=()), "RECORD 12.2 needs either a place or a reason"),
        (replaced("STROBE 6b", not_applicable=" "), "STROBE 6b needs either a place or a reason"),
        (replaced("STROBE 3", not_applicable="no"), "STROBE 3 needs either a place or a reason"),
        (
            replaced("STROBE 3", where=(Place(page="wave", anchor="nowhere"),)),
            "STROBE 3: wave-2021-2023.html has no anchor nowhere",
        ),
        (replaced("STROBE 3", where=(Place(page="x.html", anchor="a"),)), "STROBE 3: there is no page x.html"),
        (replaced("STROBE 3", where=(Place(file="x.csv"),)), "STROBE 3: there is no file x.csv"),
    ],
)
def test_items_without_an_existing_place_are_listed(answers, message):
    with pytest.raises(ChecklistError, match=message):
        check_answers(answers, PAGES, FILES)


def test_the_page_of_each_wave_must_have_the_place():
    with pytest.raises(ChecklistError, match=r"wave-2024-2026\.html has no anchor question"):
        check_answers(items(), PAGES | {"wave-2024-2026.html": "<p>nothing</p>"}, FILES)


def test_anchors_are_found_as_a_browser_finds_them():
    html = (
        """<p id='one'>text id="no"</p><!-- <p id="commented"> --><section aria-labelledby="three" id=two></section>"""
    )
    assert anchors_of(html) == {"one", "two"}
