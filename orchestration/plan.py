"""What is out of step with its inputs, and why.

Belongs here: comparing each partition's remembered provenance with what it would be made from now. Level-triggered:
the answer depends on the present state only, so nothing is missed by a lost event. Does not belong here: running
(``refresh.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from assets.building.ledger import WHOLE_KEY, Ledger, inputs
from assets.building.partitions import Kind
from assets.building.recipe import Recipe, fingerprint
from storage.landing import Landing
from study.protocol import Protocol

State = Literal["fresh", "stale", "new", "held", "waiting"]


@dataclass(frozen=True)
class Step:
    """The state of one partition of one asset.

    Attributes:
        state: fresh; stale (published, but out of step); new (never published); held (these very inputs broke a
        critical rule before); waiting (an input does not exist yet).
        reasons: why, each a phrase a person understands.
        certain: it must run whatever its upstream assets turn out to be: it is new, or its method changed.
        published: an earlier version is in the warehouse.
    """

    asset: str
    partition: str
    state: State
    reasons: tuple[str, ...]
    certain: bool
    published: bool

    @property
    def label(self) -> str:
        return f"{self.asset} [{self.partition}]" if self.partition else self.asset


def step_of(
    recipe: Recipe,
    key: str,
    recipes: Mapping[str, Recipe],
    ledger: Ledger,
    landing: Landing,
    protocol: Protocol,
    held: Mapping[tuple[str, str], str],
    expected: frozenset[str] = frozenset(),
) -> Step:
    """The state of one partition of one asset.

    Args:
        recipe: the asset.
        key: its partition ('' for the whole).
        recipes: all assets.
        ledger: what is remembered.
        landing: what has landed.
        protocol: the protocol in force.
        held: the fingerprint at which each (asset, partition) last broke a critical rule.
        expected: upstream labels that will exist by then, made earlier in the same run.
    """
    data, absent = inputs(recipe, key, recipes, ledger, landing)
    absent = [a for a in absent if a not in expected and not any(label.startswith(f"{a}[") for label in expected)]
    method = recipe.method(protocol)
    now = method | data
    remembered = ledger.published(recipe).get(key)
    if absent:
        reasons = tuple(f"{label} does not exist yet" for label in absent)
        return Step(recipe.name, key, "waiting", reasons, False, remembered is not None)
    if remembered and remembered.fingerprint == fingerprint(now):
        return Step(recipe.name, key, "fresh", (), False, True)
    if held.get((recipe.name, key)) == fingerprint(now):
        reason = "a critical rule failed on these very inputs"
        return Step(recipe.name, key, "held", (reason,), False, remembered is not None)
    if remembered is None:
        return Step(recipe.name, key, "new", ("never made",), True, False)
    before = remembered.provenance
    method_changed = any(before.get(name) != value for name, value in method.items()) or any(
        name not in now and not _is_data(name) for name in before
    )
    return Step(recipe.name, key, "stale", tuple(differences(before, now)), method_changed, True)


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The causes between two provenances, in words."""
    causes = []
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        if old == new:
            continue
        if name.startswith("protocol ") and old and new and len(old) + len(new) < 80:
            causes.append(f"{name} changed from {old} to {new}")
        elif old is None:
            causes.append(f"{name} is new")
        elif new is None:
            causes.append(f"{name} is gone")
        else:
            causes.append(f"{name} changed")
    return causes


def keys_of(recipe: Recipe, partitions: Mapping[Kind, list[str]]) -> list[str]:
    """The partitions an asset has now."""
    return [WHOLE_KEY] if recipe.partition is None else partitions[recipe.partition]


def plan(
    recipes: Mapping[str, Recipe],
    partitions: Mapping[Kind, list[str]],
    ledger: Ledger,
    landing: Landing,
    protocol: Protocol,
    held: Mapping[tuple[str, str], str],
) -> list[Step]:
    """Every partition that is not fresh, and what follows from it, in the order the data flows.

    What follows from a stale asset is listed too; a refresh stops there when the rebuilt asset turns out unchanged.
    """
    steps: list[Step] = []
    moving: set[str] = set()
    for recipe in recipes.values():
        for key in keys_of(recipe, partitions):
            step = step_of(recipe, key, recipes, ledger, landing, protocol, held, frozenset(moving))
            if step.state in ("fresh", "stale"):
                causes = [c for c in _moving_upstream(recipe, key, recipes, moving) if c not in step.reasons]
                if causes:
                    step = Step(step.asset, key, "stale", (*step.reasons, *causes), step.certain, True)
            if step.state in ("stale", "new"):
                moving.add(f"{recipe.name}[{key}]" if key else recipe.name)
            if step.state != "fresh":
                steps.append(step)
    return steps


def _moving_upstream(recipe: Recipe, key: str, recipes: Mapping[str, Recipe], moving: set[str]) -> list[str]:
    causes = []
    for name in recipe.upstream:
        upstream = recipes[name]
        if upstream.partition is None:
            hit = name in moving
        elif upstream.partition == recipe.partition:
            hit = f"{name}[{key}]" in moving
        else:
            hit = any(label.startswith(f"{name}[") for label in moving)
        if hit:
            causes.append(f"follows from {name}")
    return causes


def _is_data(name: str) -> bool:
    return not name.startswith(("engine ", "sql/", "protocol ", "codebook ", "code ", "file ", "expectations"))
