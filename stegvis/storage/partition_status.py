"""The status of every partition of every table of a home, from what is there at one moment.

It depends on the present state only, so a lost event cannot make it wrong. Choosing what runs next is in
``stegvis.orchestration.plan``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Literal

from stegvis.provenance.fingerprint import fingerprint
from stegvis.storage.home import Home
from stegvis.storage.landing import Landing
from stegvis.storage.lost import Lost
from stegvis.storage.records import damaged_files
from stegvis.storage.release_gate import hindrances, new_waves
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


@dataclass
class HomeState:
    """What is delivered, what is published and from what, and the study as it is.

    Attributes:
        tables: by name, upstream before downstream.
        lost: what was published before and is not in the folder of releases any more.
    """

    home: Home
    landing: Landing
    partitions: dict[Kind, list[str]]
    records: Records
    study: Study
    tables: Mapping[str, Table]
    lost: Lost = field(default_factory=Lost)
    _damage: dict[tuple[str, str], int] = field(default_factory=dict, repr=False)

    @cached_property
    def methods(self) -> dict[str, dict[str, str]]:
        """Of each asset, everything but the data that decides its result."""
        return {name: table.method(self.study) for name, table in self.tables.items()}

    @cached_property
    def _current(self) -> Callable[[str], str | None]:
        """``Study.current``, asked once for each of its values: every partition was made from most of them."""
        return cache(self.study.current)

    @property
    def protocol(self) -> Protocol:
        return self.study.protocol

    def keys(self, table: Table) -> list[str]:
        """The partitions an asset has now."""
        return [WHOLE_KEY] if table.partition is None else self.partitions[table.partition]

    def made(self, *assets: str) -> None:
        """Assets were made, or tried: read their records and check results again."""
        self.records.forget()
        self._damage.clear()

    def partition_status(self, table: Table, key: str, expected: frozenset[str] = frozenset()) -> PartitionStatus:
        """The status of one partition of one asset.

        Args:
            table: the asset.
            key: its partition ('' for the whole).
            expected: labels of upstream partitions that will exist by then, made earlier in the same run.
        """
        data, absent = inputs(table, key, self.records, self.landing)
        not_now = set(absent)
        absent = [a for a in absent if a not in expected and not any(each.startswith(f"{a}[") for each in expected)]
        method = self.methods[table.name]
        last = self.records.published(table.name).get(key)
        before = last.made_from if last else {}
        now = would_be_made_from(method | data, before, self._current)
        refused = self.records.refused(table.name, key)

        def state(name: State, reasons: tuple[str, ...], certain: bool = False) -> PartitionStatus:
            return PartitionStatus(table.name, key, name, reasons, certain, last is not None, fingerprint(now))

        if absent:
            missing = state("missing upstream", tuple(f"{each} does not exist yet" for each in absent))
            return replace(missing, descendant=True)
        if self.lost.releases and table.name == "release" and not new_waves(self):
            return state("blocked", (self.lost.sentence(),))
        damaged = self._damaged_files(table, key)
        if last and damaged:
            return state("stale", (f"{damaged} of its files in the lake are gone or damaged",), certain=True)
        lost = [member for member in table.members if last and key not in self.records.published(member)]
        if lost:
            return state("stale", tuple(self.records.lost(member) for member in lost), certain=True)
        if last and before == now:
            return state("up to date", ())
        if table.name == "disclosure" and self.lost.holds(key):
            return state("blocked", (self.lost.sentence(key),))
        if refused is not None and would_be_made_from(method | data, refused, self._current) == refused:
            why = self.records.why_refused(table, key)
            if why and not self.records.broke_a_check(table, key):
                return state("blocked", why)
            return state("blocked", (f"a critical check failed: {'; '.join(why) or 'on these inputs'}",))
        if table.name == "release" and (why := hindrances(self, expected)):
            return state("blocked", why)
        if last is None:
            return state("never built", (self.records.lost(table.name) or "never made",), certain=True)
        certain = any(before.get(name) != now.get(name) for name in before.keys() | now.keys() if not is_data(name))
        # What is made in the same run is compared when it has been made.
        compared = {name: each for name, each in before.items() if not {name, name.partition("[")[0]} & not_now}
        return state("stale", tuple(differences(compared, now)), certain)

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


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What differs between two fingerprints, in words."""
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
