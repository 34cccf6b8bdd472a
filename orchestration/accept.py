"""Accepting a wave or batch that is far from what is expected, as it was seen; the next refresh makes it."""

from __future__ import annotations

from stegvis.assets.graph import tables
from stegvis.storage.acceptance import AcceptError, PartitionKind, accept
from stegvis.storage.home import Home
from stegvis.storage.lock import locked
from stegvis.storage.profiles import read_waiting
from stegvis.storage.warehouse import Warehouse


def accept_partition(home: Home, kind: PartitionKind, key: str, by: str, because: str) -> list[str]:
    """Record the decision of a named person; returns what is accepted, a sentence for each item.

    Raises:
        AcceptError: the wave or batch does not wait, or a name or reason is missing.
        stegvis.storage.lock.LockedError: a refresh of the home did not end in time.
    """
    home.create()
    mine = {table.name for table in tables().values() if table.until_accepted and table.partition == kind}
    with locked(home.refresh_lock, f"accept {kind} {key}"):
        if not home.warehouse.exists():
            raise AcceptError("nothing has been made in this home yet")
        with Warehouse(home).session("accept") as connection:
            waiting = read_waiting(connection)
        seen = [each for (table, partition), items in waiting.items() if table in mine and partition == key
                for each in items]  # fmt: skip
        accept(home.root, kind, key, by, because, seen)
    return [each.sentence() for each in seen]
