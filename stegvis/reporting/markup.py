"""The template environment, and the form of every table in the reports. Text from data is escaped.

Tables are plain semantic HTML. great_tables was tried: it makes no row headers and no caption, its ids are random (so
that equal numbers give different pages), and its fixed colors stay white on a dark page.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from stegvis.data_files import data_file

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True)
class Group:
    """Rows of a table under a common heading (may be empty). The first cell of a row is its header."""

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
        numeric: cells are aligned right; otherwise left.
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
    """The text of ``style.css`` and ``figures.css``, to embed in a page."""
    files = (data_file("reporting/style.css"), data_file("reporting/figures.css"))
    return Markup("\n".join(file.read_text(encoding="utf-8") for file in files))  # the package's own files, not data


@cache
def figure_script() -> Markup:
    """The text of ``figures.js``, for a page with curves."""
    return Markup(data_file("reporting/figures.js").read_text(encoding="utf-8"))  # the package's own file, not data


def script_hash(script: str) -> str:
    """How a Content-Security-Policy names a script that may run."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def render_table(table: Table) -> Markup:
    """A table as HTML: caption, column and row headers with scope, in a region that scrolls on narrow screens."""
    return Markup(environment().get_template("table.html.j2").render(table=table))


def tag(text: str, kind: str) -> Markup:
    """A highlighted word, such as a conclusion; ``kind`` (good, bad or neutral) sets only its color."""
    return Markup('<span class="tag {}">{}</span>').format(kind, text)


def code(text: str) -> Markup:
    """Machine text, such as a hash."""
    return Markup("<code>{}</code>").format(text)
