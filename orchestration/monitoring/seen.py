"""The last look at the whole home, kept in ``monitoring/seen.json`` for those that must be quick.

Belongs here: which facts of ``stegvis status`` are kept, reading and writing them. No person's value, no name of a file
that may be a person's, and no count of withdrawn or suppressed people is kept.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stegvis.orchestration.monitoring import files
from stegvis.orchestration.monitoring.causes import Cause, causes, label_of

Facts = dict[str, Any]

# Kinds of causes that are looked at anew each time (``now.py``), so they are not kept.
LIVE = ("disk", "daemon", "silence", "refresh", "warehouse", "channel", "settings", "backup")
_VERSION = 1
_WITHDRAWALS = "withdrawals"
_DELIVERY_STATES = ("waiting", "rejected", "alarms", "unusable", "superseded", "repeated")


def keep(root: Path, facts: Facts, signature: str = "") -> None:
    """Keep what ``stegvis status`` found.

    Args:
        root: the home's folder.
        facts: of ``status``.
        signature: of what the facts were gathered from (``signature.py``).
    """
    found = [_kept(cause) for cause in {each.key: each for each in causes(facts)}.values() if cause.kind not in LIVE]
    seen: Facts = {
        "version": _VERSION,
        "time": time.time(),
        "signature": signature,
        "causes": found,
        "making": sorted(label_of(each["asset"], each["partition"]) for each in facts["stale"]),
        "counts": _counts(facts),
        "sources": [
            {"source": each["source"], "days": each["days_since_last"], "overdue": each["overdue"]}
            for each in facts["sources"]
            if each["source"] != _WITHDRAWALS
        ],
        "release": facts["last_release"] and {key: facts["last_release"][key] for key in ("release", "created")},
        "landed": facts["landed"],
        "published": facts["published"],
        "disk_use": facts["disk_use"],
    }
    _write(root, seen)


def keep_unreadable(root: Path, why: str, signature: str = "") -> None:
    """Keep that the home could not be looked at; what was seen before stays beside it."""
    cause = Cause.of("home", "error", "home", f"the home cannot be read: {why}", why)
    before = [each for each in read(root).get("causes", []) if each["kind"] != "home"]
    seen = {**read(root), "version": _VERSION, "time": time.time(), "signature": signature}
    seen["causes"] = [_kept(cause), *before]
    _write(root, seen)


def read(root: Path) -> Facts:
    """What was seen last; empty where nothing was, or by a version that kept it otherwise."""
    seen = files.read_json(files.place(root, files.SEEN))
    return seen if seen.get("version") == _VERSION else {}


def causes_in(seen: Facts) -> list[Cause]:
    """The causes that were seen."""
    return [Cause(sentence=each["message"], **each) for each in seen.get("causes", [])]


def _kept(cause: Cause) -> Facts:
    """A cause without its sentence, which may name a file."""
    return {name: value for name, value in asdict(cause).items() if name != "sentence"}


def _write(root: Path, seen: Facts) -> None:
    try:
        files.write_json(files.place(root, files.SEEN), seen)
    except OSError:  # a full disk: a cause of its own, and looked at anew the next time
        return


def _counts(facts: Facts) -> Facts:
    """Partitions and deliveries by state; lists of withdrawals are not counted."""
    return {
        "waves": dict(Counter(each["state"] for each in facts["waves"])),
        "batches": dict(Counter(each["state"] for each in facts["batches"])),
        "deliveries": {
            "accepted": sum(each["deliveries"] for each in facts["sources"] if each["source"] != _WITHDRAWALS),
            **{state: _not_withdrawals(facts["deliveries"][state]) for state in _DELIVERY_STATES},
        },
        "blocked": len(facts["blocked"]),
        "failed": len(facts["failed"]),
        "to_make": len(facts["stale"]),
        "missing_upstream": len(facts["missing_upstream"]),
    }


def _not_withdrawals(drops: list[Facts]) -> int:
    return sum(not each["delivery"].startswith(f"{_WITHDRAWALS}/") for each in drops)
