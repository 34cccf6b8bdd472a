"""A home at one moment: everything that decides what is stale.

Belongs here: gathering deliveries, materialization records and partitions. The status of one partition is in
``stegvis.storage.partition_status``. Does not belong here: choosing what runs next (``plan.py``), running
(``refresh.py``, ``automation.py``).
"""

from __future__ import annotations

from dagster import DagsterInstance

from stegvis.assets.graph import tables
from stegvis.orchestration.instance import partition_keys
from stegvis.storage.home import Home
from stegvis.storage.landing import Landing, scan
from stegvis.storage.landing_mirror import mirror_landing
from stegvis.storage.lost import lost
from stegvis.storage.partition_status import HomeState, PartitionStatus, State
from stegvis.storage.tables import Records
from stegvis.study.study import Study

__all__ = ["HomeState", "PartitionStatus", "State", "home_state"]


def home_state(home: Home, instance: DagsterInstance, landing: Landing | None = None) -> HomeState:
    """A home as it is now."""
    if landing is None:
        mirror_landing(home)
        landing = scan(home.landing, home.hash_cache)
    records = Records(home)
    partitions = partition_keys(landing, instance)
    for table in tables().values():
        if table.partition:
            # Also those that Dagster no longer knows and no delivery names.
            partitions[table.partition] = sorted({*partitions[table.partition], *records.published(table.name)})
    gone = lost(home.releases)
    return HomeState(home, landing, partitions, records, Study.of(home.root), tables(), gone)
