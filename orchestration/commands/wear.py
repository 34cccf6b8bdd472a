"""The command about wear of a whole batch: wear."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stegvis.orchestration.commands.options import HomeOption, find_home, protocol_of
from stegvis.orchestration.printing import fail, say


def wear(
    out: Annotated[Path, typer.Option("--out", "-o", help="The page to write (.html); it replaces one of this name.")],
    folder: Annotated[
        Path | None, typer.Argument(help="Of raw pairs, <name>_back.cwa and <name>_thigh.cwa.", show_default=False)
    ] = None,
    batch: Annotated[
        str | None, typer.Option(help="A batch of the home instead of a folder: counts only.", show_default=False)
    ] = None,
    home: HomeOption = None,
) -> None:
    """Write a page of how a batch was worn: how long, by sensor, valid days by each rule, notes, reasons for non-use.

    Of a FOLDER every pair is classified, and the page lists each by its file name. Of a batch of the home it has counts
    only, none of them below the protocol's smallest count.
    """
    if (folder is None) == (batch is None):
        raise typer.BadParameter("name a folder of raw pairs, or a batch of the home with --batch")
    if folder is not None and not folder.is_dir():
        raise typer.BadParameter(f"{folder} is not a folder")
    if out.suffix != ".html":
        raise typer.BadParameter(f"{out.name} does not end in .html")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"{out.parent} is not a folder")
    from stegvis.orchestration.wear import NoRecordingsError, of_batch, of_folder
    from stegvis.reporting.wear import TooFewRecordingsError, wear_page

    place = find_home(home)
    protocol = protocol_of(place)
    rule = protocol.days.rule
    try:
        if folder is not None:
            page = wear_page(f"Wear of {folder.resolve().name}", list(of_folder(folder, protocol, say)), rule)
        else:
            smallest = protocol.disclosure.smallest_count
            page = wear_page(f"Wear of batch {batch}", of_batch(place, str(batch)), rule, smallest)
        out.write_text(page, encoding="utf-8")
    except (NoRecordingsError, TooFewRecordingsError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot write {out}: {error.strerror or 'the disk refuses'}")
    print(out)
