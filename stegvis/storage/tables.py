"""What each partition of each table was made from, and what it would be made from now.

Reading the materialization records of a warehouse, and comparing them with the deliveries, upstream tables, code and
study as they are. Choosing what to run is in ``stegvis.orchestration.plan``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from stegvis.plausibility.ranges import Compared
from stegvis.provenance.code import code_parts
from stegvis.provenance.fingerprint import fingerprint, short
from stegvis.provenance.libraries import library_versions
from stegvis.storage.acceptance import accepted_part, how_to_accept
from stegvis.storage.failures import read_failures
from stegvis.storage.faults import Fault, Unusable, read_faults, unusable_drops
from stegvis.storage.home import Home
from stegvis.storage.landing import Drop, Landing
from stegvis.storage.landing import Kind as Delivery
from stegvis.storage.profiles import read_waiting
from stegvis.storage.records import Materialization, read_origins, read_records_and_lost, read_refused
from stegvis.storage.warehouse import WHOLE, Partition, Warehouse
from stegvis.storage.warehouse_state import WarehouseState, warehouse_state
from stegvis.study.protocol import Protocol
from stegvis.study.study import PARTS, Study

if TYPE_CHECKING:
    import duckdb

Kind = Literal["wave", "batch"]
WHOLE_KEY = ""
_DELIVERY = "delivery "
_METHOD = ("library", "sql", "code", "file", "expectations", *PARTS)


@dataclass(frozen=True)
class Table:
    """A table and the others that are made together with it.

    Attributes:
        name: of the table, its asset, its expectations and its module.
        members: its name and those of the tables that the same function makes.
        make: the function that returns the rows.
        partition: whether it is made by wave, by batch or as a whole.
        upstream: the tables it is made from.
        delivery: the kind of delivery it reads.
        until_accepted: a new wave or batch that is far from what is expected waits until a named person accepts it.
    """

    name: str
    members: tuple[str, ...]
    make: Callable[..., Any]
    partition: Kind | None = None
    upstream: tuple[Table, ...] = ()
    delivery: Delivery | None = None
    until_accepted: bool = False

    def __hash__(self) -> int:
        return hash(self.name)

    def rows_of(self, key: str | None) -> Partition:
        """The rows that one materialization replaces."""
        return Partition(self.partition, key) if self.partition else WHOLE

    @property
    def readable(self) -> frozenset[str]:
        """The tables whose rows it may read: those upstream, and its own last rows."""
        return frozenset({*self.members, *(member for table in self.upstream for member in table.members)})

    def expectations(self, member: str, protocol: Protocol) -> list[Any]:
        """What must hold of a member's rows and of its delivery as a whole: ``expectations/<member>.py``."""
        module = importlib.import_module(f"stegvis.expectations.{member}")
        return [*module.suite(protocol), *(module.profile(protocol) if hasattr(module, "profile") else ())]

    def method(self, study: Study) -> dict[str, str]:
        """Code, SQL, files, expectations and library versions, by a name that a person understands.

        Values of the study that are read while the rows are made are recorded then, and are not part of it.
        """
        parts = library_versions() | code_parts(self.make.__module__)
        expected = {member: self.expectations(member, study.protocol) for member in self.members}
        return parts | {"expectations": short(repr(expected))}

    def drops(self, landing: Landing, key: str) -> list[Drop]:
        """The accepted deliveries a partition is read from, in the order they apply."""
        return landing.drops(self.delivery, key if self.partition else None) if self.delivery else []


class _Known(NamedTuple):
    """What the warehouse records of every table and partition."""

    made: Mapping[str, Mapping[str, Materialization]]
    refused: Mapping[tuple[str, str], Mapping[str, str]]
    lost: Mapping[str, str]
    failures: Mapping[tuple[str, str], tuple[str, ...]]
    waiting: Mapping[tuple[str, str], Sequence[Compared]]
    origins: Mapping[str, Mapping[str, str]]
    faults: Mapping[tuple[str, str], Sequence[Fault]]


