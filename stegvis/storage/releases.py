"""The releases of a home: their folders, what they published, the release ledger, and which is the latest.

The release ledger, ``ledger.jsonl``, is a hash chain (``hash_chain.py``) with a line for each release in
the order of publication: its name and the hash of its manifest. If its last lines are removed, there are folders of
releases that no line names.

The names, and where each wave's numbers come from, are also kept beside the folder of releases, in ``published.jsonl``:
a home whose releases are gone must not publish the same waves again (``lost.py``).
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stegvis.storage.hash_chain import add_line, read_lines
from stegvis.storage.lock import locked

if TYPE_CHECKING:
    import pandas as pd

    from stegvis.disclosure.tables import Tables

MANIFEST = "manifest.json"
LEDGER = "ledger.jsonl"
PUBLISHED = "published.jsonl"


class ReleaseError(ValueError):
    """A release cannot be read; the message names it."""


@dataclass(frozen=True)
class Published:
    """What a release published.

    Attributes:
        release: its name.
        waves: by wave (and ``all`` for the results across them): ``release`` (whose numbers they are), ``deliveries``
            (a keyed hash of what they were made from) and ``method`` (hashes of protocol and code).
        tables: results, exclusion steps and Table 1.
        histogram: people by bin of each exposure.
        suppressed: the log of suppressed numbers.
    """

    release: str
    waves: dict[str, dict[str, Any]]
    tables: Tables
    histogram: pd.DataFrame
    suppressed: list[dict[str, Any]]

    def origin(self, wave: str) -> dict[str, Any]:
        """Where a wave's numbers come from."""
        return self.waves.get(wave, {"release": self.release})


def release_folders(releases: Path) -> list[Path]:
    """The folders of all releases, the earliest first: in the order of the ledger, which no clock changes.

    A release that is not in the ledger, because its publication was interrupted, follows those that are.
    """
    folders = releases.glob("*/") if releases.is_dir() else ()
    found = [f for f in folders if not f.is_symlink() and not f.name.startswith(".") and (f / MANIFEST).is_file()]
    place = {str(line.get("release")): number for number, line in enumerate(read_lines(releases / LEDGER))}
    return sorted(found, key=lambda folder: (place.get(folder.name, len(place)), _created(folder), folder.name))


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
    return _json(release / MANIFEST, f"the manifest of {release.name}")


def manifest_sha256(release: Path) -> str:
    """The hash that identifies a whole release: its manifest holds the hashes of all its files."""
    return hashlib.sha256((release / MANIFEST).read_bytes()).hexdigest()


def latest(releases: Path) -> Path | None:
    """The folder ``latest`` points at, if there is one.

    Raises:
        ReleaseError: it is no link.
    """
    link = _latest_link(releases)
    return link.resolve() if link.exists() else None


def _latest_link(releases: Path) -> Path:
    link = releases / "latest"
    if link.exists() and not link.is_symlink():
        what = "folder" if link.is_dir() else "file"
        raise ReleaseError(
            f"{releases.name}/latest is a {what}, where a link to a release belongs: move it away; the next refresh "
            "makes the link again"
        )
    return link


def newest(releases: Path) -> Path | None:
    """The release published last, whether or not it has become the latest."""
    entries = [entry["release"] for entry in read_lines(releases / LEDGER)]
    there = [releases / name for name in reversed(entries) if (releases / name / MANIFEST).is_file()]
    return there[0] if there else latest(releases)


def _unreadable(what: str) -> ReleaseError:
    why = "what may be published depends on it: restore the release from a backup"
    return ReleaseError(f"{what} cannot be read, and {why}")


def newest_published(releases: Path) -> Published | None:
    """What the newest release that is there published; None if there is no release.

    Raises:
        ReleaseError: a part of the newest is absent or cannot be read.
    """
    folders = release_folders(releases)
    if not folders:
        return None
    folder = folders[-1]
    facts = manifest(folder)
    log = [
        dict(row)
        for row in _json(folder / "disclosure.json", f"disclosure.json of release {folder.name}").get("held_back", [])
    ]
    histogram = _histogram(folder)
    return Published(folder.name, dict(facts.get("waves", {})), _tables(folder), histogram, log)


def _json(file: Path, what: str) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise _unreadable(what) from error


def _tables(release: Path) -> Tables:
    import pandas as pd

    from stegvis.disclosure.tables import Tables

    try:
        texts = {"keep_default_na": False, "na_values": [""]}
        return Tables(
            pd.read_parquet(release / "results.parquet"),
            pd.read_csv(release / "attrition.csv", **texts),  # type: ignore[call-overload]
            pd.read_csv(release / "characteristics.csv", **texts),  # type: ignore[call-overload]
        )
    except (OSError, ValueError) as error:
        raise _unreadable(f"a table of release {release.name}") from error


def _histogram(release: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_csv(release / "histogram.csv")
    except (OSError, ValueError) as error:
        raise _unreadable(f"the histogram of release {release.name}") from error


def published_checks(releases: Path) -> list[dict[str, Any]]:
    """The checks that the newest release published; none if there is no release.

    Raises:
        ReleaseError: they cannot be read.
    """
    folders = release_folders(releases)
    if not folders:
        return []
    try:
        return list(json.loads((folders[-1] / "checks.json").read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise _unreadable(f"the checks of release {folders[-1].name}") from error


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
                folder = releases / str(entry["release"])
                facts = manifest(folder).get("waves", {}) if (folder / MANIFEST).is_file() else {}
                add_line(releases.parent / PUBLISHED, {"release": entry["release"], "waves": facts})


def point_latest(releases: Path, name: str) -> None:
    """Make a release the latest."""
    link = releases / f".latest-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(name)
    link.replace(_latest_link(releases))
