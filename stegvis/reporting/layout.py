"""The layout that all pages have: banner, links, contents, sections, foot; one self-contained HTML document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from stegvis.reporting.blocks import Section, has_folded
from stegvis.reporting.file_names import CARD_PICTURE
from stegvis.reporting.markup import environment, figure_script, script_hash, style_sheet
from stegvis.reporting.texts import texts
from stegvis.study.texts import Language

NO_FOOT = Markup()


def whole_page(
    file: str,
    heading: str,
    sections: Sequence[Section],
    ways: Sequence[tuple[str, str]],
    synthetic: bool,
    title: str,
    release: str = "",
    language: Language = "en",
    foot: Markup = NO_FOOT,
    script: Markup | None = None,
    shared: str = "",
) -> str:
    """A page of sections.

    Args:
        file: its own file name.
        heading: its title.
        sections: its content.
        ways: file and name of the pages it links to.
        synthetic: whether the data are simulated.
        title: of the study, in the last line.
        release: named in the last line; may be empty.
        language: of the words around the sections.
        foot: who runs the study; may be empty.
        script: runs in the page, and no other does; a page of curves without one gets that of the figures.
        shared: what is said of the page where somebody shares it, beside the card; a page without it has no card.
    """
    words = texts(language)["page"]
    if script is None and any("data-range=" in block for section in sections for block in section.blocks):
        script = figure_script()
    footer = f"{title}. {words['synthetic_mark']}." if synthetic else f"{title}."
    values: Mapping[str, object] = {
        "language": language,
        "style": style_sheet(),
        "heading": heading,
        "sections": sections,
        "ways": ways,
        "file": file,
        "synthetic": synthetic,
        "footer": footer + release,
        "foot": foot,
        "words": words,
        "folded": has_folded(sections),
        "shared": shared,
        "card": CARD_PICTURE,
        "script": script,
        "script_hash": script_hash(script) if script else "",
    }
    return environment().get_template("page.html.j2").render(values)
