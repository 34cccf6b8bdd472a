"""The state of a home at a glance.

Belongs here: gathering it as plain data. Does not belong here: printing (``cli.py``).
"""

from __future__ import annotations

from typing import Any

from assets.building.graph import recipes
from assets.building.ledger import Ledger
from orchestration.instance import open_instance, partition_keys
from orchestration.plan import Step, plan
from orchestration.verdicts import failing_checks, held_fingerprints, quarantined
from storage.home import Home
from storage.landing import scan
from storage.releases import latest, manifest, newest
from storage.signatures import valid_signatures
from study.protocol import protocol


def status(home: Home) -> dict[str, Any]:
    """Waves, batches, what is stale and why, failing checks, quarantine, deliveries that wait, and the releases."""
    home.create()
    landing = scan(home.landing, home.hash_cache)
    with open_instance(home) as instance:
        partitions = partition_keys(landing, instance)
        steps = plan(recipes(), partitions, Ledger(instance), landing, protocol(), held_fingerprints(home))
    return {
        "home": str(home.root),
        "landing": str(home.landing),
        "mode": protocol().study.mode,
        "synthetic": any(drop.synthetic for drop in landing.accepted),
        "waves": [_partition("wave", key, steps) for key in partitions["wave"]],
        "batches": [_partition("batch", key, steps) for key in partitions["batch"]],
        "stale": [_described(step) for step in steps if step.state in ("stale", "new")],
        "held": [_described(step) for step in steps if step.state == "held"],
        "waiting": [_described(step) for step in steps if step.state == "waiting"],
        "failing_checks": failing_checks(home),
        "quarantine": quarantined(home),
        "deliveries": {
            "accepted": len(landing.accepted),
            "waiting": [{"delivery": f"{w.kind}/{w.name}", "reason": w.reason} for w in landing.waiting],
            "rejected": [{"delivery": f"{r.kind}/{r.name}", "reason": r.reason} for r in landing.rejected],
            "repeated": [{"delivery": f"{r.kind}/{r.name}", "reason": r.reason} for r in landing.repeated],
        },
        "last_release": last_release(home),
        "waiting_release": waiting_release(home),
    }


def last_release(home: Home) -> dict[str, Any] | None:
    """Name, date and folder of the latest release."""
    folder = latest(home.releases)
    if folder is None:
        return None
    facts = manifest(folder)
    return {
        "release": facts["release"],
        "created": facts["created"],
        "synthetic": facts["synthetic"],
        "folder": str(folder),
        "report": str(folder / "report" / "index.html"),
    }


def waiting_release(home: Home) -> dict[str, Any] | None:
    """The release made last, if it waits for signatures: its name, folder, and how many are missing."""
    made, now = newest(home.releases), latest(home.releases)
    if made is None or made == now:
        return None
    missing = protocol().release.signatures - valid_signatures(made)
    return {"release": made.name, "folder": str(made), "signatures_missing": missing} if missing > 0 else None


def _partition(kind: str, key: str, steps: list[Step]) -> dict[str, Any]:
    """A wave's or batch's own state: the worst of its assets."""
    mine = [s for s in steps if s.partition == key and recipes()[s.asset].partition == kind]
    order = ("held", "waiting", "new", "stale")
    worst = next((state for state in order if any(s.state == state for s in mine)), "fresh")
    return {kind: key, "state": worst, "behind": [s.asset for s in mine]}


def _described(step: Step) -> dict[str, Any]:
    return {"asset": step.asset, "partition": step.partition, "state": step.state, "reasons": list(step.reasons)}
