"""The sentences of the page in plain language, a file per language.

Belongs here: reading them. Does not belong here: choosing among them (``stegvis.reporting.plain``).
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "nb")
Texts = dict[str, dict[str, str]]


@cache
def texts(language: str) -> Texts:
    """Sentences by section and key.

    Raises:
        FileNotFoundError: there is no such language.
    """
    return tomllib.loads((Path(__file__).parent / f"{language}.toml").read_text(encoding="utf-8"))
