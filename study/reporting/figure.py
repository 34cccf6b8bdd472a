"""What every figure shares: its colors, its title and description for screen readers, the mark of synthetic data.

Belongs here: finishing an SVG. Does not belong here: drawing one (``flow.py``, ``forest.py``). The colors are plain
attributes, so that a figure also stands alone; ``style.css`` replaces each of them on a dark page.
"""

from __future__ import annotations

from xml.etree import ElementTree

INK = "#1b1f24"
MUTED = "#57606b"
LINE = "#c9d0d8"
BOX = "#f3f6f9"
ADJUSTED = "#0b5c8b"
AGE_ADJUSTED = "#6b7281"
WARNING = "#8a4600"
COLORS = (INK, MUTED, LINE, BOX, ADJUSTED, AGE_ADJUSTED, WARNING)

SYNTHETIC = "Synthetic data"
FONT = "system-ui, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"


def finish(svg: ElementTree.Element, identifier: str, title: str, description: str) -> str:
    """An SVG element as text for inlining: named, described, scaling with the page.

    Args:
        svg: the root element with a viewBox; it is changed in place.
        identifier: unique on the page; prefix of the ids of title and description.
        title: the accessible name.
        description: what the figure shows, with its numbers, for those who cannot see it.

    Raises:
        ValueError: the root has no viewBox.
    """
    if "viewBox" not in svg.attrib:
        raise ValueError("a figure needs a viewBox to scale with the page")
    for element in svg.iter():
        element.tag = element.tag.rpartition("}")[2]
        # The whole figure is one image to a screen reader; roles inside it would only confuse.
        for name in [name for name in element.attrib if name == "role" or name.startswith("aria-")]:
            del element.attrib[name]
    view_box = svg.attrib["viewBox"]
    svg.attrib.clear()
    svg.attrib.update(
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": view_box,
            "class": "figure",
            "role": "img",
            "aria-labelledby": f"{identifier}-title {identifier}-description",
            "font-family": FONT,
        }
    )
    for position, (tag, text) in enumerate((("title", title), ("desc", description))):
        part = ElementTree.Element(tag, {"id": f"{identifier}-{'title' if tag == 'title' else 'description'}"})
        part.text = text
        svg.insert(position, part)
    return ElementTree.tostring(svg, encoding="unicode")
