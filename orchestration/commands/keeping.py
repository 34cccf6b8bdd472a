"""Commands that keep a home safe: backup, restore."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stegvis.orchestration.commands.options import HomeOption, JsonOption, find_home
from stegvis.orchestration.printing import fail, say

if TYPE_CHECKING:
    from stegvis.storage.backup_folder import Backup
    from stegvis.storage.home import Home

MEGABYTE = 1_000_000


def backup(
    folder: Annotated[Path, typer.Argument(help="A folder of backups, outside the home, best on another disk.")],
    home: HomeOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Make no backup: compare those in the folder with their hashes.")
    ] = False,
    key_to: Annotated[
        Path | None,
        typer.Option("--key-to", help="Write the home's key to this file, to be stored apart.", show_default=False),
    ] = None,
    landing: Annotated[bool, typer.Option("--landing", help="Back up the landing zone too.")] = False,
    keep_days: Annotated[
        int, typer.Option(min=0, help="Delete backups in the folder older than this, never the newest; 0 keeps all.")
    ] = 90,
    as_json: JsonOption = False,
) -> None:
    """Back up a home while it is in use: warehouse, lake, releases, records and study, without key and landing zone."""
    from stegvis.storage.backup_folder import BackupError

    try:
        if check:
            _check(folder, as_json)
        else:
            _back_up(find_home(home), folder, landing, key_to, keep_days, as_json)
    except BackupError as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("stopped; no backup was made", code=130)


def restore(
    folder: Annotated[Path, typer.Argument(help="A backup, or a folder of backups: then the newest.")],
    home: HomeOption = None,
    key: Annotated[Path | None, typer.Option("--key", help="The file with the home's key.", show_default=False)] = None,
    records_from: Annotated[
        list[Path] | None,
        typer.Option(
            "--records-from",
            help="What is left of the home, a list of withdrawals, or copies of releases: what happened since.",
            show_default=False,
        ),
    ] = None,
    nothing_since: Annotated[
        bool, typer.Option("--nothing-since", help="Nobody withdrew and nothing was published since the backup.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Restore a home into a new folder; whoever withdrew after the backup is erased before anything else."""
    from stegvis.orchestration.restore import restore as restore_home
    from stegvis.storage.backup_folder import BackupError

    place = find_home(home)
    try:
        done = restore_home(folder, place, key, records_from or [], nothing_since, say)
    except BackupError as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("stopped; nothing was restored", code=130)
    if as_json:
        print(json.dumps(vars(done), indent=2))
    else:
        print(f"{place.root}: {done.files:,} files, {done.bytes / MEGABYTE:,.0f} MB, as of {done.time[:16]}Z")
        for source in done.read:
            print(f"records since then were read from {source}")
        if done.withdrawn:
            print(f"withdrawn since then: {done.withdrawn:,}; erased from what was restored")
        for release in done.releases:
            print(f"published since then and taken over: {release}")
        for note in done.notes:
            print(note)
        print("next: stegvis verify, then stegvis refresh")
    raise typer.Exit(1 if done.notes else 0)


def _back_up(home: Home, folder: Path, landing: bool, key_to: Path | None, keep_days: int, as_json: bool) -> None:
    """Make a backup and print what it is."""
    from stegvis.storage.backup import back_up
    from stegvis.storage.backups_made import key_was_saved

    made = back_up(home, folder, landing, key_to, keep_days, say)
    if as_json:
        print(json.dumps(vars(made), indent=2))
    else:
        print(
            f"{made.path}: {made.files:,} files, {made.bytes / MEGABYTE:,.0f} MB, "
            f"{made.copied / MEGABYTE:,.0f} MB of it copied"
        )
        for name in made.removed:
            print(f"deleted, older than {keep_days} days: {name}")
    if not landing:
        say("the landing zone is not in it: it belongs to the data owner (--landing includes it)")
    if key_to:
        say(f"the home's key is in {key_to}: store it apart from the backup")
    elif not key_was_saved(home.root):
        say("the home's key is in no file of its own, and nothing can be restored without it: --key-to FILE")


def _check(folder: Path, as_json: bool) -> None:
    """Compare the backups of a folder, or one backup, with their hashes, and exit."""
    from stegvis.storage.backup_folder import backups_in, open_backup, problems

    found: list[Backup] = backups_in(folder) or [open_backup(folder)]
    results = {each.folder.name: list(problems(each)) for each in found}
    if as_json:
        print(json.dumps(results, indent=2))
    else:
        for each in found:
            wrong = "; ".join(results[each.folder.name])
            print(f"{each.folder.name}: {wrong or f'{len(each.manifest.files):,} files as they were backed up'}")
    raise typer.Exit(1 if any(results.values()) else 0)
