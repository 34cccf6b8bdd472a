"""The command that registers a wave: register."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from stegvis.orchestration.commands.options import HomeOption, find_home
from stegvis.orchestration.printing import fail, say


class Registrable(StrEnum):
    """What can be registered."""

    wave = "wave"


def register(
    kind: Annotated[Registrable, typer.Argument(help="wave.")],
    name: Annotated[str, typer.Argument(help="The wave's name, the years of its delivery, such as 2033.")],
    late: Annotated[
        bool, typer.Option("--late", help="Although the wave has arrived; the registration then says so.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Register what will be asked of a wave before it is opened: dated, with the hash of each file of the study.

    It is refused once the wave has arrived. A second registration of a wave is a numbered amendment that says what
    changed; each release says whether its waves were registered, and what has changed since.
    """
    from stegvis.orchestration.register import register as write
    from stegvis.storage.registration import RegistrationError

    place = find_home(home)
    try:
        written = write(place, name, late)
    except RegistrationError as error:
        fail(str(error))
    content = written.content
    what = f"amendment {content['number'] - 1} of" if content["number"] > 1 else "registered"
    say(f"{what} {kind.value} {name}{', late' if content['late'] else ''}: sha256 {written.sha256}")
    if not content["estimates"]:
        say("no primary estimate is declared in [estimates] of protocol.toml: every estimate will be exploratory")
    print(written.file.with_suffix(".md"))
