"""How much disk a home uses, by its parts, and how much is free."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stegvis.storage.home import Home


@dataclass(frozen=True)
class FreeSpace:
    """The space of a disk that a home writes to, in bytes."""

    free: int
    total: int

    @property
    def share(self) -> float:
        """The free share of the disk."""
        return self.free / self.total if self.total else 1.0


def disk_use(home: Home, dagster: Path) -> dict[str, int]:
    """Bytes of each part of a home; what is in two parts at once is counted in the first.

    Args:
        home: the home.
        dagster: the folder of Dagster's storage, which may be elsewhere.
    """
    publications = home.root / "publications"
    parts = {
        "warehouse": home.root.glob(f"{home.warehouse.name}*"),
        "lake": [home.lake],
        "releases": [home.releases, publications],
        "dagster": [dagster],
        "landing": [home.landing],
    }
    seen: set[tuple[int, int]] = set()
    return {name: sum(_bytes(place, seen) for place in places) for name, places in parts.items()}


def free_space(places: Iterable[Path]) -> FreeSpace | None:
    """The fullest of the disks that these folders are on; None where none exists."""
    found = []
    for place in places:
        try:
            usage = shutil.disk_usage(place)
        except OSError:
            continue
        found.append(FreeSpace(usage.free, usage.total))
    return min(found, key=lambda each: each.share, default=None)


def _bytes(place: Path, seen: set[tuple[int, int]]) -> int:
    """Bytes on the disk of a file, or of everything in a folder; links are not followed."""
    total, waiting = 0, [place]
    while waiting:
        here = waiting.pop()
        try:
            state = here.lstat()
            if not here.is_dir() or here.is_symlink():
                total += _once(state, seen)
                continue
            with os.scandir(here) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
                    else:
                        total += _once(entry.stat(follow_symlinks=False), seen)
        except OSError:  # it went away meanwhile, or may not be read
            continue
    return total


def _once(state: os.stat_result, seen: set[tuple[int, int]]) -> int:
    """The bytes of a file, unless it was counted under another name."""
    if state.st_nlink > 1:
        if (state.st_dev, state.st_ino) in seen:
            return 0
        seen.add((state.st_dev, state.st_ino))
    return state.st_blocks * 512
