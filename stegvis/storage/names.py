"""One rule for the names of drops, batches and waves, and for what may lie in a drop."""

from __future__ import annotations

import re
from pathlib import Path

# Partition keys and folder names are made of these names. A file system allows 255 bytes, prefix included.
LONGEST_NAME = 100
NAME = re.compile(r"\w(?:[\w .-]*[\w-])?")
WAVE = re.compile(r"(?P<wave>[0-9]{4}(?:-[0-9]{4})?)(?:\.[\w-]+)?")
YEARS = ("1900", "2199")
# Tables are delivered in files with these endings.
SPSS_ENDINGS = (".sav", ".zsav")
STATISTICS_ENDINGS = (*SPSS_ENDINGS, ".dta")
TABLE_ENDINGS = (".csv", ".parquet", *STATISTICS_ENDINGS)


def name_problem(name: str) -> str | None:
    """What is wrong with the name of a drop or batch, in words; None if nothing."""
    if len(name) > LONGEST_NAME or len(name.encode("utf-8", "surrogateescape")) > 2 * LONGEST_NAME:
        return f"a name has at most {LONGEST_NAME} characters ({2 * LONGEST_NAME} bytes in UTF-8)"
    if not NAME.fullmatch(name) or ".." in name:
        return "a name is made of letters, digits, '_', '-', '.' and blanks: no comma, no '..'"
    return None


def wave_of(name: str) -> str | None:
    """The wave that a follow-up drop's name gives; None if it names none."""
    wave = WAVE.fullmatch(name)
    if wave is None:
        return None
    years = wave["wave"].split("-")
    return wave["wave"] if [YEARS[0], *years, YEARS[1]] == sorted([YEARS[0], *years, YEARS[1]]) else None


def shown(name: str) -> str:
    """A name as a message may show it: printable, and not longer than a name may be."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in name)
    return printable if len(printable) <= LONGEST_NAME else f"{printable[:20]}..."


def special_file(path: Path) -> str | None:
    """Why a path is no ordinary file of its folder; None if it is one, or there is nothing.

    A link is an ordinary file if what it points to lies in the same folder.
    """
    try:
        if path.is_symlink() and path.resolve().parent != path.parent.resolve():
            return "a link out of the drop"
        return "not an ordinary file" if path.exists() and not path.is_file() else None
    except (OSError, RuntimeError):  # a link to itself
        return "a link that leads nowhere"


def visible_entries(folder: Path) -> list[Path]:
    """Everything visible in a folder, in name order."""
    return sorted((e for e in folder.iterdir() if not e.name.startswith(".")), key=lambda e: name_order(e.name))


def name_order(name: str) -> tuple[list[str | int], str]:
    """Names in the order a person counts: 2021-2023.2 before 2021-2023.10."""
    parts: list[str | int] = re.split(r"([0-9]+)", name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], name
