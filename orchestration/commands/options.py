"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from stegvis.storage.home import Home
    from stegvis.study.protocol import Protocol

FULL_SIZE = 56_042  # participants of HUNT4 at baseline

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="The home folder. Default: STEGVIS_HOME, else .stegvis here.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of every random draw.")]
PeopleOption = Annotated[int, typer.Option(min=50, help="Participants at baseline.")]


def find_home(home: Path | None) -> Home:
    """The home that was named, or the default one.

    Raises:
        HomeFormatError: a newer Stegvis made it.
    """
    from stegvis.storage.home import Home
    from stegvis.storage.home_format import check_format

    found = Home.find(home)
    check_format(found.root)
    return found


def protocol_of(home: Home) -> Protocol:
    """The protocol of a home's study; without one, that of HUNT4."""
    from stegvis.study.study import Study

    return (Study.of(home.root) if home.study.is_dir() else Study.shipped()).protocol