class Records:
    """The records of a home, read at once and again after ``forget`` if the warehouse has changed."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def forget(self) -> None:
        """Read the records again at the next question."""
        self.__dict__.pop("_known", None)

    def published(self, table: str) -> Mapping[str, Materialization]:
        """The last publication of each partition of a table ('' for the whole)."""
        return self._known.made.get(table, {})

    def refused(self, table: str, key: str) -> Mapping[str, str] | None:
        """What a partition's last attempt was made from, if it broke a critical expectation."""
        return self._known.refused.get((table, key))

    def why_refused(self, table: Table, key: str) -> tuple[str, ...]:
        """What failed at a partition's last attempt, and the next step, each a phrase; no person's value."""
        place = (table.name, key)
        waiting = [each.sentence() for each in self._known.waiting.get(place, ())]
        cure = [how_to_accept(table.partition, key)] if waiting else []
        return (*self._known.failures.get(place, ()), *waiting, *cure)

    def broke_a_check(self, table: Table, key: str) -> bool:
        """Whether a critical check failed at a partition's last attempt."""
        return (table.name, key) in self._known.failures

    def lost(self, table: str) -> str:
        """Why the published rows of a table are not in the warehouse any more; blank where they are, or never were."""
        return self._known.lost.get(table, "")

    def unusable_drops(self, tables: Mapping[str, Table]) -> list[Unusable]:
        """The sealed drops of which nothing could be used."""
        return unusable_drops(self._known.faults, {name: table.delivery for name, table in tables.items()})

    def faults(self, table: str, key: str) -> Sequence[Fault]:
        """What a partition has in quarantine, by drop, file, column and rule."""
        return self._known.faults.get((table, key), ())

    @property
    def origins(self) -> Mapping[str, Mapping[str, str]]:
        """What each wave's numbers that may be published were made from, as hashes."""
        return self._known.origins

    def complete(self, table: Table, key: str) -> bool:
        """Whether every member of a table has published rows for a partition."""
        return all(key in self.published(member) for member in table.members)

    @cached_property
    def _known(self) -> _Known:
        if not self.home.warehouse.exists():
            return _Known({}, {}, {}, {}, {}, {}, {})
        state = warehouse_state(self.home)
        for before, known in _LAST_READ:
            if before == state:
                return known
        with Warehouse(self.home).session("records") as connection:
            known = _read(connection)
            state = warehouse_state(self.home)
        _LAST_READ[:] = [(state, known)] if state else []
        return known


# What was read last, and the state of the warehouse it was read from: stages ask one after the other, and most of what
# they ask lies in a file that nobody has changed since. Opening it takes longer than looking whether it is the same.
_LAST_READ: list[tuple[WarehouseState, _Known]] = []


def _read(connection: duckdb.DuckDBPyConnection) -> _Known:
    records, lost = read_records_and_lost(connection)
    found: dict[str, dict[str, Materialization]] = {}
    for made in records:
        found.setdefault(made.table, {})[made.partition] = made
    return _Known(
        found,
        read_refused(connection),
        lost,
        read_failures(connection),
        read_waiting(connection),
        read_origins(connection),
        read_faults(connection),
    )


def upstream_keys(table: Table, key: str, upstream: Table, records: Records) -> list[str]:
    """Which partitions of an upstream table a partition is made from: the same one, or all that are published."""
    if upstream.partition is None:
        return [WHOLE_KEY]
    if upstream.partition == table.partition:
        return [key]
    return sorted(records.published(upstream.name))


