"""The command that starts a study: init."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stegvis.orchestration.commands.options import find_home
from stegvis.orchestration.printing import fail


def init(
    home: Annotated[Path | None, typer.Argument(help="The home that gets a study folder.", show_default=False)] = None,
    study: Annotated[
        str | None, typer.Option("--study", help="The study to copy, by its name.", show_default=False)
    ] = None,
    sources: Annotated[
        list[Path] | None,
        typer.Option("--from", help="The baseline file, then follow-up files (csv, parquet, sav, zsav, dta)."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The codebook to write; must not exist.")] = Path(
        "codebook.toml"
    ),
) -> None:
    """Give a home its study: init HOME --study NAME; or draft a codebook from a study's own files: init --from FILE.

    HOME/study is a copy, to be edited and kept under version control. A drafted codebook has the names of the columns,
    declared labels and missing values, and the codes that at least ten people have; no rarer code, and no smallest or
    largest number, because a codebook is published with each release.
    """
    if bool(study) == bool(sources):
        raise typer.BadParameter("give either HOME --study NAME, or --from FILE")
    if study:
        _copy(study, home)
    else:
        _draft(sources or [], out)


def _copy(study: str, home: Path | None) -> None:
    """Copy a study that comes with the program into a home."""
    from stegvis.studies import NoStudyError, copy_study

    place = find_home(home)
    if place.study.exists():
        fail(f"{place.study} is there already, and is left as it is; move it away to start from {study} again")
    try:
        copy_study(study, place.create().study)
    except NoStudyError as error:
        fail(str(error), code=2)
    for file in [*sorted(place.study.iterdir()), *_alerts_template(place.root)]:
        print(file)


def _alerts_template(root: Path) -> list[Path]:
    """Who is alerted, to be filled in; none where the home has it."""
    from stegvis.orchestration.monitoring.settings import FILE, TEMPLATE

    if (root / FILE).exists():
        return []
    (root / FILE).write_text(TEMPLATE.read_text(encoding="utf-8"), encoding="utf-8")
    return [root / FILE]


def _draft(sources: list[Path], out: Path) -> None:
    """Write a codebook to fill in from a study's own files."""
    if out.exists():
        raise typer.BadParameter(f"{out} is there already")
    for file in sources:
        if not file.is_file():
            raise typer.BadParameter(f"{file} does not exist")
    from stegvis.storage.codebook_draft import draft_codebook
    from stegvis.storage.reading import UnreadableFile
    from stegvis.studies import FIRST, study_folder
    from stegvis.study.codebook import CodebookError
    from stegvis.study.study import CODEBOOK

    try:
        columns, text = draft_codebook(sources, study_folder(FIRST) / CODEBOOK)
        out.write_text(text, encoding="utf-8")
    except (UnreadableFile, CodebookError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot write {out}: {error.strerror or 'the disk refuses'}")
    for layout, found in columns.items():
        print(f"{layout}: {len(found)} columns")
    print(f"{out}: fill it in as its first lines say")
