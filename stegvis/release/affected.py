"""Which estimates a table's rows end up in: the graph of what was made from what, followed downstream."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from stegvis.statistics.results import GROUPS

ACROSS = "all"
POOLED = "pooled_models"
_LABEL = re.compile(r"([a-z_]+)(?:\[(.+)\])?")

Node = tuple[str, str]


def affected(stages: Iterable[Mapping[str, Any]], asset: str, partition: str) -> dict[str, frozenset[str]]:
    """The tables of estimates that are made from a table, directly or not.

    Args:
        stages: of ``lineage.json``: every published partition with what it was made from.
        asset: the table.
        partition: of it; empty for all of them.

    Returns:
        Names of tables of estimates by wave, and under ``all`` for those across waves; without those that have none.
    """
    downstream: dict[Node, list[Node]] = {}
    nodes = []
    for stage in stages:
        node = (str(stage["asset"]), str(stage["partition"]))
        nodes.append(node)
        for name in stage["made_from"]:
            if found := _LABEL.fullmatch(name):
                downstream.setdefault((found[1], found[2] or ""), []).append(node)
    reached: set[Node] = set()
    waiting = [node for node in nodes if node[0] == asset and partition in ("", node[1])]
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.add(node)
            waiting += downstream.get(node, [])
    found_in: dict[str, set[str]] = {}
    for name, key in reached:
        if name in GROUPS:
            found_in.setdefault(key, set()).add(name)
        elif name == POOLED:
            found_in.setdefault(ACROSS, set()).add(name)
    return {wave: frozenset(found_in[wave]) for wave in sorted(found_in)}
