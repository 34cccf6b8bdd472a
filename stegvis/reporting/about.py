"""On the page over all waves: who runs the study, and where its protocol differs from the published one."""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup

from stegvis.reporting.blocks import Section, link, paragraph, section, table
from stegvis.reporting.inputs import IndexReport
from stegvis.reporting.markup import Group, Table


def about(index: IndexReport) -> Section:
    """Who runs the study, contact, licence, how to cite it, and when the next wave is expected."""
    facts = index.about
    rows = (
        ("Run by", facts.run_by),
        ("Contact", _linked(facts.contact)),
        ("Licence", facts.licence),
        ("How to cite", facts.cite),
        ("More", _linked(facts.link)),
        ("Next wave", facts.next_wave),
    )
    listed = Markup("").join(Markup("<div><dt>{}</dt><dd>{}</dd></div>\n").format(*row) for row in rows if row[1])
    return section("about", "About the study", Markup("<dl>\n{}</dl>").format(listed))


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
