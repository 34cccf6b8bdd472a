"""The card of a release: question, finding and meaning in one picture, to share and to print.

It says what the front page says, by the same rules, and holds no number that the results do not. Its text is drawn as
outlines, so that the same content is the same file on every machine.
"""

from __future__ import annotations

from xml.etree import ElementTree

from stegvis.reporting import figure
from stegvis.reporting.formatting import count
from stegvis.reporting.outlines import REGULAR, SEMIBOLD, Font
from stegvis.reporting.plain_findings import Findings
from stegvis.reporting.rows import people_and_cases
from stegvis.reporting.texts import texts
from stegvis.reporting.wording import level_label
from stegvis.reporting.words import capitalized
from stegvis.study.about import About

WIDTH, HEIGHT = 1200, 630
OBSERVATIONAL = "Other differences between the groups may explain part of it, or all."
QUESTION = "Do people who walk more have {outcome} less often?"
NOTHING = "This release has no result that answers the question."
PAPER, BANNER = "#ffffff", "#fff1d6"
MARGIN = 56
# The picture: two groups of 100 people, 20 in a row.
COLUMNS, CELL, PICTURE = 20, 20, 400
EACH, RULE = 144, 470
LINE = 1.32


def card_svg(found: Findings, about: About, synthetic: bool) -> str:
    """The card as an SVG text of 1200 by 630.

    Args:
        found: what the release found, in the language of the card.
        about: who runs the study.
        synthetic: whether the data are simulated.
    """
    words = found.voice.words
    svg = ElementTree.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {WIDTH} {HEIGHT}"})
    svg.attrib.update({"width": f"{WIDTH}", "height": f"{HEIGHT}", "role": "img"})
    question = QUESTION.format(outcome=words.outcome.name)
    finding, meaning, foot = _finding(found), _meaning(found), _foot(found, about)
    mark = f"{texts(words.language)['page']['synthetic_mark']}: none of these people exist." if synthetic else ""
    ends = found.ends() if found.has_result() else []
    pictured = [found.voice.say("big", "figure_part", group=group, risk=str(risk)) for group, risk in ends]
    ElementTree.SubElement(svg, "title").text = f"{question} ({mark})" if mark else question
    ElementTree.SubElement(svg, "desc").text = " ".join([finding, *(f"{each}." for each in pictured), *meaning, foot])
    _rectangle(svg, 0, 0, WIDTH, HEIGHT, PAPER)
    _rectangle(svg, 0, 0, 14, HEIGHT, figure.ADJUSTED)
    top = 40.0
    if mark:
        _rectangle(svg, 14, 0, WIDTH - 14, 44, BANNER)
        SEMIBOLD.draw(svg, mark, MARGIN, 30, 20, figure.WARNING)
        top = 76.0
    REGULAR.draw(svg, f"{words.title} · {capitalized(words.cohort.name)}", MARGIN, top + 8, 20, figure.MUTED)
    wide = WIDTH - 2 * MARGIN
    bottom = _block(svg, SEMIBOLD, question, MARGIN, top + 20, wide, 54, (40, 38, 36, 34, 32), figure.INK)
    beside = wide - PICTURE - 56 if pictured else wide
    sizes = (30, 28, 26, 24, 22, 20) if pictured else (44, 40, 36, 32, 28, 24, 20)
    _block(svg, SEMIBOLD, finding, MARGIN, bottom + 16, beside, RULE - 30 - bottom, sizes, figure.ADJUSTED)
    for place, ((_, risk), said) in enumerate(zip(ends, pictured, strict=True)):
        _hundred(svg, WIDTH - MARGIN - PICTURE, bottom + 28 + place * EACH, said, risk)
    if ends:
        key = f"Blue: had {words.outcome.name} later."
        REGULAR.draw(svg, key, WIDTH - MARGIN - PICTURE, bottom + 28 + len(ends) * EACH + 4, 15, figure.MUTED)
    _rectangle(svg, MARGIN, RULE, wide, 1.5, figure.LINE)
    _block(svg, REGULAR, " ".join(meaning), MARGIN, RULE + 10, wide, 96, (22, 21, 20, 18, 16), figure.INK)
    _block(svg, REGULAR, foot, MARGIN, 580, wide, 42, (17, 16, 15, 13), figure.MUTED)
    return ElementTree.tostring(svg, encoding="unicode")


def card_png(svg: str) -> bytes:
    """The card as PNG, 1200 by 630 pixels. It holds no text, so that no font of the machine matters."""
    import vl_convert

    return bytes(vl_convert.svg_to_png(svg, scale=1))


def _finding(found: Findings) -> str:
    said = found.found() if found.has_result() else []
    return said[0] if said else NOTHING


def _meaning(found: Findings) -> list[str]:
    """How sure, and what the result does and does not mean; nothing where there is no result."""
    if not found.has_result():
        return []
    return [" ".join([*found.sure()[:1], OBSERVATIONAL]), found.daily()[1]]


def _foot(found: Findings, about: About) -> str:
    people, _ = people_and_cases(found.own)
    cohort = found.voice.words.cohort
    followed = f"{count(people)} {cohort.people} followed to {level_label(found.wave)}. " if people else ""
    link = f" {about.link}" if about.link else ""
    return f"{followed}{capitalized(about.run_by)}.{link}".replace("..", ".")


def _block(
    svg: ElementTree.Element,
    font: Font,
    text: str,
    x: float,
    y: float,
    width: float,
    height: float,
    sizes: tuple[int, ...],
    color: str,
) -> float:
    """Text in lines, in the largest of the sizes that fits; returns where it ends."""
    for size in sizes:
        lines = font.lines(text, size, width)
        if len(lines) * size * LINE <= height and all(font.width(line, size) <= width for line in lines):
            break
    for place, line in enumerate(lines):
        font.draw(svg, line, x, y + size + place * size * LINE, size, color)
    return y + len(lines) * size * LINE


def _hundred(svg: ElementTree.Element, x: float, y: float, label: str, affected: int) -> None:
    """100 people, those affected filled, below their label."""
    _block(svg, REGULAR, label, x, y - 8, PICTURE, 34, (19, 18, 17, 16, 15, 14), figure.INK)
    _person(svg)
    for number in range(100):
        column, row = divmod(number, 100 // COLUMNS)
        color = figure.ADJUSTED if number < affected else figure.LINE
        place = {"x": f"{x + column * CELL:g}", "y": f"{y + 26 + row * CELL:g}"}
        ElementTree.SubElement(svg, "use", {"href": "#person", **place, "fill": color})


def _person(svg: ElementTree.Element) -> None:
    """The shape of one person among the definitions of the drawing."""
    definitions = svg.find("defs")
    if definitions is not None and all(each.get("id") != "person" for each in definitions):
        head = "M8 0.5a4 4 0 0 1 0 8a4 4 0 0 1 0-8z"
        ElementTree.SubElement(definitions, "path", {"id": "person", "d": f"{head}M1.5 18v-2a6.5 6.5 0 0 1 13 0v2z"})


def _rectangle(svg: ElementTree.Element, x: float, y: float, width: float, height: float, color: str) -> None:
    places = {"x": f"{x:g}", "y": f"{y:g}", "width": f"{width:g}", "height": f"{height:g}"}
    ElementTree.SubElement(svg, "rect", {**places, "fill": color})
