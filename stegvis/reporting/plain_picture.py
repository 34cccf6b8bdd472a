"""The picture of the plain pages and the front page: 100 people of the lowest and of the highest category."""

from __future__ import annotations

from markupsafe import Markup

from stegvis.reporting.blocks import drawing
from stegvis.reporting.icon_array import Hundred, icon_array
from stegvis.reporting.plain_findings import Findings
from stegvis.reporting.texts import texts


def picture(found: Findings, synthetic: bool) -> Markup:
    """The lowest and the highest category as pictures of 100 people; empty unless all risks are published."""
    groups = [
        Hundred(found.voice.say("big", "figure_part", group=group, risk=str(risk)), risk)
        for group, risk in found.ends()
    ]
    mark = texts(found.voice.words.language)["page"]["synthetic_mark"] if synthetic else ""
    description = "; ".join(each.label for each in groups)
    svg = icon_array(groups, found.voice.say("big", "figure_title"), description, mark)
    return drawing(svg, found.voice.say("big", "caption"))
