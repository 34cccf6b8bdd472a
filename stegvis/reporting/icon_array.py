"""A picture of 100 people per group, those with the outcome filled: natural frequencies as an SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from xml.etree import ElementTree

from stegvis.reporting import figure

COLUMNS, ROWS = 20, 5
CELL = 17
HEADING, LABEL, GAP = 18, 24, 14
# Characters of a title line, narrow enough for wider fonts of a reader.
LINE = 42


@dataclass(frozen=True)
class Hundred:
    """One group.

    Attributes:
        label: who they are, with the number.
        affected: how many of 100 have the outcome.
    """

    label: str
    affected: int


def icon_array(groups: Sequence[Hundred], title: str, description: str, synthetic_mark: str) -> str:
    """The groups below each other, as an SVG text; empty without groups.

    Args:
        groups: from 0 to 100 people affected in each.
        title: drawn above, and the accessible name.
        description: text alternative, with the numbers.
        synthetic_mark: the label of synthetic data in the page's language; empty for real data.
    """
    if not groups:
        return ""
    lines = wrap(title, LINE)
    top = HEADING * (len(lines) + bool(synthetic_mark)) + 6
    height = top + len(groups) * (LABEL + ROWS * CELL + GAP)
    svg = ElementTree.Element("svg", {"viewBox": f"0 0 {COLUMNS * CELL} {height}"})
    for place, line in enumerate(lines):
        _text(svg, line, 14 + place * HEADING, figure.INK, bold=True)
    if synthetic_mark:
        _text(svg, synthetic_mark, 14 + len(lines) * HEADING, figure.WARNING, bold=True)
    for place, group in enumerate(groups):
        start = top + place * (LABEL + ROWS * CELL + GAP)
        _text(svg, group.label, start + 15, figure.INK)
        for number in range(COLUMNS * ROWS):
            # Column by column, so that two groups are compared by the length of what is filled.
            column, row = divmod(number, ROWS)
            _person(svg, column * CELL, start + LABEL + row * CELL, number < group.affected)
    return figure.finish(svg, "hundred", f"{title} ({synthetic_mark})" if synthetic_mark else title, description)


def _person(svg: ElementTree.Element, x: float, y: float, affected: bool) -> None:
    color = figure.ADJUSTED if affected else figure.LINE
    ElementTree.SubElement(svg, "circle", {"cx": f"{x + 8}", "cy": f"{y + 4}", "r": "3", "fill": color})
    ElementTree.SubElement(svg, "path", {"d": f"M{x + 3} {y + 15}v-2a5 5 0 0 1 10 0v2z", "fill": color})


def _text(svg: ElementTree.Element, text: str, y: float, color: str, bold: bool = False) -> None:
    weight = {"font-weight": "600"} if bold else {}
    ElementTree.SubElement(svg, "text", {"x": "0", "y": f"{y}", "font-size": "13", "fill": color} | weight).text = text
