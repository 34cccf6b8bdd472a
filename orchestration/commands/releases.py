"""Commands about releases: compare, trace, verify, sign, retract, publish, export."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from stegvis.orchestration.commands.options import HomeOption, JsonOption, find_home
from stegvis.orchestration.commands.running import run_refresh
from stegvis.orchestration.printing import fail, print_comparison, print_trace, print_verified, say, waits


def compare(
    old: Annotated[Path, typer.Argument(help="The earlier release's folder.")],
    new: Annotated[Path, typer.Argument(help="The later release's folder.")],
    as_json: JsonOption = False,
) -> None:
    """Show what changed between two releases: estimates, protocol, and why, where NEW was made right after OLD."""
    from stegvis.orchestration.comparison import NotAReleaseError
    from stegvis.orchestration.comparison import compare as compared

    try:
        found = compared(old, new)
    except NotAReleaseError as error:
        raise typer.BadParameter(str(error)) from error
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        print_comparison(found)


def trace(
    release: Annotated[Path, typer.Argument(help="A release's folder.")],
    wave: Annotated[str | None, typer.Option(help="Of the rows of results.csv to trace.")] = None,
    analysis: Annotated[str | None, typer.Option(show_default=False)] = None,
    population: Annotated[str | None, typer.Option(show_default=False)] = None,
    model: Annotated[str | None, typer.Option(show_default=False)] = None,
    exposure: Annotated[str | None, typer.Option(show_default=False)] = None,
    term: Annotated[str | None, typer.Option(show_default=False)] = None,
    level: Annotated[str | None, typer.Option(show_default=False)] = None,
    measure: Annotated[str | None, typer.Option(show_default=False)] = None,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SELECTs too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """From a number back to where it came from: tables and their runs, SQL, protocol values, deliveries and hashes."""
    from stegvis.orchestration.trace import SELECTORS, TraceError
    from stegvis.orchestration.trace import trace as follow

    given = (wave, analysis, population, model, exposure, term, level, measure)
    try:
        found = follow(
            release, {name: value for name, value in zip(SELECTORS, given, strict=True) if value is not None}
        )
    except TraceError as error:
        raise typer.BadParameter(str(error)) from error
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        print_trace(found, with_sql=sql)


def verify(
    release: Annotated[str, typer.Argument(help="A release's folder, or its name in the home.")] = "latest",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prove that a release is as published: every file, the release ledger, the signatures; exit 1 if it is not."""
    from stegvis.orchestration.verify import release_folder
    from stegvis.orchestration.verify import verify as verified

    folder = release_folder(release, find_home(home).releases)
    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} does not exist")
    found = verified(folder)
    if as_json:
        print(json.dumps(vars(found) | {"ok": not found.problems}, indent=2))
    else:
        print_verified(found)
    raise typer.Exit(1 if found.problems else 0)


def sign(
    release: Annotated[str, typer.Argument(help="The release's name in the home.")],
    name: Annotated[str, typer.Option("--name", help="Who signs.")],
    home: HomeOption = None,
) -> None:
    """Sign a release after reviewing it; it becomes the latest once it has as many signatures as the protocol asks."""
    from stegvis.orchestration.status import last_release, waiting_release
    from stegvis.orchestration.verify import verify as verified
    from stegvis.storage.signatures import SignatureError, advance_latest
    from stegvis.storage.signatures import sign as add_signature
    from stegvis.study.study import Study

    place = find_home(home)
    folder = place.releases / release
    problems = verified(folder).problems if folder.is_dir() else []
    if problems:
        fail(f"{release} is not as it was published: {problems[0]} (stegvis verify lists {len(problems)})")
    try:
        signature = add_signature(place.releases, release, name)
    except SignatureError as error:
        fail(str(error))
    advance_latest(place.releases, Study.of(place.root).protocol.release.signatures)
    print(f"{signature.name} signed {release}")
    waiting = waiting_release(place)
    if waiting:
        print(waits(waiting))
    latest = last_release(place)
    if latest:
        print(f"latest release: {latest['release']}")


def retract(
    wave: Annotated[str, typer.Argument(help="A published wave, such as 2021-2023.")],
    by: Annotated[str, typer.Option("--by", help="Who decided; stays in the home.")],
    because: Annotated[str, typer.Option("--because", help="Why; stays in the home.")],
    home: HomeOption = None,
) -> None:
    """Retract the numbers of a published wave: the next release has a fixed sentence in their place, no new value."""
    from stegvis.orchestration.retract import retract as decide
    from stegvis.storage.decisions import DecisionError
    from stegvis.storage.releases import ReleaseError

    place = find_home(home)
    try:
        decide(place, wave, by, because)
    except (ReleaseError, DecisionError) as error:
        fail(str(error))
    say(f"retracted wave {wave}")
    raise typer.Exit(run_refresh(place, as_json=False))


class Publishable(StrEnum):
    """What can be published anew."""

    wave = "wave"


def publish(
    kind: Annotated[Publishable, typer.Argument(help="wave.")],
    name: Annotated[str, typer.Argument(help="A published wave, such as 2021-2023.")],
    by: Annotated[str, typer.Option("--by", help="Who decided; stays in the home.")],
    because: Annotated[str, typer.Option("--because", help="Why; stays in the home.")],
    home: HomeOption = None,
) -> None:
    """Publish a new edition of a wave whose data were corrected, or a wave again whose releases are gone.

    The release says "new edition: corrected data" and nothing else. It is refused, with exit code 1, where the outcome
    of people who changed could be guessed from it better than from what is published already.
    """
    from stegvis.orchestration.publish import publish as decide
    from stegvis.storage.decisions import DecisionError
    from stegvis.storage.publish_wave import outcome
    from stegvis.storage.releases import ReleaseError

    place = find_home(home)
    try:
        decide(place, name, by, because)
    except (ReleaseError, DecisionError) as error:
        fail(str(error))
    code = run_refresh(place, as_json=False)
    found = outcome(place, name)
    if found is None or found["state"] == "published":
        say(f"published {kind.value} {name}" + (f": {found['why']}" if found and found["why"] else ""))
        raise typer.Exit(code)
    fail(found["why"] or f"{kind.value} {name} is not published yet: stegvis status says what is in the way")


def export(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write into; made if absent, must be empty.")],
    wave: Annotated[str, typer.Option(help="The follow-up wave, or all for the tables across waves.")] = "",
    batch: Annotated[str, typer.Option(help="A batch of recordings: its epochs, a row for each, as Parquet.")] = "",
    permission: Annotated[
        str, typer.Option(help="The permission under which the rows are exported; goes into the register of exports.")
    ] = "",
    home: HomeOption = None,
) -> None:
    """Write a wave's analysis tables, a row for each participant, or a batch's epochs, for those who may have them."""
    from stegvis.orchestration.export import ExportError, export_epochs
    from stegvis.orchestration.export import export as write_tables
    from stegvis.study.study import Study

    if bool(wave) == bool(batch):
        raise typer.BadParameter("name a wave or a batch: --wave WAVE, or --batch BATCH")
    place = find_home(home)
    protocol = Study.of(place.root).protocol
    try:
        if batch:
            rows = export_epochs(place, batch, out, permission, protocol)
        else:
            rows = write_tables(place, wave, out, permission, protocol)
    except ExportError as error:
        fail(str(error))
    ending = "parquet" if batch else "csv"
    for name, count in rows.items():
        print(f"{out / name}.{ending}: {count:,} rows")
