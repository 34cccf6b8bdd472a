"""File names of the pages, shared by the code that writes them and the code that links to them."""

from __future__ import annotations

import re

INDEX = "index.html"
DICTIONARY = "dictionary.html"
CHECKLISTS = "checklists.html"
EXPLORER = "explorer.html"
CARD = "card.svg"
CARD_PICTURE = "card.png"
RESULTS = "../results.csv"
COMMANDS = "../commands.csv"
LINEAGE = "../lineage.json"


def wave_file_name(wave: str) -> str:
    """The main page of a wave: ``wave-2021-2023.html``."""
    return f"wave-{_safe(wave)}.html"


def details_file_name(wave: str) -> str:
    """The page of a wave's further analyses."""
    return f"wave-{_safe(wave)}-details.html"


def methods_file_name(wave: str) -> str:
    """The page of a wave's data quality, methods, commands and glossary."""
    return f"wave-{_safe(wave)}-methods.html"


def plain_file_name(language: str) -> str:
    """The page in plain language; English has no suffix."""
    return "plain.html" if language == "en" else f"plain.{language}.html"


def _safe(wave: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]+", "-", wave).strip("-")
