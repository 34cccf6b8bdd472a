"""The template environment and the one shape all tables of the reports have.

Belongs here: how structure becomes HTML, with text from data escaped. Does not belong here: what a page or table
says. Tables are plain semantic HTML rather than great_tables: that makes no caption and no row headers, repeats ids
from one table to the next, draws random ones (so that equal numbers give unequal pages), and fixes colors that stay
white on a dark page.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from stegvis.data_files import data_file

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True)
class Group:
    """Rows of a table under a heading of their own (none when empty). The first cell of a row is its header."""

    rows: tuple[tuple[str, ...], ...]
    heading: str = ""


@dataclass(frozen=True)
class Table:
    """A table: plain text in, except cells that are Markup already.

    Attributes:
        identifier: unique on the page.
        caption: what the table shows.
        columns: column headings; the first is that of the row headers.
        groups: the rows.
        note: a sentence under the table.
        numeric: numbers are set right, words left.
    """

    identifier: str
    caption: str
    columns: tuple[str, ...]
    groups: tuple[Group, ...]
    note: str = ""
    numeric: bool = True


@cache
def environment() -> Environment:
    """The jinja2 environment of the templates: every value escaped, an unknown name an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(data_file("reporting/templates/")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def style_sheet() -> Markup:
    """The text of ``style.css``, to be set into a page."""
    return Markup(data_file("reporting/style.css").read_text(encoding="utf-8"))  # the project's own file, not data


def render_table(table: Table) -> Markup:
    """A table as HTML: caption, column and row headers with scope, in a region that scrolls by itself when narrow."""
    return Markup(environment().get_template("table.html.j2").render(table=table))


def tag(text: str, kind: str) -> Markup:
    """A short word set apart, for example a verdict; ``kind`` is good, bad or neutral and never the only sign."""
    return Markup('<span class="tag {}">{}</span>').format(kind, text)


def code(text: str) -> Markup:
    """A machine text, such as a hash."""
    return Markup("<code>{}</code>").format(text)
