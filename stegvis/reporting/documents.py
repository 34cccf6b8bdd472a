"""The pages that document a release: the data dictionary, and where each item of the reporting checklists is covered.

Their content is in ``stegvis/study/dictionary.toml`` and ``stegvis/release/checklists.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from stegvis.release.checklists import ITEMS, WAVE_PAGES, Item, Place
from stegvis.release.results_schema import TABLES, fields
from stegvis.reporting.blocks import Section, paragraph
from stegvis.reporting.blocks import table as block_of
from stegvis.reporting.file_names import (
    CHECKLISTS,
    DICTIONARY,
    INDEX,
    details_file_name,
    methods_file_name,
    wave_file_name,
)
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.page import render_sections
from stegvis.reporting.words import Words
from stegvis.study.about import About

_FILE_OF = {"wave": wave_file_name, "details": details_file_name, "methods": methods_file_name}


def render_dictionary(synthetic: bool, words: Words, about: About | None) -> str:
    """The page with the meaning of each column of each released table."""
    columns = ("Column", "Meaning", "Type", "Values")
    sections = []
    for name in TABLES:
        rows = tuple((each["name"], each["description"], each["type"], _values(each)) for each in fields(name))
        table = Table(f"{name}-columns", f"Columns of {name}.csv", columns, (Group(rows),), numeric=False)
        sections.append(Section(name, f"{name}.csv", (block_of(table),)))
    text = "The meaning of each column of the tables in this release. Suppressed and non-existent numbers are missing."
    return _render(DICTIONARY, "Data dictionary", text, sections, synthetic, words, about)


def render_checklists(
    answers: Sequence[Item], waves: Sequence[str], synthetic: bool, words: Words, about: About | None
) -> str:
    """The page that links each item of the checklists to where the release covers it.

    Args:
        answers: the items, already checked against the release.
        waves: the waves with pages.
        synthetic: whether any data are.
        words: name the study.
        about: who runs the study, for the foot of the page; None if it names nobody.
    """
    columns = ("Item", "Asks for", "Where")
    sections = []
    for checklist in ITEMS:
        rows = tuple((each.item, each.asks, _answer(each, waves)) for each in answers if each.checklist == checklist)
        table = Table(f"{checklist.lower()}-items", f"Items of {checklist}", columns, (Group(rows),), numeric=False)
        sections.append(Section(checklist.lower(), checklist, (block_of(table),)))
    text = (
        "Where this release covers the items of STROBE (cohort studies), RECORD (routinely collected data), TARGET "
        "(observational data in the place of a trial) and RECORD-PE (pharmacoepidemiology; walking takes the place of "
        "the drug)."
    )
    return _render(CHECKLISTS, "Reporting checklists", text, sections, synthetic, words, about)


def _answer(item: Item, waves: Sequence[str]) -> str | Markup:
    if item.not_applicable:
        return f"Not applicable: {item.not_applicable}"
    return Markup(", ").join(link for place in item.where for link in _links(place, waves))


def _links(place: Place, waves: Sequence[str]) -> list[Markup]:
    link = Markup('<a href="{}">{}</a>')
    if place.file:
        return [link.format(f"../{place.file}", place.file)]
    if place.page in WAVE_PAGES:
        file_of = _FILE_OF[place.page]
        return [link.format(f"{file_of(wave)}#{place.anchor}", f"{wave}: {place.anchor}") for wave in waves]
    name = "all waves" if place.page == INDEX else str(place.page).removesuffix(".html")
    return [link.format(f"{place.page}#{place.anchor}", f"{name}: {place.anchor}")]


def _values(field: Mapping[str, Any]) -> str:
    limits = field.get("constraints", {})
    if "enum" in limits:
        return ", ".join(limits["enum"])
    least, most = limits.get("minimum"), limits.get("maximum")
    return f"{least} to {most}" if most is not None else f"from {least}" if least is not None else ""


def _render(
    file: str,
    title: str,
    introduction: str,
    sections: Sequence[Section],
    synthetic: bool,
    words: Words,
    about: About | None,
) -> str:
    first, *rest = sections
    opening = Section(first.identifier, first.heading, (paragraph(introduction), *first.blocks))
    ways = [(INDEX, "All waves"), (DICTIONARY, "Data dictionary"), (CHECKLISTS, "Checklists")]
    return render_sections(file, title, [opening, *rest], ways, synthetic, words, about)
