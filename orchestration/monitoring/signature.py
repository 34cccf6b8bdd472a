"""Whether a home may have changed since it was last looked at, found out in milliseconds.

A digest of the size and time of change of everything that ``stegvis status`` goes by: the landing zone, the study, the
warehouse, decisions, releases; and of Dagster's failed runs. Belongs here: that digest. Does not belong here: what has
changed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from stegvis.storage.home import Home

# Files of the home whose names end so decide what status says; those of the monitoring itself do not.
_ENDINGS = (".duckdb", ".wal", ".jsonl", ".key")
_OURS = ("alerts.jsonl", "backups.jsonl")


def signature(home: Home, instance: dg.DagsterInstance) -> str:
    """The digest of a home as it is now."""
    digest = hashlib.sha256()
    for line in (*_files(home), *_runs(instance)):
        digest.update(line.encode("utf-8", "surrogateescape"))
        digest.update(b"\n")
    return digest.hexdigest()


def _files(home: Home) -> Iterator[str]:
    yield from (_state(file) for file in sorted(home.root.glob("*")) if _decides(file))
    for folder in (home.study, home.landing, home.root / "withdrawals"):
        yield from _tree(folder)
    # Of the home itself who may read it: its time changes with every lock.
    yield str(home.root.stat().st_mode)
    for file in (home.releases, home.releases / "latest", home.releases / "ledger.jsonl", home.lake):
        yield _state(file)


def _decides(file: Path) -> bool:
    return file.name.endswith(_ENDINGS) and file.name not in _OURS


def _tree(folder: Path) -> Iterator[str]:
    """Every file below a folder, in a fixed order."""
    waiting = [str(folder)]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    state = entry.stat(follow_symlinks=False)
                    yield f"{entry.path} {state.st_mode} {state.st_size} {state.st_mtime_ns}"
        except OSError:
            yield f"{here} cannot be read"
        yield _state(Path(here))


def _state(file: Path) -> str:
    try:
        state = file.lstat()
    except OSError:
        return f"{file} is not there"
    return f"{file} {state.st_mode} {state.st_size} {state.st_mtime_ns}"


def _runs(instance: dg.DagsterInstance) -> Iterator[str]:
    """The newest failed run, and the newest that ended well: a partition that failed may have been made since."""
    for state in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS):
        for record in instance.get_run_records(dg.RunsFilter(statuses=[state]), limit=1):
            yield record.dagster_run.run_id
    for kind in ("wave", "batch"):
        yield ",".join(instance.get_dynamic_partitions(kind))
