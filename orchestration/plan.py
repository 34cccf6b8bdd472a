"""What is out of step and why, and what of it can run now.

Belongs here: choosing among the states of a situation. The command, the automation in the daemon and the dry run all
ask here, so that they agree. Does not belong here: the state of one partition (``situation.py``), running.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from itertools import groupby

from stegvis.assets.building.partitions import Kind
from stegvis.assets.building.recipe import Recipe
from stegvis.assets.building.records import WHOLE_KEY
from stegvis.orchestration.situation import Situation, Step, label

Group = tuple[Kind | None, str, list[Recipe]]


def plan(now: Situation) -> list[Step]:
    """Every partition that is not fresh, and what follows from it, in the order the data flows.

    What follows from a stale asset is listed too; a refresh stops there when the rebuilt asset turns out unchanged.
    """
    steps: list[Step] = []
    moving: set[str] = set()
    for recipe in now.recipes.values():
        for key in now.keys(recipe):
            step = now.step(recipe, key, frozenset(moving))
            if step.state in ("fresh", "stale"):
                follows = [f"follows from {name}" for name in _moving_upstream(now, recipe, key, moving)]
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
    for kind, members in groupby(now.recipes.values(), key=lambda recipe: recipe.partition):
        stages = list(members)
        for key in now.partitions[kind] if kind else [WHOLE_KEY]:
            yield kind, key, stages


def ready(
    now: Situation,
    stages: list[Recipe],
    key: str,
    failed: Set[tuple[str, str]] = frozenset(),
    moving: set[str] | None = None,
) -> list[Recipe]:
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
    chosen: list[Recipe] = []
    stuck: set[str] = set()
    for recipe in stages:
        name = label(recipe.name, key)
        if name in moving:
            continue
        if (recipe.name, key) in failed:
            stuck.add(recipe.name)
            continue
        here = {each.name for each in chosen}
        step = now.step(recipe, key, frozenset(label(each, key) for each in here))
        upstream = set(_moving_upstream(now, recipe, key, moving))
        if any(each in stuck for each in recipe.upstream):
            stuck.add(recipe.name)
        elif upstream - here:
            moving.add(name)
        elif step.state in ("stale", "new") and (step.certain or not upstream) and _may_run(now, recipe):
            chosen.append(recipe)
            moving.add(name)
        elif upstream:
            moving.add(name)
        elif step.state != "fresh":
            stuck.add(recipe.name)
    return chosen


def due(now: Situation, failed: Set[tuple[str, str]], running: Set[str]) -> list[Group]:
    """Everything that can run now, side by side, beside what runs already (labels)."""
    moving = set(running)
    chosen = [(kind, key, ready(now, stages, key, failed, moving)) for kind, key, stages in groups(now)]
    return [group for group in chosen if group[2]]


def _may_run(now: Situation, recipe: Recipe) -> bool:
    """A release waits until everything that has been published before is in step again."""
    if recipe.name != "release":
        return True
    others = [(other, key) for other in now.recipes.values() if other.name != "release" for key in now.keys(other)]
    steps = (now.step(other, key) for other, key in others)
    return not any(step.published and step.state in ("stale", "held", "waiting") for step in steps)


def _moving_upstream(now: Situation, recipe: Recipe, key: str, moving: Set[str]) -> list[str]:
    """The upstream assets of which the partitions it is made from will be made anew."""
    found = []
    for name in recipe.upstream:
        kind = now.recipes[name].partition
        if kind is None or kind == recipe.partition:
            hit = label(name, key if kind else WHOLE_KEY) in moving
        else:
            hit = any(each.startswith(f"{name}[") for each in moving)
        if hit:
            found.append(name)
    return found
