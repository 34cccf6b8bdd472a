"""What is stale and why, and what of it can run now.

Belongs here: choosing among the partitions of a home state. The command, the automation in the daemon and the dry run
all ask here, so that they agree. Does not belong here: the status of one partition (``home_state.py``), running.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import replace
from itertools import groupby

from stegvis.orchestration.home_state import HomeState, PartitionStatus
from stegvis.storage.tables import WHOLE_KEY, Kind, Table, label

Group = tuple[Kind | None, str, list[Table]]


def plan(now: HomeState) -> list[PartitionStatus]:
    """Every partition that is not up to date, and what follows from it, in the order the data flows.

    What follows from a stale asset is listed too; a refresh stops there when the rebuilt asset turns out unchanged.
    """
    found: list[PartitionStatus] = []
    moving: set[str] = set()
    for table in now.tables.values():
        for key in now.keys(table):
            status = now.partition_status(table, key, frozenset(moving))
            if status.state in ("up to date", "stale"):
                follows = [f"follows from {name}" for name in _moving_upstream(now, table, key, moving)]
                if follows:
                    descendant = not status.reasons
                    reasons = (*status.reasons, *follows)
                    status = replace(status, state="stale", reasons=reasons, published=True, descendant=descendant)
            elif status.state == "never built":
                status = replace(status, descendant=bool(_moving_upstream(now, table, key, moving)))
            if status.state in ("stale", "never built"):
                moving.add(label(status.asset, key))
            if status.state != "up to date":
                found.append(status)
    return found


def groups(now: HomeState) -> Iterator[Group]:
    """The stages in the order the data flows; those that share a partition can share a run."""
    for kind, members in groupby(now.tables.values(), key=lambda table: table.partition):
        stages = list(members)
        for key in now.partitions[kind] if kind else [WHOLE_KEY]:
            yield kind, key, stages


def ready(
    now: HomeState,
    stages: list[Table],
    key: str,
    failed: Set[tuple[str, str]] = frozenset(),
    moving: set[str] | None = None,
) -> list[Table]:
    """Of the stages of a group, those that can run now: what is stale, and downstream of it what must run anyway.

    A stage that may turn out to be unaffected runs after its upstream stages, not with them.

    Args:
        now: the home state.
        stages: in the order the data flows.
        key: their partition.
        failed: what was tried and failed, not to be tried again.
        moving: labels of what runs or will run elsewhere; what is chosen or runs after it is added.
    """
    moving = set() if moving is None else moving
    chosen: list[Table] = []
    stuck: set[str] = set()
    for table in stages:
        name = label(table.name, key)
        if name in moving:
            continue
        if (table.name, key) in failed:
            stuck.add(table.name)
            continue
        here = {each.name for each in chosen}
        status = now.partition_status(table, key, frozenset(label(each, key) for each in here))
        upstream = set(_moving_upstream(now, table, key, moving))
        if any(each.name in stuck for each in table.upstream):
            stuck.add(table.name)
        elif upstream - here:
            moving.add(name)
        elif status.state in ("stale", "never built") and (status.certain or not upstream):
            chosen.append(table)
            moving.add(name)
        elif upstream:
            moving.add(name)
        elif status.state != "up to date":
            stuck.add(table.name)
    return chosen


def due(now: HomeState, failed: Set[tuple[str, str]], running: Set[str]) -> list[Group]:
    """Everything that can run now, side by side, beside what runs already (labels)."""
    moving = set(running)
    chosen = [(kind, key, ready(now, stages, key, failed, moving)) for kind, key, stages in groups(now)]
    return [group for group in chosen if group[2]]


def _moving_upstream(now: HomeState, table: Table, key: str, moving: Set[str]) -> list[str]:
    """The upstream assets of which the partitions it is made from will be made again."""
    found = []
    for upstream in table.upstream:
        kind = upstream.partition
        if kind is None or kind == table.partition:
            hit = label(upstream.name, key if kind else WHOLE_KEY) in moving
        else:
            hit = any(each.startswith(f"{upstream.name}[") for each in moving)
        if hit:
            found.append(upstream.name)
    return found
