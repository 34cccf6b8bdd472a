"""The area of a plot: as wide as the page, with text of the same size on every screen.

Places along the width are shares of it (percentages in the SVG), heights are pixels. What is beside the area, labels
and numbers, has a fixed width. Lines and bands are in a drawing inside that stretches with the area. Ticks are drawn
twice, for a wide and for a narrow screen; ``figures.css`` shows one of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from xml.etree import ElementTree

from stegvis.reporting import figure
from stegvis.reporting.axis import tick_label

# The narrowest that figures.css calls wide, and a small phone, without their margins, px.
WIDE, NARROW = 608, 288
TEXT = 13
# Widths of a character at that size, px; the reader's font may be wider than most.
CHARACTER = 7.8
TITLE_LINE = 18
TITLE_CHARACTERS = {"wide": 64, "narrow": 34}
# Units of the drawing that stretches.
UNITS = 1000

Element = ElementTree.Element


@dataclass
class Plot:
    """An area to draw on.

    Attributes:
        left, right: width beside the area, px.
        height: of the area, px, without what is above and below it.
        above, below: heights above and below it, px; ``titles`` adds to the first.
        right_narrow: as ``right``, on a narrow screen; the same where it is None.
    """

    left: int
    right: int
    height: int
    above: int = 0
    below: int = 0
    root: Element = field(default_factory=lambda: Element("svg"))
    right_narrow: int | None = None
    _area: Element | None = None

    @property
    def wide(self) -> int:
        """The width of the area on a wide screen."""
        return WIDE - self.left - self.right

    @property
    def narrow(self) -> int:
        """The width of the area on a narrow screen."""
        return NARROW - self.left - (self.right if self.right_narrow is None else self.right_narrow)

    def titles(self, lines: Sequence[str], synthetic: str = "") -> None:
        """Title lines above the area, and the label of synthetic data; moves the area down by their height."""
        wrapped = {
            name: [part for line in lines for part in wrap(line, most)] for name, most in TITLE_CHARACTERS.items()
        }
        most = max(len(parts) for parts in wrapped.values())
        for name, parts in wrapped.items():
            part = self.group(name)
            # The last line is at the same height in both.
            for place, line in enumerate(parts, most - len(parts)):
                part.edge(line, self.above + place * TITLE_LINE + 14, figure.INK, bold=True)
        self.above += most * TITLE_LINE
        if synthetic:
            self.edge(synthetic, self.above + 14, figure.WARNING, bold=True)
            self.above += TITLE_LINE
        self.above += 6

    def edge(self, text: str, y: float, color: str, bold: bool = False) -> Element:
        """Text at the left edge of the figure; ``y`` is from its top."""
        made = self._text(self.root, text, y, color, bold)
        made.set("x", f"{-self.left}")
        return made

    def text(
        self, text: str, where: float, y: float, color: str = figure.INK, shift: float = 0, anchor: str = "start"
    ) -> Element:
        """Text at a share of the width, moved by ``shift`` px; ``y`` is from the top of the area."""
        made = self._text(self.root, text, self.above + y, color)
        made.attrib.update({"x": percent(where), "dx": number(shift), "text-anchor": anchor})
        return made

    def line(self, start: tuple[float, float], end: tuple[float, float], color: str, width: float = 1) -> Element:
        """A line between two places, each a share of the width and a height."""
        (x1, y1), (x2, y2) = start, end
        places = {"x1": percent(x1), "x2": percent(x2), "y1": number(self.above + y1), "y2": number(self.above + y2)}
        return self.add("line", {**places, "stroke": color, "stroke-width": number(width)})

    def add(self, tag: str, attributes: dict[str, str], parent: Element | None = None) -> Element:
        """Any element, with the attributes as they are."""
        return ElementTree.SubElement(self.root if parent is None else parent, tag, attributes)

    def group(self, name: str, **attributes: str) -> Plot:
        """A part of the same area, to be shown or hidden as a whole."""
        made = self.add("g", {"class": name, **attributes})
        return Plot(self.left, self.right, self.height, self.above, self.below, made, self.right_narrow)

    def stretched(self) -> Element:
        """A drawing with ``UNITS`` units across the area and pixels down it, which stretches with the area."""
        if self._area is None:
            self._area = self.add(
                "svg",
                {
                    "y": number(self.above), "width": "100%", "height": number(self.height),
                    "viewBox": f"0 0 {UNITS} {number(self.height)}", "preserveAspectRatio": "none",
                },
            )  # fmt: skip
        return self._area

    def ticks(self, at: Callable[[int], Sequence[float]], place: Callable[[float], float], y: float) -> None:
        """Ticks and labels below the area, for both widths.

        Args:
            at: the values for a width of the area.
            place: where a value is.
            y: of the axis, from the top of the area.
        """
        for name, pixels in (("wide", self.wide), ("narrow", self.narrow)):
            part = self.group(name)
            for value in at(pixels):
                part.line((place(value), y), (place(value), y + 5), figure.MUTED)
                part.text(tick_label(value), place(value), y + 19, anchor="middle")

    def finish(self, identifier: str, title: str, description: str) -> str:
        """The figure as an SVG text for inlining; arguments as of ``figure.finish``."""
        height = self.above + self.height + self.below
        both = self.left + self.right
        beside = "" if self.right_narrow is None else f";--beside:{self.left + self.right_narrow}px"
        self.root.attrib.update(
            {
                "class": "figure plot" if not beside else "figure plot stacked",
                "data-left": f"{self.left}",
                "data-right": f"{self.right}",
                "height": number(height),
                "style": f"margin-left:{self.left}px;width:calc(100% - {both}px);height:{height}px{beside}",
            }
        )
        return figure.named(self.root, identifier, title, description)

    @staticmethod
    def _text(parent: Element, text: str, y: float, color: str, bold: bool = False) -> Element:
        made = ElementTree.SubElement(parent, "text", {"y": number(y), "font-size": f"{TEXT}", "fill": color})
        if bold:
            made.set("font-weight", "600")
        made.text = text
        return made


def standalone(svg: str) -> str:
    """A figure that is a plot as a drawing with a fixed width, for programs without style sheets; others unchanged."""
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    left, right = root.attrib.pop("data-left", None), root.attrib.pop("data-right", None)
    if left is None or right is None:
        return svg
    for parent in list(root.iter()):
        for narrow in [each for each in parent if each.get("class") == "narrow"]:
            parent.remove(narrow)
    del root.attrib["style"]
    size = {"width": f"{WIDE}", "height": root.attrib["height"]}
    outer = Element("svg", {"xmlns": root.attrib.pop("xmlns", "http://www.w3.org/2000/svg"), **size})
    root.attrib.update({"x": left, "width": f"{WIDE - int(left) - int(right)}", "overflow": "visible"})
    outer.append(root)
    return ElementTree.tostring(outer, encoding="unicode")


def space_for(texts: Sequence[str], gap: int = 12) -> int:
    """The width that the longest of these texts needs, with a gap to the area, px."""
    return round(max((len(text) for text in texts), default=0) * CHARACTER) + gap


def percent(where: float) -> str:
    """A share as an SVG coordinate."""
    return f"{number(100 * where)}%"


def number(value: float) -> str:
    """A number as short as two decimals allow."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
