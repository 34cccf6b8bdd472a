"""The releases of a home: their folders, what they published, the release ledger, and which is the latest.

The release ledger, ``ledger.jsonl``, is a hash chain (``hash_chain.py``) with a line for each release in
the order of publication: its name and the hash of its manifest. If its last lines are removed, there are folders of
releases that no line names.

The names are also kept beside the folder of releases, in ``published.jsonl``: a home whose releases are gone must not
publish the same waves again, because two different versions of a number could reveal a person.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from stegvis.disclosure.tables import Tables
from stegvis.storage.hash_chain import add_line, read_lines
from stegvis.storage.lock import locked

MANIFEST = "manifest.json"
LEDGER = "ledger.jsonl"
PUBLISHED = "published.jsonl"


class ReleaseError(ValueError):
    """A release cannot be read; the message names it."""


def release_folders(releases: Path) -> list[Path]:
    """The folders of all releases, the earliest first."""
    folders = releases.glob("*/") if releases.is_dir() else ()
    found = [f for f in folders if not f.is_symlink() and not f.name.startswith(".") and (f / MANIFEST).is_file()]
    return sorted(found, key=lambda folder: (_created(folder), folder.name))


def _created(release: Path) -> str:
    """When a release was made; blank if its manifest does not say."""
    try:
        return str(manifest(release).get("created", ""))
    except ReleaseError:
        return ""


def manifest(release: Path) -> dict[str, Any]:
    """The manifest of a release.

    Raises:
        ReleaseError: it cannot be read.
    """
    try:
        return dict(json.loads((release / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ReleaseError(
            f"the manifest of {release.name} cannot be read: what may be published depends on it"
        ) from error


def manifest_sha256(release: Path) -> str:
    """The hash that identifies a whole release: its manifest holds the hashes of all its files."""
    return hashlib.sha256((release / MANIFEST).read_bytes()).hexdigest()


def latest(releases: Path) -> Path | None:
    """The folder ``latest`` points at, if there is one."""
    link = releases / "latest"
    return link.resolve() if link.exists() else None


def newest(releases: Path) -> Path | None:
    """The release published last, whether or not it has become the latest."""
    entries = [entry["release"] for entry in read_lines(releases / LEDGER)]
    there = [releases / name for name in reversed(entries) if (releases / name / MANIFEST).is_file()]
    return there[0] if there else latest(releases)


def lost_releases(releases: Path) -> list[str]:
    """The releases that were published from this home and are not in its folder of releases, the earliest first."""
    published = [*read_lines(releases.parent / PUBLISHED), *read_lines(releases / LEDGER)]
    names = dict.fromkeys(str(entry["release"]) for entry in published)
    return [name for name in names if not (releases / name / MANIFEST).is_file()]


def lost_sentence(names: Sequence[str]) -> str:
    """What a home says whose releases are gone."""
    first = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    return (
        f"published before, but gone from the folder of releases: {first}; restore them from a backup. "
        "Until then nothing is published, because a number must not be published twice with different values"
    )


def published_tables(releases: Path) -> list[Tables]:
    """The tables each release published, the earliest first.

    Raises:
        ReleaseError: a release is gone, or a table of it is absent or cannot be read.
    """
    if lost := lost_releases(releases):
        raise ReleaseError(lost_sentence(lost))
    return [_tables(folder) for folder in release_folders(releases)]


def _tables(release: Path) -> Tables:
    try:
        texts = {"keep_default_na": False, "na_values": [""]}
        return Tables(
            pd.read_parquet(release / "results.parquet"),
            pd.read_csv(release / "attrition.csv", **texts),  # type: ignore[call-overload]
            pd.read_csv(release / "characteristics.csv", **texts),  # type: ignore[call-overload]
        )
    except (OSError, ValueError) as error:
        raise ReleaseError(
            f"the tables of release {release.name} cannot be read: what may be published depends on it"
        ) from error


def published_histogram(releases: Path) -> pd.DataFrame | None:
    """The histogram of exposures that the newest release published; None if there is none.

    Raises:
        ReleaseError: it cannot be read.
    """
    folders = release_folders(releases)
    if not folders or not (file := folders[-1] / "histogram.csv").is_file():
        return None
    try:
        return pd.read_csv(file)
    except (OSError, ValueError) as error:
        raise ReleaseError(
            f"the histogram of release {folders[-1].name} cannot be read: what may be published depends on it"
        ) from error


def published_checks(releases: Path) -> list[list[dict[str, Any]]]:
    """The checks each release published, the earliest first.

    Raises:
        ReleaseError: a release's checks cannot be read.
    """
    found = []
    for release in release_folders(releases):
        try:
            found.append(list(json.loads((release / "checks.json").read_text(encoding="utf-8"))))
        except (OSError, ValueError) as error:
            raise ReleaseError(
                f"the checks of release {release.name} cannot be read: what may be published depends on it"
            ) from error
    return found


def enter_in_ledger(releases: Path, published: str | None = None) -> None:
    """Enter in the release ledger what is missing: the release just published, and any that was interrupted.

    Args:
        releases: the folder of releases.
        published: the release just published; entered again if another one was published since it was made.
    """
    with locked(releases.parent / "ledger.lock", "the release ledger"):
        entries = [entry["release"] for entry in read_lines(releases / LEDGER)]
        missing = [folder.name for folder in release_folders(releases) if folder.name not in entries]
        if published and published not in missing and (not entries or entries[-1] != published):
            missing.append(published)
        for name in missing:
            sha256 = manifest_sha256(releases / name)
            add_line(releases / LEDGER, {"release": name, "manifest_sha256": sha256})
        known = {entry["release"] for entry in read_lines(releases.parent / PUBLISHED)}
        for entry in read_lines(releases / LEDGER):
            if entry["release"] not in known:
                known.add(entry["release"])
                add_line(releases.parent / PUBLISHED, {"release": entry["release"]})


def point_latest(releases: Path, name: str) -> None:
    """Make a release the latest."""
    link = releases / f".latest-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(name)
    link.replace(releases / "latest")
