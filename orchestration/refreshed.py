"""What a refresh did, as plain data: printed, given as JSON, and kept in the home for whoever waits for it.

It is kept in the home alone, for its owner: the reasons name delivered files, which may be named after people, so it
must not reach Dagster's event log.
"""

from __future__ import annotations

from typing import Any

from stegvis.orchestration.monitoring.files import read_json, write_json
from stegvis.orchestration.refresh import Refresh
from stegvis.orchestration.status import last_release, waiting_release
from stegvis.storage.home import Home

_FILE = "last_refresh.json"


def refreshed(home: Home, done: Refresh) -> dict[str, Any]:
    """What a refresh did, with the latest release and the one that needs signatures."""
    return {
        "materialized": [{"asset": a, "partition": p} for a, p in done.materialized],
        "failed": [{"asset": a, "partition": p, "reason": why} for a, p, why in done.failed],
        "held": [{"asset": s.asset, "partition": s.partition, "reasons": list(s.reasons)} for s in done.blocked],
        "waiting": [{"asset": s.asset, "partition": s.partition} for s in done.missing_upstream],
        "not_made": [{"asset": s.asset, "partition": s.partition} for s in done.not_made],
        "deliveries_waiting": [f"{w.kind}/{w.name}: {w.reason}" for w in done.landing.waiting],
        "deliveries_rejected": [f"{r.kind}/{r.name}: {r.reason}" for r in done.landing.rejected],
        "deliveries_alarming": [f"{a.kind}/{a.name}: {a.reason}" for a in done.landing.alarms],
        "deliveries_unusable": [f"{u.delivery}: {u.reason}" for u in done.unusable],
        "withdrawals": done.withdrawals,
        "withdrawals_not_applied": done.withdrawal_problems,
        "release": last_release(home),
        "waiting_release": waiting_release(home),
        "seconds": round(done.seconds, 2),
        "ok": done.ok,
        "nothing_to_do": done.nothing_to_do,
    }


def keep(home: Home, run_id: str, facts: dict[str, Any]) -> None:
    """Keep what the refresh of a Dagster run did, instead of that of the run before."""
    write_json(home.root / _FILE, {"run": run_id, **facts})


def kept(home: Home, run_id: str) -> dict[str, Any] | None:
    """What the refresh of a Dagster run did; None if it is not the last one, or ended without saying."""
    facts = read_json(home.root / _FILE)
    return facts if facts.pop("run", None) == run_id else None
