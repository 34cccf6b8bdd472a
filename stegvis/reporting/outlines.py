"""Text as outlines of the font that comes with the program: as wide, and the same shapes, on every machine.

The font is Open Sans (Apache License 2.0, ``fonts/LICENSE.txt``), reduced to Latin, Greek and Cyrillic letters:
``python -m fontTools.subset OpenSans-Regular.ttf --unicodes=... --layout-features='' --no-hinting``. Its family is
called "Stegvis Sans" in these files, so that no font of the machine is taken for it in a chart (``figure.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.etree import ElementTree

from stegvis.data_files import data_file

# In place of a character that the font does not have.
UNKNOWN = "?"


@dataclass(frozen=True)
class Font:
    """A weight of the font, read from its file."""

    weight: str

    def width(self, text: str, size: float) -> float:
        """The width of a text in a font size, in its unit."""
        return sum(_glyph(self.weight, character)[1] for character in text) * size / _units(self.weight)

    def has(self, character: str) -> bool:
        """Whether the font has a character."""
        return ord(character) in _font(self.weight).getBestCmap()

    def lines(self, text: str, size: float, width: float) -> list[str]:
        """A text in lines of at most this width; a longer word has a line of its own."""
        lines: list[str] = []
        for word in text.split():
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and self.width(longer, size) <= width:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines

    def draw(self, svg: ElementTree.Element, text: str, x: float, y: float, size: float, color: str) -> None:
        """Add a line of text with its baseline at ``y``; each character's outline is in the drawing once."""
        scale = size / _units(self.weight)
        place = f"translate({x:.2f},{y:.2f}) scale({scale:.5f},{-scale:.5f})"
        line = ElementTree.SubElement(svg, "g", {"fill": color, "transform": place})
        at = 0
        for character in text:
            shape, advance = _glyph(self.weight, character)
            if shape:
                name = f"{self.weight[0]}{ord(character):x}"
                _defined(svg, name, shape)
                ElementTree.SubElement(line, "use", {"href": f"#{name}", "x": f"{at}"})
            at += advance


REGULAR, SEMIBOLD = Font("regular"), Font("semibold")


@cache
def _font(weight: str) -> Any:
    from fontTools.ttLib import TTFont

    files = {
        "regular": data_file("reporting/fonts/OpenSans-Regular.ttf"),
        "semibold": data_file("reporting/fonts/OpenSans-Semibold.ttf"),
    }
    return TTFont(files[weight])


def _units(weight: str) -> int:
    return int(_font(weight)["head"].unitsPerEm)


def _defined(svg: ElementTree.Element, name: str, shape: str) -> None:
    """The outline among the definitions of the drawing."""
    definitions = svg.find("defs")
    if definitions is None:
        definitions = ElementTree.SubElement(svg, "defs")
    if all(each.get("id") != name for each in definitions):
        ElementTree.SubElement(definitions, "path", {"id": name, "d": shape})


@cache
def _glyph(weight: str, character: str) -> tuple[str, int]:
    """The outline of a character as an SVG path and how far the next one is from it, in units of the font."""
    from fontTools.pens.svgPathPen import SVGPathPen

    font = _font(weight)
    names = font.getBestCmap()
    name = names.get(ord(character), names[ord(UNKNOWN)])
    glyphs = font.getGlyphSet()
    pen = SVGPathPen(glyphs)
    glyphs[name].draw(pen)
    return str(pen.getCommands()), int(font["hmtx"][name][0])
