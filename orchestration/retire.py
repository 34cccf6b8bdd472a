"""Retiring a wave or batch: it leaves the warehouse, the lake and Dagster's partitions; a refresh does the rest."""

from __future__ import annotations

from stegvis.orchestration.instance import open_instance
from stegvis.storage.home import Home
from stegvis.storage.landing import scan
from stegvis.storage.landing_mirror import mirror_landing
from stegvis.storage.lock import locked
from stegvis.storage.retiring import PartitionKind, RetireError, retire_partition


def retire(home: Home, kind: PartitionKind, key: str) -> int:
    """Remove a wave or batch whose deliveries were taken away; returns how many rows it had.

    Raises:
        RetireError: a delivery still brings it, or nobody knows it.
        stegvis.storage.lock.LockedError: a refresh of the home did not end in time.
    """
    home.create()
    with locked(home.refresh_lock, f"retire {kind} {key}"), open_instance(home) as instance:
        mirror_landing(home)
        landing = scan(home.landing, home.hash_cache)
        registered = key in instance.get_dynamic_partitions(kind)
        removed = retire_partition(home, landing, kind, key)
        if registered:
            instance.delete_dynamic_partition(kind, key)
        elif not removed:
            raise RetireError(f"there is no {kind} {key}: stegvis status lists those there are")
    return removed
