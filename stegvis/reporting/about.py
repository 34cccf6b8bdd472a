"""Who runs the study, on the foot of every page; and where its protocol differs from the published one."""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup

from stegvis.reporting.blocks import Section, definitions, link, paragraph, section, table
from stegvis.reporting.file_names import RESULTS
from stegvis.reporting.inputs import IndexReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.texts import texts
from stegvis.reporting.words import Words, capitalized
from stegvis.study.about import About


def study_foot(about: About | None, words: Words) -> Markup:
    """Who runs the study, contact, licence, how to cite it and where the tables are: the foot of every page.

    What the study does not name is absent.
    """
    if about is None:
        return Markup("")
    named = texts(words.language)["foot"]
    # The study's own facts are in English.
    rows = (
        ("study", f"{words.title}. {capitalized(words.cohort.people)}, {words.cohort.name}.", words.language),
        ("run_by", about.run_by, "en"),
        ("contact", _linked(about.contact), "en"),
        ("link", _linked(about.link), "en"),
        ("licence", about.licence, "en"),
        ("cite", about.cite, "en"),
        ("download", link(RESULTS, "results.csv"), words.language),
    )
    return definitions(
        (named[key], Markup('<span lang="{}">{}</span>').format(own, fact)) for key, fact, own in rows if fact
    )


def protocol_differences(index: IndexReport) -> Section:
    """The protocol values that differ from the published protocol."""
    found = index.differences
    name = index.about.name
    differ = "value differs" if found and len(found) == 1 else "values differ"
    if found is None:
        sentence = f"No study called {name} comes with the program, so there is no protocol to compare this one with."
    elif not found:
        sentence = f"Every value is that of the published protocol ({name})."
    else:
        sentence = f"{len(found)} {differ} from the published protocol ({name})."
    lines = tuple((str(each["name"]), _shown(each["before"]), _shown(each["now"])) for each in found or ())
    caption = "Values that differ from the published protocol"
    differing = Table("differences-table", caption, ("Value", "Published", "Here"), (Group(lines),), numeric=False)
    return section(
        "protocol-differences",
        "Differences from the published protocol",
        paragraph(sentence),
        table(differing if lines else None),
        short="Protocol",
    )


def _linked(text: str) -> str | Markup:
    return link(text, text) if text.startswith(("https://", "http://")) else text


def _shown(value: Any) -> str:
    return "–" if value is None else json.dumps(value, ensure_ascii=False)
