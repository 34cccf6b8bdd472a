"""Reporting checklists: where a release covers each item of STROBE, RECORD, TARGET and RECORD-PE.

The answers are checked against the release's pages and files.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from html.parser import HTMLParser
from typing import Literal

from pydantic import Field

from stegvis.data_files import data_file
from stegvis.study.settings import Section

# All items of the checklists; those of STROBE for cohort studies.
ITEMS: dict[str, tuple[str, ...]] = {
    "STROBE": (
        "1a", "1b", "2", "3", "4", "5", "6a", "6b", "7", "8", "9", "10", "11", "12a", "12b", "12c", "12d", "12e",
        "13a", "13b", "13c", "14a", "14b", "14c", "15", "16a", "16b", "16c", "17", "18", "19", "20", "21", "22",
    ),
    "RECORD": (
        "1.1", "1.2", "1.3", "6.1", "6.2", "6.3", "7.1", "12.1", "12.2", "12.3", "13.1", "19.1", "22.1",
    ),
    "TARGET": (
        "1a", "1b", "1c", "2", "3", "4", "5", "6a", "6b", "6c", "6d", "6e", "6f", "6g", "6h", "7a", "7b", "7c", "7d",
        "7e", "7f", "7g(i)", "7g(ii)", "7h(i)", "7h(ii)", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17",
        "18", "19", "20", "21",
    ),
    "RECORD-PE": (
        "4.a", "4.b", "6.1.a", "7.1.a", "7.1.b", "7.1.c", "7.1.d", "7.1.e", "7.1.f", "7.1.g", "8.a", "12.1.a",
        "12.1.b", "19.1.a", "20.a",
    ),
}  # fmt: skip
# Pages that every wave has, with the ending of their file names.
WAVE_PAGES = {"wave": "", "details": "-details", "methods": "-methods"}


class ChecklistError(ValueError):
    """An item is not covered, or refers to a place that does not exist; the message lists each."""


class Place(Section):
    """A place in the release: an anchor of a page (``index.html``, or one of ``WAVE_PAGES``), or a file."""

    page: str | None = None
    anchor: str | None = None
    file: str | None = None


class Item(Section):
    """One item: what it asks for, and the places that cover it or why it does not apply."""

    checklist: Literal["STROBE", "RECORD", "TARGET", "RECORD-PE"]
    item: str
    asks: str = Field(min_length=1)
    where: tuple[Place, ...] = ()
    not_applicable: str = ""

    @property
    def name(self) -> str:
        """Checklist and number, ``STROBE 1a``."""
        return f"{self.checklist} {self.item}"


@cache
def items() -> tuple[Item, ...]:
    """The items in the order of the file."""
    text = data_file("release/checklists.toml").read_text(encoding="utf-8")
    return tuple(Item(**each) for each in tomllib.loads(text)["item"])


def check_answers(answers: Iterable[Item], pages: Mapping[str, str], files: Iterable[str]) -> None:
    """Check the answers against a release.

    Args:
        answers: the items.
        pages: HTML by file name (``index.html``, ``wave-2021-2023.html`` ...).
        files: the release's files, relative to it.

    Raises:
        ChecklistError: an item is absent, duplicated or not covered, or a place does not exist.
    """
    answers, existing = list(answers), set(files)
    anchors = {name: anchors_of(html) for name, html in pages.items()}
    problems = []
    for checklist, wanted in ITEMS.items():
        given = [each.item for each in answers if each.checklist == checklist]
        problems += [f"{checklist} {item} is absent" for item in wanted if item not in given]
        problems += [f"{checklist} {item} is duplicated" for item in sorted(set(given)) if given.count(item) > 1]
        problems += [f"{checklist} {item} is not an item of the checklist" for item in given if item not in wanted]
    for each in answers:
        if bool(each.where) == bool(each.not_applicable.strip()):
            problems.append(f"{each.name} needs either a place or a reason why it does not apply")
        for place in each.where:
            problems += [f"{each.name}: {missing}" for missing in _missing(place, anchors, existing)]
    if problems:
        raise ChecklistError("; ".join(problems))


def _missing(place: Place, anchors: Mapping[str, set[str]], files: set[str]) -> list[str]:
    if place.file is not None:
        return [] if place.file in files else [f"there is no file {place.file}"]
    names = [str(place.page)]
    if place.page in WAVE_PAGES:
        others = tuple(f"{end}.html" for end in WAVE_PAGES.values() if end)
        end = f"{WAVE_PAGES[place.page]}.html"
        names = [name for name in anchors if name.startswith("wave-") and name.endswith(end)]
        names = names if place.page != "wave" else [name for name in names if not name.endswith(others)]
    missing = [f"there is no page {name}" for name in names if name not in anchors]
    found = [name for name in names if name in anchors]
    return missing + [f"{name} has no anchor {place.anchor}" for name in found if place.anchor not in anchors[name]]


def anchors_of(html: str) -> set[str]:
    """The anchors of a page."""
    parser = _Anchors()
    parser.feed(html)
    return parser.found


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {str(value) for name, value in attrs if name == "id"}
