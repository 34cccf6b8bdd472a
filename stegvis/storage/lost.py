"""Publications that are gone: what a home knows of them, and which waves it must not publish until somebody decides.

Two versions of a number can reveal a person, so a wave whose release is gone is not published again by itself: it keeps
the numbers that the warehouse still has of exactly that publication, or none. Nor is a wave that was published,
retired, and delivered again. New waves are published. A named person may decide that it is published as if for the
first time (``stegvis publish wave``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from stegvis.storage.decisions import PUBLISH, read_decisions
from stegvis.storage.hash_chain import read_lines
from stegvis.storage.releases import LEDGER, MANIFEST, PUBLISHED, manifest, release_folders
from stegvis.study.waves import ACROSS


@dataclass(frozen=True)
class Lost:
    """Releases that are gone.

    Attributes:
        releases: their names, the earliest first; without those about which somebody decided.
        known: what is known of each wave's newest publication, by wave, as in a manifest.
        there: the same, of the newest release that is there.
        unknown: whether it is not known of every release that is gone which waves it had.
        missing: whether any release is gone.
        decided: waves that a person decided to publish again.
        retired: waves that were published and are not in the newest release.
    """

    releases: tuple[str, ...] = ()
    known: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    there: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    unknown: bool = False
    missing: bool = False
    decided: frozenset[str] = frozenset()
    retired: frozenset[str] = frozenset()

    def is_gone(self, wave: str) -> bool:
        """Whether no release that is there has a wave's newest publication, or the newest release does without it."""
        if wave in self.retired:
            return True
        then = self.known.get(wave)
        return self.missing and (self.there.get(wave) != then if then else self.unknown and wave not in self.there)

    @property
    def repeated(self) -> dict[str, Mapping[str, Any]]:
        """``known`` without the waves that are published as if for the first time."""
        return {wave: each for wave, each in self.known.items() if not (self.is_gone(wave) and wave in self.decided)}

    def holds(self, wave: str) -> bool:
        """Whether a wave must not be published again by itself."""
        return self.is_gone(wave) and wave not in self.decided

    def sentence(self, wave: str = "") -> str:
        """Why a wave, or anything, is not published again by itself, and what to do."""
        if wave in self.retired:
            return (
                f"wave {wave} was published before and then retired. It is not published again by itself, because a "
                f"number must not be published twice with different values; a named person decides: stegvis publish "
                f"wave {wave}"
            )
        first = self.releases[0] if len(self.releases) == 1 else f"{self.releases[0]} and {len(self.releases) - 1} more"
        return (
            f"published before, but gone from the folder of releases: {first}; restore them from a backup. Until then "
            "only new waves are published, because a number must not be published twice with different values. "
            f"If they cannot be restored, a named person decides: stegvis publish wave {wave or 'WAVE'}"
        )


def lost_releases(releases: Path) -> list[str]:
    """The releases that were published from this home and are not in its folder of releases, the earliest first."""
    published = [*read_lines(releases.parent / PUBLISHED), *read_lines(releases / LEDGER)]
    names = dict.fromkeys(str(entry["release"]) for entry in published)
    return [name for name in names if not (releases / name / MANIFEST).is_file()]


def lost(releases: Path) -> Lost:
    """What is gone of the publications of a home, given the folder of its releases.

    Raises:
        DecisionError: the file of decisions was damaged.
    """
    names = lost_releases(releases)
    lines = read_lines(releases.parent / PUBLISHED)
    about = {str(line["release"]): dict(line["waves"]) for line in lines if line.get("waves")}
    known: dict[str, Mapping[str, Any]] = {}
    for line in lines:
        known |= about.get(str(line["release"]), {})
    folders = release_folders(releases)
    there = dict(manifest(folders[-1]).get("waves", {})) if folders else {}
    retired = frozenset(known.keys() - there.keys() - {ACROSS}) if not names else frozenset()
    if not (names or retired):
        return Lost()
    decided: dict[str, set[str]] = {}
    for line in read_decisions(releases.parent):
        if line.get("decision") == PUBLISH:
            for name in line.get("lost", []):
                decided.setdefault(str(name), set()).add(str(line["wave"]))
    if not names:
        # Decided since its last publication: one decision is for one more.
        again = (wave for wave in retired if wave in decided.get(str(known[wave].get("release")), ()))
        return Lost(known=known, there=there, decided=frozenset(again), retired=retired)
    everywhere = frozenset(wave for of_name in decided.values() for wave in of_name)
    found = Lost((), known, there, any(name not in about for name in names), True, everywhere)
    open_ = [name for name in names if not _settled(found, about.get(name), decided.get(name, set()))]
    return replace(found, releases=tuple(open_))


def _settled(found: Lost, waves: Mapping[str, Any] | None, decided: set[str]) -> bool:
    """Whether somebody decided about each wave of a lost release that no other release has."""
    if waves is None:
        return bool(decided)
    return all(wave in decided or not found.is_gone(wave) for wave in waves if wave != ACROSS)
