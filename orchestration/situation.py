"""A home at one moment: everything that decides what is stale.

Belongs here: gathering deliveries, memory, protocol and verdicts, and the state of one partition of one asset.
Level-triggered: the answer depends on the present state only, so nothing is missed by a lost event. Does not belong
here: choosing what runs next (``plan.py``), running (``refresh.py``, ``automation.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from dagster import DagsterInstance

from stegvis.assets.building.graph import recipes
from stegvis.assets.building.history import is_data
from stegvis.assets.building.partitions import Kind
from stegvis.assets.building.recipe import Recipe, fingerprint
from stegvis.assets.building.records import WHOLE_KEY, Records, inputs
from stegvis.orchestration.instance import partition_keys
from stegvis.orchestration.verdicts import held_fingerprints
from stegvis.storage.home import Home
from stegvis.storage.landing import Landing, scan
from stegvis.storage.records import damaged_files
from stegvis.study.protocol import Protocol, protocol

State = Literal["fresh", "stale", "new", "held", "waiting"]


@dataclass(frozen=True)
class Step:
    """The state of one partition of one asset.

    Attributes:
        state: fresh; stale (published, but out of step); new (never published); held (these very inputs broke a
        critical rule before); waiting (an input does not exist yet).
        reasons: why, each a phrase a person understands.
        certain: it must run whatever its upstream assets turn out to be: it is new, or its method changed.
        published: an earlier version is in the warehouse.
        fingerprint: of what it would be made from now.
    """

    asset: str
    partition: str
    state: State
    reasons: tuple[str, ...]
    certain: bool
    published: bool
    fingerprint: str = ""

    @property
    def label(self) -> str:
        return f"{self.asset} [{self.partition}]" if self.partition else self.asset


def label(asset: str, key: str) -> str:
    """A partition of an asset as provenance names it: ``report[2021-2023]``, or the asset's name alone."""
    return f"{asset}[{key}]" if key else asset


@dataclass
class Situation:
    """What is delivered, remembered, in force and held back.

    Attributes:
        held: the fingerprint at which each (asset, partition) last broke a critical rule.
    """

    home: Home
    landing: Landing
    partitions: dict[Kind, list[str]]
    records: Records
    protocol: Protocol
    held: Mapping[tuple[str, str], str]
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
        """Assets were made, or tried: forget what was known of them and of their checks."""
        self.records.forget()
        self._damage.clear()
        self.held = held_fingerprints(self.home)

    def step(self, recipe: Recipe, key: str, expected: frozenset[str] = frozenset()) -> Step:
        """The state of one partition of one asset.

        Args:
            recipe: the asset.
            key: its partition ('' for the whole).
            expected: labels of upstream partitions that will exist by then, made earlier in the same run.
        """
        data, absent = inputs(recipe, key, self.recipes, self.records, self.landing)
        absent = [a for a in absent if a not in expected and not any(each.startswith(f"{a}[") for each in expected)]
        method = self.methods[recipe.name]
        now = method | data
        mark = fingerprint(now)
        remembered = self.records.published(recipe).get(key)

        def state(name: State, reasons: tuple[str, ...], certain: bool = False) -> Step:
            return Step(recipe.name, key, name, reasons, certain, remembered is not None, mark)

        if absent:
            return state("waiting", tuple(f"{each} does not exist yet" for each in absent))
        damaged = self._damaged_files(recipe, key)
        if remembered and damaged:
            return state("stale", (f"{damaged} of its files in the lake are gone or damaged",), certain=True)
        if remembered and remembered.fingerprint == mark:
            return state("fresh", ())
        if self.held.get((recipe.name, key)) == mark:
            return state("held", ("a critical rule failed on these very inputs",))
        if remembered is None:
            return state("new", ("never made",), certain=True)
        before = remembered.made_from
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


def situation(home: Home, instance: DagsterInstance, landing: Landing | None = None) -> Situation:
    """A home as it is now."""
    landing = landing or scan(home.landing, home.hash_cache)
    partitions = partition_keys(landing, instance)
    return Situation(home, landing, partitions, Records(home), protocol(), held_fingerprints(home))


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The causes between two provenances, in words."""
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
