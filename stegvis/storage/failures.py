"""Why partitions are blocked, in words: the critical checks that failed at the last attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stegvis.storage.faults import in_short, read_faults

if TYPE_CHECKING:
    import duckdb


def read_failures(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], tuple[str, ...]]:
    """By table and partition, what failed at the last attempt: counts, never a person's value.

    Args:
        connection: an open warehouse.
    """
    rows = connection.execute(
        """
        select asset, partition, meaning, failing, total, rule like '%values%' and total > 1 as by_row
        from checks
        where not published and not passed and severity = 'critical'
        order by asset, partition, rowid
        """
    ).fetchall()
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for table, partition, meaning, failing, total, by_row in rows:
        count = f" ({failing} of {total} rows)" if by_row and failing else ""
        place = (table, partition)
        found[place] = (*found.get(place, ()), f"{meaning}{count}")
    faults = read_faults(connection) if found else {}
    for place in found:
        if place in faults:
            cure = "stegvis validate on the drop names every row; deliver a correction"
            found[place] = (*found[place], in_short(faults[place]), cure)
    return found
