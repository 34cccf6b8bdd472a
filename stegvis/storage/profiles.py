"""Profiles of waves and batches in the warehouse: of those that are published, and of one that waits to be accepted.

A profile counts and averages; it holds no person's value.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from stegvis.plausibility.measures import Measure, Profile
from stegvis.plausibility.ranges import Compared

if TYPE_CHECKING:
    import duckdb

_DIGITS = 9  # the order of the rows decides further ones


def read_profiles(connection: duckdb.DuckDBPyConnection, table: str, apart_from: str) -> list[Profile]:
    """The profiles of the published partitions of a table but one."""
    rows = connection.execute(
        """
        select partition, item, mean, people, spread
        from profiles
        where asset = ? and partition <> ? and lowest is null
        order by partition, item
        """,
        [table, apart_from],
    ).fetchall()
    found: dict[str, dict[str, Measure]] = {}
    for partition, item, mean, people, spread in rows:
        found.setdefault(partition, {})[item] = Measure(mean, people, spread)
    return list(found.values())


def write_profile(connection: duckdb.DuckDBPyConnection, table: str, partition: str, profile: Profile) -> None:
    """Replace the profile of a partition by that of the rows that are published. Call inside their transaction."""
    connection.execute("delete from profiles where asset = ? and partition = ?", [table, partition])
    for item, each in profile.items():
        measured = [round(each.mean, _DIGITS), each.people, round(each.spread, _DIGITS)]
        connection.execute(
            "insert into profiles values (?, ?, ?, ?, ?, ?, null, null)", [table, partition, item, *measured]
        )


def write_waiting(connection: duckdb.DuckDBPyConnection, table: str, partition: str, items: Iterable[Compared]) -> None:
    """Replace the items for which a partition waits to be accepted; what is published of it stays."""
    connection.execute(
        "delete from profiles where asset = ? and partition = ? and lowest is not null", [table, partition]
    )
    for each in items:
        connection.execute(
            "insert into profiles values (?, ?, ?, ?, null, ?, ?, ?)",
            [table, partition, each.item, each.value, each.chance, each.lowest, each.highest],
        )


def read_waiting(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[Compared]]:
    """The items for which partitions wait to be accepted, by table and partition."""
    rows = connection.execute(
        """
        select asset, partition, item, mean, lowest, highest, spread
        from profiles
        where lowest is not null
        order by all
        """
    ).fetchall()
    found: dict[tuple[str, str], list[Compared]] = {}
    for table, partition, *item in rows:
        found.setdefault((table, partition), []).append(Compared(*item))
    return found
