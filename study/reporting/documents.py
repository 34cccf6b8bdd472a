"""The pages that explain a release: what its columns mean, and where it answers the reporting checklists.

Belongs here: laying these out. Does not belong here: the meanings (``study/dictionary.toml``), the answers
(``study/checklists.toml``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from study.protocol import protocol
from study.release.checklists import ITEMS, WAVE_PAGES, Item, Place
from study.release.results_schema import TABLES, fields
from study.reporting.markup import Group, Table, environment, render_table, style_sheet
from study.reporting.page import INDEX_FILE_NAME, wave_file_name

DICTIONARY_FILE_NAME = "dictionary.html"
CHECKLISTS_FILE_NAME = "checklists.html"


def render_dictionary(synthetic: bool, provenance: Mapping[str, Any]) -> str:
    """What each column of each released table means."""
    columns = ("Column", "Meaning", "Type", "Values")
    sections = []
    for name in TABLES:
        rows = tuple((each["name"], each["description"], each["type"], _values(each)) for each in fields(name))
        table = Table(f"{name}-columns", f"Columns of {name}.csv", columns, (Group(rows),), numeric=False)
        sections.append({"anchor": name, "heading": f"{name}.csv", "table": render_table(table)})
    text = "What each column of the release's tables means. A number that is held back or does not exist is missing."
    return _render("Data dictionary", text, sections, synthetic, provenance)


def render_checklists(
    answers: Sequence[Item], waves: Sequence[str], synthetic: bool, provenance: Mapping[str, Any]
) -> str:
    """Where the release answers each item of the checklists, with links.

    Args:
        answers: the items, held against the release already.
        waves: the waves that have a page.
        synthetic: whether any data are.
        provenance: ``release`` and ``created``, for the page's foot.
    """
    columns = ("Item", "Asks for", "Where")
    sections = []
    for checklist in ITEMS:
        rows = tuple((each.item, each.asks, _answer(each, waves)) for each in answers if each.checklist == checklist)
        table = Table(f"{checklist.lower()}-items", f"Items of {checklist}", columns, (Group(rows),), numeric=False)
        sections.append({"anchor": checklist.lower(), "heading": checklist, "table": render_table(table)})
    text = "Where this release answers what STROBE (cohort studies) and RECORD (routinely collected data) ask for."
    return _render("Reporting checklists", text, sections, synthetic, provenance)


def _answer(item: Item, waves: Sequence[str]) -> str | Markup:
    if item.not_applicable:
        return f"Not applicable: {item.not_applicable}"
    return Markup(", ").join(link for place in item.where for link in _links(place, waves))


def _links(place: Place, waves: Sequence[str]) -> list[Markup]:
    link = Markup('<a href="{}">{}</a>')
    if place.file:
        return [link.format(f"../{place.file}", place.file)]
    if place.page == WAVE_PAGES:
        return [link.format(f"{wave_file_name(wave)}#{place.anchor}", f"{wave}: {place.anchor}") for wave in waves]
    name = "all waves" if place.page == INDEX_FILE_NAME else str(place.page).removesuffix(".html")
    return [link.format(f"{place.page}#{place.anchor}", f"{name}: {place.anchor}")]


def _values(field: Mapping[str, Any]) -> str:
    limits = field.get("constraints", {})
    if "enum" in limits:
        return ", ".join(limits["enum"])
    least, most = limits.get("minimum"), limits.get("maximum")
    return f"{least} to {most}" if most is not None else f"from {least}" if least is not None else ""


def _render(
    title: str, introduction: str, sections: list[dict[str, Any]], synthetic: bool, provenance: Mapping[str, Any]
) -> str:
    template = environment().get_template("document.html.j2")
    return template.render(
        style=style_sheet(), protocol=protocol(), synthetic=synthetic, provenance=provenance, title=title,
        introduction=introduction, sections=sections, index_file_name=INDEX_FILE_NAME,
    )  # fmt: skip
