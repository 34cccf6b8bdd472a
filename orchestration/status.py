"""The state of a home at a glance.

Belongs here: gathering it as plain data. Does not belong here: printing (``printing.py``).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dagster import DagsterInstance

from stegvis.assets.graph import tables
from stegvis.orchestration.check_results import failing_checks, quarantined
from stegvis.orchestration.failed_attempts import Attempt, failed_attempts, failed_jobs
from stegvis.orchestration.home_state import HomeState, PartitionStatus, State, home_state
from stegvis.orchestration.instance import dagster_home, open_instance
from stegvis.orchestration.monitoring.causes import causes
from stegvis.orchestration.monitoring.now import now as seen_now
from stegvis.orchestration.plan import plan
from stegvis.orchestration.withdraw import read_withdrawals
from stegvis.storage.backups_made import overdue_deletions
from stegvis.storage.disk_use import disk_use
from stegvis.storage.hash_chain import read_lines
from stegvis.storage.home import Home
from stegvis.storage.landing import KINDS, Landing, Unused, scan
from stegvis.storage.landing_mirror import mirror_if_reachable
from stegvis.storage.linkage import linkage
from stegvis.storage.nameless import nameless
from stegvis.storage.publish_wave import open_decisions
from stegvis.storage.releases import LEDGER, latest, manifest, newest
from stegvis.storage.retiring import is_delivered
from stegvis.storage.signatures import valid_signatures
from stegvis.storage.tables import Kind
from stegvis.storage.warehouse import Warehouse
from stegvis.storage.withdrawal_list import is_pending, read_list
from stegvis.storage.withdrawn_rows import ToRemove, to_remove
from stegvis.study.protocol import Protocol
from stegvis.study.study import Study

# The states in JSON, as they were first called.
JSON_STATES: dict[State, str] = {
    "up to date": "fresh", "stale": "stale", "never built": "new", "blocked": "held", "missing upstream": "waiting",
}  # fmt: skip

# Somebody may still be copying.
_LONGEST_INCOMPLETE_DAYS = 2.0
_NEWEST = 50  # deliveries and releases, with their times


def status(home: Home) -> dict[str, Any]:
    """The state of a home, see ``status_of``."""
    home.create()
    with open_instance(home) as instance:
        return status_of(home, instance)


def status_of(home: Home, instance: DagsterInstance) -> dict[str, Any]:
    """Waves, batches, what is stale and why, failures, failing checks, quarantine, deliveries, and the releases.

    ``held`` and ``waiting`` are the earlier names of ``blocked`` and ``missing_upstream``; both stay.

    Args:
        home: the home.
        instance: its Dagster instance.
    """
    unreachable = mirror_if_reachable(home)
    now = home_state(home, instance, scan(home.landing, home.hash_cache))
    planned = plan(now)
    failed, jobs = _failed(now, planned, failed_attempts(instance)), failed_jobs(instance)
    landing, partitions, in_force = now.landing, now.partitions, now.protocol
    to_make = [each for each in planned if each.state in ("stale", "never built")]
    blocked = [described(each) for each in planned if each.state == "blocked"]
    missing = [described(each) for each in planned if each.state == "missing upstream"]
    facts = {
        "home": str(home.root),
        "landing": str(home.landing),
        "object_storage": unreachable,
        "mode": in_force.study.mode,
        "synthetic": landing.synthetic,
        "gone": _gone(landing, partitions),
        "waves": [_partition("wave", key, planned) for key in partitions["wave"]],
        "batches": [_partition("batch", key, planned) for key in partitions["batch"]],
        "too_open": home.too_open,
        "lost_releases": list(now.lost.releases),
        "editions": open_decisions(home),
        "failed": failed,
        "failed_jobs": jobs,
        "blocked": blocked,
        "held": blocked,
        "stale": [described(each) for each in to_make],
        "causes": [described(each) for each in to_make if not each.descendant],
        "descendants": sum(each.descendant for each in to_make),
        "missing_upstream": missing,
        "waiting": missing,
        "failing_checks": failing_checks(home),
        "quarantine": quarantined(home),
        "deliveries": {
            "accepted": len(landing.accepted),
            "waiting": _waiting(landing.waiting),
            "rejected": _not_used(landing.rejected),
            "alarms": _not_used(landing.alarms),
            "unusable": _unusable(now),
            "superseded": _not_used(landing.superseded),
            "repeated": _not_used(landing.repeated),
        },
        "withdrawals": _withdrawals(home, landing),
        "unlinked": _unlinked(home, in_force),
        "sources": _sources(landing, in_force),
        "last_release": last_release(home),
        "waiting_release": waiting_release(home),
        "landed": _landed(landing),
        "published": _published(home),
        "disk_use": disk_use(home, dagster_home(home)),
        "now": seen_now(home),
    }
    return facts | {"ok": not any(cause.severity == "error" for cause in causes(facts))}


def _not_used(drops: Sequence[Unused]) -> list[dict[str, Any]]:
    """Deliveries with the reason, as a person at home reads it and as it may be sent."""
    return [
        {"delivery": f"{drop.kind}/{drop.name}", "reason": drop.reason, "nameless": nameless(drop)} for drop in drops
    ]


def _waiting(drops: Sequence[Unused]) -> list[dict[str, Any]]:
    """Deliveries that are not complete, with for how long."""
    return [each | _incomplete(drop) for each, drop in zip(_not_used(drops), drops, strict=True)]


def _incomplete(drop: Unused) -> dict[str, Any]:
    """For how many days nothing of a delivery that is not complete has changed, and whether that is too long."""
    try:
        inside = drop.path.iterdir() if drop.path.is_dir() else iter([drop.path, drop.path.with_suffix(".json")])
        changed = [place.stat().st_mtime for place in (drop.path, *inside) if place.exists()]
    except OSError:
        changed = []
    days = max(0.0, time.time() - max(changed, default=time.time())) / 86_400
    return {"days": round(days, 1), "too_long": days > _LONGEST_INCOMPLETE_DAYS}


def _landed(landing: Landing) -> list[dict[str, Any]]:
    """The deliveries that landed last, with the time; of withdrawals none."""
    drops = sorted((drop for drop in landing.accepted if drop.kind != "withdrawals"), key=lambda drop: drop.landed)
    return [{"delivery": f"{drop.kind}/{drop.name}", "time": drop.landed} for drop in drops[-_NEWEST:]]


def _published(home: Home) -> list[dict[str, Any]]:
    """The releases that were published last, with the time."""
    lines = read_lines(home.releases / LEDGER)[-_NEWEST:]
    return [
        {"release": str(each["release"]), "time": datetime.fromisoformat(each["time"]).timestamp()} for each in lines
    ]


def _gone(landing: Landing, partitions: Mapping[Kind, Sequence[str]]) -> list[dict[str, str]]:
    """Waves and batches that no delivery brings any more."""
    gone = [(kind, key) for kind, keys in partitions.items() for key in keys if not is_delivered(landing, kind, key)]
    return [
        {"kind": kind, "name": key, "message": f"no delivery brings it any more: deliver it, or retire {kind} {key}"}
        for kind, key in gone
    ]


def _unusable(now: HomeState) -> list[dict[str, str]]:
    """Sealed drops of which nothing could be used."""
    return [vars(each) for each in now.records.unusable_drops(now.tables)]


def _withdrawals(home: Home, landing: Landing) -> dict[str, Any]:
    """Withdrawn people in counts, withdrawals that could not be applied, and what to remove from the landing zone."""
    read, withdrawn = read_withdrawals(home, landing), read_list(home.root)
    found = len(withdrawn.found())
    lists = [ToRemove(f"withdrawals/{drop.drop}.csv", len(drop.people)) for drop in read.drops if drop.people]
    return {
        "people": len(withdrawn),
        "found": found,
        "not_found": len(withdrawn) - found,
        "not_applied": read.problems,
        "pending": is_pending(home.root),
        "to_remove": [vars(each) for each in [*to_remove(home.root, landing), *lists]] if len(withdrawn) else [],
        "backups_to_delete": [each.path for each in overdue_deletions(home.root)],
    }


def _unlinked(home: Home, in_force: Protocol) -> list[dict[str, Any]]:
    """Batches and waves with people whom no baseline has, in counts."""
    if not home.warehouse.exists():
        return []
    smallest = in_force.checks.smallest_share_in_cohort
    with Warehouse(home).session("status") as connection:
        found = linkage(connection)
    return [vars(each) | {"too_many": each.share < smallest, "message": each.sentence(smallest)} for each in found]


def _sources(landing: Landing, in_force: Protocol) -> list[dict[str, Any]]:
    """When each kind of delivery came last, and whether one is overdue."""
    found = []
    for kind in KINDS:
        landed = [drop.landed for drop in landing.accepted if drop.kind == kind]
        days = (time.time() - max(landed)) / 86_400 if landed else None
        allowed = in_force.freshness.days(kind)
        found.append(
            {
                "source": kind,
                "deliveries": len(landed),
                "days_since_last": None if days is None else round(days, 1),
                "overdue": bool(allowed and days is not None and days > allowed),
            }
        )
    return found


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
    missing = Study.of(home.root).protocol.release.signatures - valid_signatures(made)
    return {"release": made.name, "folder": str(made), "signatures_missing": missing} if missing > 0 else None


def _failed(
    now: HomeState, planned: list[PartitionStatus], attempts: dict[tuple[str, str], Attempt]
) -> list[dict[str, Any]]:
    """The partitions that are not up to date and whose last run failed after they were last made."""
    found = []
    for each in planned:
        at, why = attempts.get((each.asset, each.partition), (0.0, ""))
        last = now.records.published(each.asset).get(each.partition)
        if why and each.state != "blocked" and (last is None or last.made_at < at):
            found.append({"asset": each.asset, "partition": each.partition, "reason": why})
    return found


def _partition(kind: str, key: str, planned: list[PartitionStatus]) -> dict[str, Any]:
    """A wave's or batch's own state: the worst of its assets."""
    mine = [each for each in planned if each.partition == key and tables()[each.asset].partition == kind]
    order: tuple[State, ...] = ("blocked", "missing upstream", "never built", "stale")
    worst: State = next((state for state in order if any(each.state == state for each in mine)), "up to date")
    return {kind: key, "state": JSON_STATES[worst], "behind": [each.asset for each in mine]}


def described(status: PartitionStatus) -> dict[str, Any]:
    """The status of a partition as JSON."""
    state = JSON_STATES[status.state]
    return {"asset": status.asset, "partition": status.partition, "state": state, "reasons": list(status.reasons)}
