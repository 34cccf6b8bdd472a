"""The form of a home: a number that is raised when an older Stegvis could misread, or spoil, what a newer one wrote.

``home.json`` in the home has it, with the version that raised it. A home without the file was made before there was
one; it is read as it is. A home of a higher number is refused before anything of it is opened.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from stegvis.study.settings import SettingsError

FILE = "home.json"
# 1: homes of version 0.1, without home.json. 2: materialization records in the warehouse, published people, editions.
# 3: bouts in the lake.
FORMAT = 3
# There while a restore moves files into the home.
RESTORING = ".restoring"


class HomeFormatError(SettingsError):
    """This program must not use the home; the message says why and what to do."""


def check_format(root: Path) -> None:
    """Refuse a home that a newer Stegvis made, or of which only a part was restored.

    Args:
        root: the home's folder; it need not exist.

    Raises:
        HomeFormatError: it must not be used.
    """
    if (root / RESTORING).exists():
        raise HomeFormatError(
            f"a restore of {root} did not end: remove everything in it except the landing zone, and restore it again"
        )
    found, by = read_format(root)
    if found > FORMAT:
        raise HomeFormatError(newer(f"the home {root}", found, by))


def newer(what: str, found: int, by: str) -> str:
    """What an older program says of a newer home or backup."""
    from stegvis.version import version

    return (
        f"{what} was written by {by or 'a newer Stegvis'} (format {found}); this is stegvis {version()}, which reads "
        f"formats up to {FORMAT}. Install that version, or restore a backup from before the upgrade"
    )


def read_format(root: Path) -> tuple[int, str]:
    """The number of a home's form and what wrote it; 1 and blank where the home does not say.

    Raises:
        HomeFormatError: ``home.json`` is damaged.
    """
    try:
        facts = json.loads((root / FILE).read_text(encoding="utf-8"))
        return int(facts["format"]), str(facts.get("by", ""))
    except FileNotFoundError:
        return 1, ""
    except (ValueError, KeyError, TypeError):
        raise HomeFormatError(f"{FILE} in the home {root} is damaged: restore it from a backup") from None


def write_format(root: Path) -> None:
    """Note in the home that this program's form of it is in use from now on."""
    if read_format(root) == (1, "") or read_format(root)[0] < FORMAT:
        from stegvis.storage.whole_files import write_whole
        from stegvis.version import described

        # A read-only home can be looked at all the same.
        with suppress(OSError):
            write_whole(root / FILE, json.dumps({"format": FORMAT, "by": described()}) + "\n")
