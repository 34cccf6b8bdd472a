"""The sentences of the plain-language page, one file per language. ``stegvis.reporting.plain`` chooses among them."""

from __future__ import annotations

import tomllib
from functools import cache

from stegvis.data_files import data_file
from stegvis.study.texts import LANGUAGES

__all__ = ["LANGUAGES", "Texts", "texts"]

Texts = dict[str, dict[str, str]]


@cache
def texts(language: str) -> Texts:
    """Sentences by section and key.

    Raises:
        KeyError: there is no such language.
    """
    file = {"en": data_file("reporting/texts/en.toml"), "nb": data_file("reporting/texts/nb.toml")}[language]
    return tomllib.loads(file.read_text(encoding="utf-8"))
