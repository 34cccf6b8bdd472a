"""What ``stegvis status`` finds of a home on which nothing is wrong, to be changed."""

from __future__ import annotations

from typing import Any


def facts(**more: Any) -> dict[str, Any]:
    """The facts; a part that is given replaces the one of a home in order."""
    nothing: dict[str, Any] = {
        "blocked": [], "failed": [], "failed_jobs": [], "stale": [], "missing_upstream": [], "gone": [], "unlinked": [],
        "object_storage": "",
        "failing_checks": [], "editions": [], "too_open": "", "waiting_release": None, "waves": [], "batches": [],
        "withdrawals": {"not_applied": []}, "landed": [], "published": [], "disk_use": {"lake": 5},
        "last_release": {"release": "2026-01-05-abc", "created": "2026-01-05T00:00:00+00:00", "folder": "/x"},
        "deliveries": {"accepted": 3, **deliveries()},
        "sources": [
            {"source": "followup", "deliveries": 2, "days_since_last": 1.5, "overdue": False},
            {"source": "baseline", "deliveries": 0, "days_since_last": None, "overdue": False},
            {"source": "withdrawals", "deliveries": 1, "days_since_last": 1.0, "overdue": False},
        ],
        "now": {"causes": []},
    }  # fmt: skip
    return nothing | more


def deliveries(**more: Any) -> dict[str, Any]:
    """No delivery that is not used, but for those that are given by state."""
    states = ("waiting", "rejected", "alarms", "unusable", "superseded", "repeated")
    return {name: [] for name in states} | more
