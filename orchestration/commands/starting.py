"""The command that starts a study: init."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stegvis.orchestration.printing import fail


def init(
    sources: Annotated[
        list[Path],
        typer.Option("--from", help="The baseline file, then follow-up files (csv, parquet, sav, zsav, dta)."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The codebook to write; must not exist.")] = Path(
        "codebook.toml"
    ),
) -> None:
    """Write a codebook to fill in from a study's own files.

    It has the names of the columns, declared labels and missing values, and the codes that at least ten people have;
    no rarer code, and no smallest or largest number, because a codebook is published with each release.
    """
    if out.exists():
        raise typer.BadParameter(f"{out} is there already")
    for file in sources:
        if not file.is_file():
            raise typer.BadParameter(f"{file} does not exist")
    from stegvis.storage.codebook_draft import draft_codebook
    from stegvis.storage.reading import UnreadableFile
    from stegvis.study.codebook import CODEBOOK_FILE, CodebookError

    try:
        columns, text = draft_codebook(sources, CODEBOOK_FILE)
        out.write_text(text, encoding="utf-8")
    except (UnreadableFile, CodebookError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot write {out}: {error.strerror or 'the disk refuses'}")
    for layout, found in columns.items():
        print(f"{layout}: {len(found)} columns")
    print(f"{out}: fill it in as its first lines say")
