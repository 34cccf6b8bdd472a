"""The command that combines releases of several cohorts: pool."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from stegvis.orchestration.commands.options import JsonOption
from stegvis.orchestration.printing import fail


class Wave(StrEnum):
    """Which follow-up wave of a release that has several."""

    first = "first"
    last = "last"


def pool(
    releases: Annotated[list[Path], typer.Argument(help="The folders of two or more releases, one of each cohort.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write into; made if absent, must be empty.")],
    name: Annotated[
        list[str] | None,
        typer.Option("--name", help="What to call a cohort; once per release, in their order. Default: its study."),
    ] = None,
    wave: Annotated[Wave, typer.Option(help="The follow-up wave of a release that has several.")] = Wave.first,
    as_json: JsonOption = False,
) -> None:
    """Combine the results of several cohorts, from their releases alone.

    Writes pooled.html (a self-contained page with forest plots), pooled.csv (fixed and random effects with
    Hartung-Knapp intervals, and heterogeneity), cohorts.csv (what each cohort contributes) and inputs.json.

    Releases that do not estimate the same thing, or that share people, are refused with the reason; nothing is written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise typer.BadParameter(f"{out} is not an empty folder")
    if name and len(name) != len(releases):
        raise typer.BadParameter(f"--name is given {len(name)} times for {len(releases)} releases")
    if name and len(set(name)) < len(name):
        raise typer.BadParameter("two cohorts have the same --name")
    for folder in releases:
        if not folder.is_dir():
            raise typer.BadParameter(f"{folder} does not exist")
    from stegvis.pooling.cohorts import PoolError
    from stegvis.pooling.files import pool_releases, write_combination

    try:
        cohorts, combination = pool_releases([folder.resolve() for folder in releases], name, wave.value)
    except PoolError as error:
        fail(str(error))
    files, table = write_combination(out, cohorts, combination)
    if as_json:
        facts = {
            "files": [str(file) for file in files],
            "not_combined": list(combination.not_combined),
            "pooled": json.loads(table.to_json(orient="records")),
        }
        print(json.dumps(facts, indent=2))
        return
    for note in combination.not_combined:
        print(f"not combined: {note}")
    print(f"{len(combination.pooled)} ratios of {len(cohorts)} cohorts combined")
    for file in files:
        print(file)
