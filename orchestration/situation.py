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

from stegvis.assets.graph import tables
from stegvis.orchestration.instance import partition_keys
from stegvis.provenance.fingerprint import fingerprint
from stegvis.storage.home import Home
from stegvis.storage.landing import Landing, scan
from stegvis.storage.records import damaged_files
from stegvis.storage.tables import (
    WHOLE_KEY,
    Kind,
    Records,
    Table,
    inputs,
    is_data,
    is_of_study,
    would_be_made_from,
)
from stegvis.study.protocol import Protocol
from stegvis.study.study import Study

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


@dataclass
class Situation:
    """What is delivered, what is published and from what, and the study as it is."""

    home: Home
    landing: Landing
    partitions: dict[Kind, list[str]]
    records: Records
    study: Study
    tables: Mapping[str, Table] = field(default_factory=tables)
    _damage: dict[tuple[str, str], int] = field(default_factory=dict, repr=False)

    @cached_property
    def methods(self) -> dict[str, dict[str, str]]:
        """Of each asset, everything but the data that decides its result."""
        return {name: table.method(self.study) for name, table in self.tables.items()}

    @property
    def protocol(self) -> Protocol:
        return self.study.protocol

    def keys(self, table: Table) -> list[str]:
        """The partitions an asset has now."""
        return [WHOLE_KEY] if table.partition is None else self.partitions[table.partition]

    def made(self, *assets: str) -> None:
        """Assets were made, or tried: forget what was known of them and of their checks."""
        self.records.forget()
        self._damage.clear()

    def step(self, table: Table, key: str, expected: frozenset[str] = frozenset()) -> Step:
        """The state of one partition of one asset.

        Args:
            table: the asset.
            key: its partition ('' for the whole).
            expected: labels of upstream partitions that will exist by then, made earlier in the same run.
        """
        data, absent = inputs(table, key, self.records, self.landing)
        absent = [a for a in absent if a not in expected and not any(each.startswith(f"{a}[") for each in expected)]
        method = self.methods[table.name]
        remembered = self.records.published(table.name).get(key)
        before = remembered.made_from if remembered else {}
        now = would_be_made_from(method | data, before, self.study)
        refused = self.records.refused(table.name, key)

        def state(name: State, reasons: tuple[str, ...], certain: bool = False) -> Step:
            return Step(table.name, key, name, reasons, certain, remembered is not None, fingerprint(now))

        if absent:
            return state("waiting", tuple(f"{each} does not exist yet" for each in absent))
        damaged = self._damaged_files(table, key)
        if remembered and damaged:
            return state("stale", (f"{damaged} of its files in the lake are gone or damaged",), certain=True)
        lost = [member for member in table.members if remembered and key not in self.records.published(member)]
        if lost:
            return state("stale", (f"{', '.join(lost)} is not in the warehouse",), certain=True)
        if remembered and before == now:
            return state("fresh", ())
        if refused is not None and would_be_made_from(method | data, refused, self.study) == refused:
            return state("held", ("a critical rule failed on these very inputs",))
        if remembered is None:
            return state("new", ("never made",), certain=True)
        certain = any(before.get(name) != now.get(name) for name in before.keys() | now.keys() if not is_data(name))
        return state("stale", tuple(differences(before, now)), certain)

    def _damaged_files(self, table: Table, key: str) -> int:
        """How many of the lake files that belong to a partition are not as they were published."""
        made = self.records.published(table.name).get(key)
        if not made or not made.files:
            return 0
        # Asked for several times; a file with another time of change is read each time.
        place = (table.name, key)
        if place not in self._damage:
            self._damage[place] = len(damaged_files(self.home.root, made.files))
        return self._damage[place]


def situation(home: Home, instance: DagsterInstance, landing: Landing | None = None) -> Situation:
    """A home as it is now."""
    landing = landing or scan(home.landing, home.hash_cache)
    partitions = partition_keys(landing, instance)
    return Situation(home, landing, partitions, Records(home), Study.shipped())


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The causes between two provenances, in words."""
    causes = []
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        if old == new:
            continue
        if is_of_study(name) and old and new and len(old) + len(new) < 80:
            causes.append(f"{name} changed from {old} to {new}")
        elif old is None:
            causes.append(f"{name} is new")
        elif new is None:
            causes.append(f"{name} is gone")
        else:
            causes.append(f"{name} changed")
    return causes
