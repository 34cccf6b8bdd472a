"""What a page is built from: sections of paragraphs, lists, figures and tables, as finished HTML.

Every text is escaped here. What a section says is in its own module, the page around the sections in ``templates/``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from stegvis.reporting.markup import Table, render_table

NUMBERS = "The numbers of this figure as a table"


@dataclass(frozen=True)
class Section:
    """A section of a page: its anchor, heading, shorter heading for the table of contents, and blocks."""

    identifier: str
    heading: str
    blocks: tuple[Markup, ...]
    short: str = ""

    @property
    def name(self) -> str:
        """Its name in the table of contents."""
        return self.short or self.heading


def paragraph(text: str | Markup) -> Markup:
    """A paragraph; empty for no text."""
    return Markup("<p>{}</p>").format(text) if text else Markup("")


def lead(text: str) -> Markup:
    """A paragraph in large type: the answer of a page."""
    return Markup('<p class="lead">{}</p>').format(text) if text else Markup("")


def definitions(rows: Iterable[tuple[str, str | Markup]], kind: str = "") -> Markup:
    """Names with what is said of each; a name with nothing said is absent. Its kind decides how it looks."""
    listed = Markup("").join(Markup("<div><dt>{}</dt><dd>{}</dd></div>\n").format(*row) for row in rows if row[1])
    opened = Markup('<dl class="{}">').format(kind) if kind else Markup("<dl>")
    return Markup("{}\n{}</dl>").format(opened, listed) if listed else Markup("")


def beside(*blocks: Markup) -> Markup:
    """Blocks beside each other where the screen is wide enough, else below each other."""
    return Markup('<div class="beside">\n{}\n</div>').format(Markup("\n").join(block for block in blocks if block))


def note(text: str | Markup) -> Markup:
    """A note in small type."""
    return Markup('<p class="note">{}</p>').format(text) if text else Markup("")


def bullets(items: Iterable[str | Markup], kind: str = "") -> Markup:
    """A list of the items that are not empty; empty without any. Its kind decides how it looks."""
    points = Markup("").join(Markup("<li>{}</li>\n").format(item) for item in items if item)
    opened = Markup('<ul class="{}">').format(kind) if kind else Markup("<ul>")
    return Markup("{}\n{}</ul>").format(opened, points) if points else Markup("")


def subheading(text: str, identifier: str) -> Markup:
    """A heading within a section, with an anchor."""
    return Markup('<h3 id="{}">{}</h3>').format(identifier, text)


def panel(*blocks: Markup) -> Markup:
    """Highlighted blocks, for what a reader should see first."""
    return Markup('<div class="headline">\n{}\n</div>').format(Markup("\n").join(blocks))


def table(content: Table | None) -> Markup:
    """A table; empty without one."""
    return Markup("") if content is None else render_table(content)


def pair(*blocks: Markup) -> Markup:
    """Blocks beside each other where the screen is wide enough; empty without content."""
    shown = [block for block in blocks if block]
    columns = Markup("\n").join(Markup("<div>\n{}\n</div>").format(block) for block in shown)
    return Markup('<div class="pair">\n{}\n</div>').format(columns) if shown else Markup("")


def folded(summary: str, *blocks: Markup) -> Markup:
    """Collapsible blocks, printed only if the reader opens them first. Empty without content."""
    content = Markup("\n").join(block for block in blocks if block)
    if not content:
        return Markup("")
    return Markup("<details>\n<summary>{}</summary>\n{}\n</details>").format(summary, content)


def has_folded(sections: Iterable[Section]) -> bool:
    """Whether any part of a page is collapsible."""
    return any("<details" in block for section in sections for block in section.blocks)


def drawing(svg: str, caption: str, *numbers: Table | None) -> Markup:
    """A figure with its caption, and its numbers in collapsible tables below it; empty without a figure.

    Args:
        svg: a finished figure (``figure.finish`` escapes its texts).
        caption: how to read it.
        numbers: the same numbers as tables.
    """
    if not svg:
        return Markup("")
    drawn = Markup('<figure class="drawing">\n{}\n<figcaption>{}</figcaption>\n</figure>').format(Markup(svg), caption)
    shown = drawn + folded(NUMBERS, *(table(each) for each in numbers))
    return Markup('<div class="drawn">\n{}\n</div>').format(shown)


def link(target: str, text: str) -> Markup:
    """A link to an anchor or a page."""
    return Markup('<a href="{}">{}</a>').format(target, text)


def section(identifier: str, heading: str, *blocks: Markup, short: str = "") -> Section:
    """A section of the blocks that are not empty."""
    return Section(identifier, heading, tuple(block for block in blocks if block), short)
