"""What is out of step and why, and what of it can run now.

Belongs here: choosing among the states of a situation. The command, the automation in the daemon and the dry run all
ask here, so that they agree. Does not belong here: the state of one partition (``situation.py``), running.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from itertools import groupby

from stegvis.orchestration.situation import Situation, Step
from stegvis.storage.tables import WHOLE_KEY, Kind, Table, label

Group = tuple[Kind | None, str, list[Table]]


def plan(now: Situation) -> list[Step]:
    """Every partition that is not fresh, and what follows from it, in the order the data flows.

    What follows from a stale asset is listed too; a refresh stops there when the rebuilt asset turns out unchanged.
    """
    steps: list[Step] = []
    moving: set[str] = set()
    for table in now.tables.values():
        for key in now.keys(table):
            step = now.step(table, key, frozenset(moving))
            if step.state in ("fresh", "stale"):
                follows = [f"follows from {name}" for name in _moving_upstream(now, table, key, moving)]
                causes = [cause for cause in follows if cause not in step.reasons]
                if causes:
                    step = Step(
                        step.asset, key, "stale", (*step.reasons, *causes), step.certain, True, step.fingerprint
                    )
            if step.state in ("stale", "new"):
                moving.add(label(step.asset, key))
            if step.state != "fresh":
                steps.append(step)
    return steps


def groups(now: Situation) -> Iterator[Group]:
    """The stages in the order the data flows; those that share a partition can share a run."""
    for kind, members in groupby(now.tables.values(), key=lambda table: table.partition):
        stages = list(members)
        for key in now.partitions[kind] if kind else [WHOLE_KEY]:
            yield kind, key, stages


def ready(
    now: Situation,
    stages: list[Table],
    key: str,
    failed: Set[tuple[str, str]] = frozenset(),
    moving: set[str] | None = None,
) -> list[Table]:
    """Of the stages of a group, those that can run now: what is out of step, and behind it what must run anyway.

    A stage waits behind one that runs first if it may turn out that nothing has changed for it.

    Args:
        now: the situation.
        stages: in the order the data flows.
        key: their partition.
        failed: what was tried and failed, not to be tried again.
        moving: labels of what runs or will run elsewhere; what is chosen or waits behind it is added.
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
        step = now.step(table, key, frozenset(label(each, key) for each in here))
        upstream = set(_moving_upstream(now, table, key, moving))
        if any(each.name in stuck for each in table.upstream):
            stuck.add(table.name)
        elif upstream - here:
            moving.add(name)
        elif step.state in ("stale", "new") and (step.certain or not upstream) and _may_run(now, table):
            chosen.append(table)
            moving.add(name)
        elif upstream:
            moving.add(name)
        elif step.state != "fresh":
            stuck.add(table.name)
    return chosen


def due(now: Situation, failed: Set[tuple[str, str]], running: Set[str]) -> list[Group]:
    """Everything that can run now, side by side, beside what runs already (labels)."""
    moving = set(running)
    chosen = [(kind, key, ready(now, stages, key, failed, moving)) for kind, key, stages in groups(now)]
    return [group for group in chosen if group[2]]


def _may_run(now: Situation, table: Table) -> bool:
    """A release waits until everything that has been published before is in step again."""
    if table.name != "release":
        return True
    others = [(other, key) for other in now.tables.values() if other.name != "release" for key in now.keys(other)]
    steps = (now.step(other, key) for other, key in others)
    return not any(step.published and step.state in ("stale", "held", "waiting") for step in steps)


def _moving_upstream(now: Situation, table: Table, key: str, moving: Set[str]) -> list[str]:
    """The upstream assets of which the partitions it is made from will be made anew."""
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
