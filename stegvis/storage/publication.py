"""Whether a wave's numbers are published anew or carried forward from the newest release.

What a home knows of a publication is in the manifests of its releases. How tables are carried forward is in
``stegvis/disclosure/published.py``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from stegvis.storage.decisions import ORIGIN
from stegvis.storage.home_key import keyed_hash
from stegvis.storage.releases import Published
from stegvis.storage.report_inputs import source_digest
from stegvis.storage.sources import Sources
from stegvis.study.waves import ACROSS

# Deliveries of withdrawals; their number and names say as much as their content.
_WITHDRAWALS = "delivery withdrawals/"
EDITION = "edition"


def origin_now(sources: Sources, wave: str) -> dict[str, str]:
    """What numbers are made from today: a keyed hash of the deliveries behind them, and a hash of the method.

    Args:
        sources: the home.
        wave: a wave, or ``ACROSS`` for the results across all of them.
    """
    behind = sorted(
        (drop.kind, drop.digest)
        for drop in sources.landing.accepted
        if drop.kind != "followup" or wave in (drop.partition, ACROSS)
    )
    method = json.dumps(sources.protocol.model_dump(mode="json"), sort_keys=True) + source_digest()
    return {
        "deliveries": keyed_hash(sources.home.root, "deliveries of a wave", json.dumps(behind)),
        "method": hashlib.sha256(method.encode()).hexdigest(),
    }


def origins(
    before: Published | None, known: Mapping[str, Mapping[str, Any]], rows: pd.DataFrame, release: str
) -> dict[str, dict[str, str]]:
    """By wave: the release its numbers come from, what they were made from, and what edition they are.

    Args:
        before: the newest release.
        known: the same of waves whose releases are gone.
        rows: ``published_origins``: ``wave``, ``deliveries``, ``method``, ``edition`` of the numbers to be published.
        release: the name of the release that is made; empty where only the others matter.
    """
    found = {}
    there = set(before.tables.results["wave"].astype("str")) if before else set()
    for wave, *made_from, kind in rows[["wave", *ORIGIN, EDITION]].astype("str").itertuples(index=False):
        origin = dict(zip(ORIGIN, made_from, strict=True))
        then = before.origin(wave) if before and wave in there else known.get(wave, {})
        same = bool(then) and all(then.get(name, "") == origin[name] for name in ORIGIN)
        found[wave] = {"release": then["release"] if same else release} | origin | ({EDITION: kind} if kind else {})
    return found


def new_origins(origin_of: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The waves that are published for the first time, or anew."""
    return [wave for wave, origin in origin_of.items() if not origin["release"]]


def keyed_lineage(root: Path, lineage: Mapping[str, Any]) -> dict[str, Any]:
    """What leads from a result back to the deliveries, without a hash or a time from which a person could be guessed.

    Args:
        root: the home's folder.
        lineage: as ``stegvis.storage.lineage.lineage`` gives it.

    Returns:
        The same with keyed hashes of deliveries and tables, without the times of single tables, and with all
        withdrawals as one.
    """
    return {**lineage, "stages": [_keyed_stage(root, stage) for stage in lineage["stages"]]}


def _keyed_stage(root: Path, stage: Mapping[str, Any]) -> dict[str, Any]:
    made_from = {name: version for name, version in stage["made_from"].items() if not name.startswith(_WITHDRAWALS)}
    withdrawals = [stage["made_from"][name] for name in sorted(stage["made_from"]) if name.startswith(_WITHDRAWALS)]
    if withdrawals:
        made_from["deliveries of withdrawals"] = " ".join(withdrawals)
    keyed = {name: keyed_hash(root, "lineage", version) for name, version in made_from.items()}
    shown = {name: value for name, value in stage.items() if name != "made_at"}
    versions = {name: keyed_hash(root, "lineage", stage[name]) for name in ("data_version", "fingerprint")}
    return shown | versions | {"made_from": keyed}
