"""What every figure shares: colors, title and description for screen readers, the label of synthetic data.

Colors are plain attributes, so that a figure also works on its own; ``style.css`` replaces each of them on a dark page.
Altair describes a chart and vl-convert draws it in this process: no browser, no network. It measures text with the font
that comes with the program, whatever fonts the machine has: the same content is the same file everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from textwrap import wrap
from typing import Any
from xml.etree import ElementTree

from stegvis.data_files import data_file

INK = "#1b1f24"
MUTED = "#57606b"
LINE = "#c9d0d8"
BOX = "#f3f6f9"
ADJUSTED = "#0b5c8b"
AGE_ADJUSTED = "#6b7281"
WARNING = "#8a4600"
# One per wave, after that of the newest (Okabe and Ito 2008, darker so that lines are visible on white).
GREEN, PURPLE, ORANGE = "#1b7a55", "#8a4a86", "#b3541e"
COLORS = (INK, MUTED, LINE, BOX, ADJUSTED, AGE_ADJUSTED, WARNING, GREEN, PURPLE, ORANGE)

SYNTHETIC = "Synthetic data"
LARGEST_SCALE = 1.2
# Figures are laid out in a narrow font, and the reader's may be wider: extra space beside labels, short title lines.
WIDER_FONTS = 15
LONGEST_TITLE_LINE = 50
# Laid out with the first, which no machine has; shown in the reader's.
MEASURED_WITH, SHOWN_IN = "Stegvis Sans", "sans-serif"
FONT = "system-ui, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"


def finish(svg: ElementTree.Element, identifier: str, title: str, description: str) -> str:
    """An SVG element as text for inlining: named, described, scaling with the page.

    Args:
        svg: the root element with a viewBox; it is changed in place.
        identifier: unique on the page; prefix of the ids of title and description.
        title: the accessible name.
        description: text alternative, with the numbers of the figure.

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
    width = float(view_box.split()[2])
    svg.attrib.clear()
    # Text is as large in every figure: none is drawn much wider than it is.
    style = f"max-width:min(100%,{width * LARGEST_SCALE:.0f}px)"
    svg.attrib.update({"viewBox": view_box, "class": "figure", "style": style})
    return named(svg, identifier, title, description)


def named(svg: ElementTree.Element, identifier: str, title: str, description: str) -> str:
    """An SVG element as text, with a name and a description for screen readers; arguments as of ``finish``."""
    svg.attrib.update(
        {
            "xmlns": "http://www.w3.org/2000/svg",
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


def chart_title(heading: Sequence[str], synthetic: bool, label: str = SYNTHETIC) -> Any:
    """An Altair title of a few lines, with the label of synthetic data (in the page's language) below it."""
    import altair as alt

    return alt.TitleParams(
        [line for each in heading for line in wrap(each, LONGEST_TITLE_LINE)],
        subtitle=label if synthetic else "",
        subtitleColor=WARNING,
        subtitleFontWeight="bold",
        color=INK,
        anchor="start",
        # Starts at the edge of the figure, so that a long title can use the full width.
        frame="bounds",
        dx=-WIDER_FONTS,
        fontSize=12.5,
        subtitleFontSize=13,
    )


def chart_svg(
    chart: Any, identifier: str, heading: Sequence[str], description: str, synthetic: bool, label: str = SYNTHETIC
) -> str:
    """An Altair chart in the common style as a finished SVG text.

    Args:
        chart: any chart without configuration; its background and fonts are set here.
        identifier, description: as in ``finish``.
        heading: the lines of its title, also its accessible name.
        synthetic: labels the accessible name; ``chart_title`` draws the visible label.
        label: the label of synthetic data in the page's language.
    """
    text = {"labelColor": INK, "titleColor": INK, "labelFontSize": 13, "titleFontSize": 13}
    lines = {"domainColor": MUTED, "tickColor": MUTED, "gridColor": LINE}
    configured = (
        chart.properties(background="transparent")
        .configure(font=MEASURED_WITH)
        .configure_axis(**text, **lines, titleFontWeight="normal")
        .configure_view(stroke=None)
        .configure_legend(labelColor=INK, labelFontSize=13, symbolSize=70, columnPadding=24)
    )
    # Validating against the schema would take as long as drawing, and all charts come from this package.
    drawn = vl_convert_svg(configured.to_dict(validate=False))
    title = ", ".join(heading) + (f" ({label})" if synthetic else "")
    return finish(ElementTree.fromstring(drawn), identifier, title, description)


def vl_convert_svg(specification: dict[str, Any]) -> str:
    """A Vega-Lite specification drawn as an SVG text, in this process; its font must be ``MEASURED_WITH``.

    Raises:
        ValueError: a text of it would be measured with another font.
    """
    import vl_convert

    _use_the_font()
    drawn = str(vl_convert.vegalite_to_svg(specification))
    ours = f'font-family="{MEASURED_WITH}"'
    if drawn.count("font-family=") != drawn.count(ours):
        raise ValueError("a text of the figure has a font of the machine")
    return drawn.replace(ours, f'font-family="{SHOWN_IN}"')


@cache
def _use_the_font() -> None:
    import vl_convert

    vl_convert.register_font_directory(str(data_file("reporting/fonts/")))