def inputs(table: Table, key: str, records: Records, landing: Landing) -> tuple[dict[str, str], list[str]]:
    """The data a partition would be made from now, by name, and the upstream tables that have none yet."""
    parts: dict[str, str] = {}
    absent: list[str] = []
    for upstream in table.upstream:
        wanted = upstream_keys(table, key, upstream, records)
        if not wanted:
            absent.append(upstream.name)
        for upstream_key in wanted:
            if not records.complete(upstream, upstream_key):
                absent.append(label(upstream.name, upstream_key))
                continue
            for member in upstream.members:
                parts[label(member, upstream_key)] = records.published(member)[upstream_key].data_version
    if table.delivery:
        parts |= {f"{_DELIVERY}{drop.kind}/{drop.name}": drop.digest for drop in table.drops(landing, key)}
    if table.until_accepted and table.partition:
        parts |= accepted_part(records.home.root, table.partition, key) | _delivered_above(table, key, records)
    return parts, absent


def changed_while_read(table: Table, key: str, landing: Landing) -> str:
    """Which deliveries of a partition changed, or went, since the landing zone was scanned, as a sentence, or blank."""
    drops = table.drops(landing, key)
    changed = [f"{drop.kind}/{drop.name}" for drop in drops if not all(file.is_unchanged for file in drop.files)]
    if not changed:
        return ""
    return (
        f"{', '.join(changed)} changed while it was read. The last good rows stay. What has landed must not be "
        "changed: deliver a correction as a drop of its own"
    )


def _delivered_above(table: Table, key: str, records: Records) -> dict[str, str]:
    """The deliveries that the rows of the same wave or batch upstream were made from."""
    above = [records.published(up.name).get(key) for up in table.upstream if up.partition == table.partition]
    return {name: value for made in above if made for name, value in deliveries(made.made_from).items()}


def is_newly_delivered(now: Mapping[str, str], before: Mapping[str, str]) -> bool:
    """Whether the deliveries a partition would be made from are not those that its published rows were made from.

    Args:
        now: its data, as they are.
        before: what its published rows were made from; empty if there are none.
    """
    return not before or deliveries(now) != deliveries(before)


def would_be_made_from(
    now: Mapping[str, str], before: Mapping[str, str], current: Callable[[str], str | None]
) -> dict[str, str]:
    """What a partition would be made from now, if it reads the same values of the study as before.

    Args:
        now: its method and its data, as they are.
        before: what it was made from, with the values it read.
        current: the present value of the study by its recorded name (``Study.current``).
    """
    return {**now, **{name: current(name) or "gone" for name in before if is_of_study(name)}}


def label(table: str, key: str) -> str:
    """A partition of a table as provenance names it: ``report[2021-2023]``, or the table's name alone."""
    return f"{table}[{key}]" if key else table


def deliveries(made_from: Mapping[str, str]) -> dict[str, str]:
    """The deliveries among what rows were made from: their digests, by ``delivery kind/name``."""
    return {name: value for name, value in made_from.items() if name.startswith(_DELIVERY)}


def is_of_study(name: str) -> bool:
    """Whether a part of a provenance is a value of the study."""
    return name.split(" ")[0] in PARTS


def is_data(name: str) -> bool:
    """Whether a part of a provenance is data (a delivery, an upstream table) rather than method."""
    return name.split(" ")[0].split("/")[0] not in _METHOD


def history(tables: Iterable[Table], records: Records) -> Iterator[dict[str, Any]]:
    """Every published partition, in the order the data flow.

    Yields:
        asset, partition, run, made_at (seconds since 1970), data_version, fingerprint, made_from (deliveries and
        upstream tables with their versions) and method (SQL, code, values of the study, libraries).
    """
    for member in dict.fromkeys(member for table in tables for member in table.members):
        for key, made in sorted(records.published(member).items()):
            yield {
                "asset": member,
                "partition": key,
                "run": made.run_id,
                "made_at": made.made_at,
                "data_version": made.data_version,
                "fingerprint": fingerprint(made.made_from),
                "made_from": {name: value for name, value in made.made_from.items() if is_data(name)},
                "method": {name: value for name, value in made.made_from.items() if not is_data(name)},
            }
