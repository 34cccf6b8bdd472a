"""The paths of a Stegvis home."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from stegvis.storage.home_format import check_format, write_format


class LandingAddressError(ValueError):
    """The landing zone is named by an address where a folder is expected."""


@dataclass(frozen=True)
class Home:
    """One Stegvis home: landing zone, warehouse, lake, releases and Dagster's own storage."""

    root: Path
    landing: Path

    @classmethod
    def find(cls, root: Path | str | None = None) -> Home:
        """The named home, else ``STEGVIS_HOME``, else ``.stegvis`` in the working directory.

        The landing zone is ``STEGVIS_LANDING`` where that is set, else ``landing`` inside the home.
        """
        base = Path(root or os.environ.get("STEGVIS_HOME") or ".stegvis").expanduser().resolve()
        landing = os.environ.get("STEGVIS_LANDING")
        if landing and "://" in landing:
            raise LandingAddressError(
                f"STEGVIS_LANDING names a folder, not {landing}: a landing zone in object storage is named in "
                f'storage.toml in the home, as landing = "{landing}" (docs/cluster.md)'
            )
        return cls(base, Path(landing).expanduser().resolve() if landing else base / "landing")

    @property
    def study(self) -> Path:
        """What is particular to the study, edited and kept under version control (``stegvis init``)."""
        return self.root / "study"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def warehouse_lock(self) -> Path:
        return self.root / "warehouse.lock"

    @property
    def refresh_lock(self) -> Path:
        return self.root / "refresh.lock"

    @property
    def lake(self) -> Path:
        return self.root / "lake"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @staticmethod
    def report_address(release: str, page: str = "index.html") -> str:
        """The address of a page of a release, below ``STEGVIS_REPORTS_URL`` (default: as ``stegvis ui`` serves it)."""
        base = os.environ.get("STEGVIS_REPORTS_URL") or "http://127.0.0.1:3001"
        return f"{base.rstrip('/')}/{release}/report/{page}"

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"

    @property
    def hash_cache(self) -> Path:
        return self.root / "hashes.json"

    def create(self) -> Home:
        """Create the folders that must exist before anything runs; a new home is open to its owner alone.

        Raises:
            HomeFormatError: a newer Stegvis made the home.
        """
        check_format(self.root)
        for folder in (self.root, self.landing, self.lake, self.releases, self.dagster):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_format(self.root)
        return self

    @property
    def too_open(self) -> str:
        """Who else can read the home, as a sentence; blank where nobody can."""
        mode = self.root.stat().st_mode if self.root.exists() else 0
        others = [name for name, bits in (("its group", 0o070), ("every user of this machine", 0o007)) if mode & bits]
        if not others:
            return ""
        return f"the home is open to {' and '.join(others)}: chmod -R go-rwx {self.root}"
