"""A home at one moment: everything that decides what is stale.

Belongs here: gathering deliveries, materialization records, protocol and check results, and the status of one
partition of one asset. It depends on the present state only, so a lost event cannot make it wrong. Does not belong
here: choosing what runs next (``plan.py``), running (``refresh.py``, ``automation.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from dagster import DagsterInstance

from stegvis.assets.building.graph import recipes
from stegvis.assets.building.history import is_data
from stegvis.assets.building.partitions import Kind
from stegvis.assets.building.recipe import Recipe, fingerprint
from stegvis.assets.building.records import WHOLE_KEY, Records, inputs
from stegvis.orchestration.check_results import blocked_fingerprints, lost_partitions
from stegvis.orchestration.instance import partition_keys
from stegvis.storage.home import Home
from stegvis.storage.landing import Landing, scan
from stegvis.storage.records import damaged_files
from stegvis.storage.releases import lost_releases, lost_sentence
from stegvis.study.protocol import Protocol, protocol

# What they publish depends on what was published before.
_COMPARE_RELEASES = ("disclosure", "release")

State = Literal["up to date", "stale", "never built", "blocked", "missing upstream"]


@dataclass(frozen=True)
class PartitionStatus:
    """The status of one partition of one asset.

    Attributes:
        state: stale (published, but from other inputs or by another method), blocked (its current inputs failed a
            critical check) or missing upstream (an upstream table has no rows for it), for example.
        reasons: why, each a phrase a person understands.
        certain: it must run whatever its upstream assets turn out to be: never built, or its method changed.
        published: an earlier version is in the warehouse.
        descendant: no cause of its own; it follows from an upstream table that is not up to date.
        fingerprint: of what it would be made from now.
    """

    asset: str
    partition: str
    state: State
    reasons: tuple[str, ...]
    certain: bool
    published: bool
    fingerprint: str = ""
    descendant: bool = False

    @property
    def label(self) -> str:
        return f"{self.asset} [{self.partition}]" if self.partition else self.asset


def label(asset: str, key: str) -> str:
    """A partition of an asset as records name it: ``report[2021-2023]``, or the asset's name alone."""
    return f"{asset}[{key}]" if key else asset


@dataclass
class HomeState:
    """What is delivered and recorded, the protocol in force, and what is blocked.

    Attributes:
        blocked: the fingerprint at which each (asset, partition) last failed a critical check.
        lost: why the published rows of an (asset, partition) are not in the warehouse any more.
        lost_releases: what was published before and is not in the folder of releases any more.
    """

    home: Home
    landing: Landing
    partitions: dict[Kind, list[str]]
    records: Records
    protocol: Protocol
    blocked: Mapping[tuple[str, str], str]
    lost: Mapping[tuple[str, str], str]
    lost_releases: tuple[str, ...] = ()
    recipes: Mapping[str, Recipe] = field(default_factory=lambda: recipes())
    _damage: dict[tuple[str, str], int] = field(default_factory=dict, repr=False)

    @cached_property
    def methods(self) -> dict[str, dict[str, str]]:
        """Of each asset, everything but the data that decides its result."""
        return {name: recipe.method(self.protocol) for name, recipe in self.recipes.items()}

    def keys(self, recipe: Recipe) -> list[str]:
        """The partitions an asset has now."""
        return [WHOLE_KEY] if recipe.partition is None else self.partitions[recipe.partition]

    def made(self, *assets: str) -> None:
        """Assets were made, or tried: read their records and check results again."""
        self.records.forget()
        self._damage.clear()
        self.blocked = blocked_fingerprints(self.home)
        self.lost = lost_partitions(self.home)

    def partition_status(self, recipe: Recipe, key: str, expected: frozenset[str] = frozenset()) -> PartitionStatus:
        """The status of one partition of one asset.

        Args:
            recipe: the asset.
            key: its partition ('' for the whole).
            expected: labels of upstream partitions that will exist by then, made earlier in the same run.
        """
        data, absent = inputs(recipe, key, self.recipes, self.records, self.landing)
        not_now = set(absent)
        absent = [a for a in absent if a not in expected and not any(each.startswith(f"{a}[") for each in expected)]
        method = self.methods[recipe.name]
        now = method | data
        current = fingerprint(now)
        last = self.records.published(recipe).get(key)

        def state(name: State, reasons: tuple[str, ...], certain: bool = False) -> PartitionStatus:
            return PartitionStatus(recipe.name, key, name, reasons, certain, last is not None, current)

        if absent:
            missing = state("missing upstream", tuple(f"{each} does not exist yet" for each in absent))
            return replace(missing, descendant=True)
        if self.lost_releases and recipe.name == "release":
            return state("blocked", (lost_sentence(self.lost_releases),))
        damaged = self._damaged_files(recipe, key)
        if last and damaged:
            return state("stale", (f"{damaged} of its files in the lake are gone or damaged",), certain=True)
        if last and last.fingerprint == current:
            return state("up to date", ())
        if self.lost_releases and recipe.name in _COMPARE_RELEASES:
            return state("blocked", (lost_sentence(self.lost_releases),))
        if self.blocked.get((recipe.name, key)) == current:
            return state("blocked", ("a critical check failed on these inputs",))
        if last is None:
            return state("never built", (self.lost.get((recipe.name, key), "never made"),), certain=True)
        # What is made in the same run is compared when it has been made.
        before = {name: each for name, each in last.made_from.items() if not {name, name.partition("[")[0]} & not_now}
        method_changed = any(before.get(name) != value for name, value in method.items()) or any(
            name not in now and not is_data(name) for name in before
        )
        return state("stale", tuple(differences(before, now)), certain=method_changed)

    def _damaged_files(self, recipe: Recipe, key: str) -> int:
        """How many of the lake files that belong to a partition are not as they were published."""
        owner = self.recipes.get(recipe.makes_files_of, recipe)
        made = self.records.published(owner).get(key)
        if not made or not made.files:
            return 0
        # Asked for several times; a file with another time of change is read each time.
        place = (owner.name, key)
        if place not in self._damage:
            self._damage[place] = len(damaged_files(self.home.root, made.files))
        return self._damage[place]


def home_state(home: Home, instance: DagsterInstance, landing: Landing | None = None) -> HomeState:
    """A home as it is now."""
    landing = landing or scan(home.landing, home.hash_cache)
    records = Records(home)
    partitions = partition_keys(landing, instance)
    for recipe in recipes().values():
        if recipe.partition:
            # Also those that Dagster no longer knows and no delivery names.
            recorded = {*partitions[recipe.partition], *records.published(recipe)}
            partitions[recipe.partition] = sorted(recorded)
    blocked, lost = blocked_fingerprints(home), lost_partitions(home)
    gone = tuple(lost_releases(home.releases))
    return HomeState(home, landing, partitions, records, protocol(), blocked, lost, gone)


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What differs between two fingerprints, in words."""
    causes = []
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        if old == new:
            continue
        if name.startswith("protocol ") and old and new and len(old) + len(new) < 80:
            causes.append(f"{name} changed from {old} to {new}")
        elif old is None:
            causes.append(f"{name} is new")
        elif new is None:
            causes.append(f"{name} is gone")
        else:
            causes.append(f"{name} changed")
    return causes
