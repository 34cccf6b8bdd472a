"""The health of a home for a monitoring system: an answer within a second.

It is made of what the daemon, or the last refresh, has seen of the whole home, and of what can be seen now without
Dagster or the warehouse; how old the former is, is part of the answer. Belongs here: the answer as facts and as a line.
"""

from __future__ import annotations

import time
from typing import Any

from stegvis.orchestration.monitoring import seen
from stegvis.orchestration.monitoring.causes import live_causes
from stegvis.orchestration.monitoring.notifying import open_causes
from stegvis.orchestration.monitoring.now import now
from stegvis.storage.home import Home

Facts = dict[str, Any]

_SHOWN = 3  # causes in the line


def health(home: Home) -> Facts:
    """What is open, counts and ages.

    Returns:
        ``healthy`` (nothing of severity error), ``causes``, ``seen`` (counts and more of the last look at the whole
        home; None where it could never be looked at), ``seconds_since_seen``, ``now``, ``open_alerts``.
    """
    last, current = seen.read(home.root), now(home)
    found = [*seen.causes_in(last), *live_causes(current)]
    current = {name: value for name, value in current.items() if name != "causes"}
    age = max(0.0, time.time() - float(last["time"])) if last else None
    return {
        "home": str(home.root),
        "healthy": not any(cause.severity == "error" for cause in found),
        "causes": [cause.plain for cause in found if cause.severity != "info"],
        "seconds_since_seen": age,
        "seen": {name: last[name] for name in _KEPT} if "counts" in last else None,
        "now": current,
        "open_alerts": len(open_causes(home.root)),
    }


_KEPT = ("counts", "sources", "release", "disk_use")


def line(facts: Facts) -> str:
    """The health in one line: the state, the first causes, and how old it is."""
    errors = [each["message"] for each in facts["causes"] if each["severity"] == "error"]
    warnings = [each["message"] for each in facts["causes"] if each["severity"] == "warning"]
    state = "OK" if facts["healthy"] else "ATTENTION"
    shown = [*errors, *warnings][:_SHOWN]
    more = len(errors) + len(warnings) - len(shown)
    parts = [*shown, *([f"and {more} more"] if more else [])]
    return f"{state}: {'; '.join([*(parts or ['nothing needs attention']), _age(facts)])}"


def _age(facts: Facts) -> str:
    age = facts["seconds_since_seen"]
    if age is None:
        return "the home was never looked at: stegvis refresh does"
    return f"looked at {age / 60:.0f} min ago" if age >= 60 else f"looked at {age:.0f} s ago"
