"""The health of a home as gauges, in the text format that Prometheus and its node exporter read.

There is no gauge of withdrawn or suppressed people.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

Facts = dict[str, Any]
Sample = tuple[Mapping[str, str], float | None]

_DAY = 86_400.0


def gauges(facts: Facts) -> str:
    """The text of all gauges.

    Args:
        facts: of ``health``.
    """
    return "".join(_text(name, meaning, samples) for name, meaning, samples in _gauges(facts))


def _gauges(facts: Facts) -> Iterator[tuple[str, str, list[Sample]]]:
    now, seen = facts["now"], facts["seen"] or {}
    yield "up", "1 if nothing of severity error is open", [({}, float(facts["healthy"]))]
    yield (
        "open_causes",
        "causes that are open, by severity",
        [
            ({"severity": severity}, sum(each["severity"] == severity for each in facts["causes"]))
            for severity in ("error", "warning")
        ],
    )
    yield "open_alerts", "causes that were announced and are not over", [({}, facts["open_alerts"])]
    yield "seen_age_seconds", "since the whole home was last looked at", [({}, facts["seconds_since_seen"])]
    yield from _of_now(now)
    if seen:
        yield from _of_seen(seen, facts["seconds_since_seen"])


def _of_now(now: Facts) -> Iterator[tuple[str, str, list[Sample]]]:
    disk, daemon = now["disk"], now["daemon"]
    yield "disk_free_bytes", "free on the fullest disk of the home", [({}, disk["free_bytes"])]
    yield "disk_size_bytes", "size of that disk", [({}, disk["total_bytes"])]
    yield "daemon_alive", "1 if the daemon's sensor looked lately", [({}, float(daemon["alive"]))]
    yield "daemon_age_seconds", "since the daemon's sensor last looked", [({}, daemon["seconds_since_seen"])]
    yield "refresh_running", "1 while a refresh runs", [({}, float(bool(now["running"])))]
    refresh, backup = now["refresh"] or {}, now["backup"] or {}
    yield "refresh_age_seconds", "since a refresh last ended", [({}, _age(refresh.get("time")))]
    yield "refresh_failed", "1 if the last refresh ended with an error", [({}, _flag(refresh, "problem"))]
    yield "backup_age_seconds", "since the newest recorded backup", [({}, backup.get("seconds_since"))]
    channels: list[Sample] = [({"channel": each["name"]}, float(each["failures"])) for each in now["channels"]]
    yield "channel_failures", "attempts in a row that failed, by channel", channels


def _of_seen(seen: Facts, age: float) -> Iterator[tuple[str, str, list[Sample]]]:
    counts = seen["counts"]
    partitions: list[Sample] = [
        ({"kind": kind, "state": state}, float(count))
        for kind, name in (("wave", "waves"), ("batch", "batches"))
        for state, count in counts[name].items()
    ]
    yield "partitions", "waves and batches by the worst state of their tables", partitions
    tables: list[Sample] = [
        ({"state": name}, counts[name]) for name in ("blocked", "failed", "to_make", "missing_upstream")
    ]
    yield "table_partitions", "partitions of tables that are not up to date, by why", tables
    deliveries: list[Sample] = [({"state": state}, count) for state, count in counts["deliveries"].items()]
    yield "deliveries", "deliveries by state", deliveries
    sources: list[Sample] = [
        ({"source": each["source"]}, None if each["days"] is None else each["days"] * _DAY + age)
        for each in seen["sources"]
    ]
    yield "delivery_age_seconds", "since the last delivery of a source", sources
    overdue: list[Sample] = [({"source": each["source"]}, float(each["overdue"])) for each in seen["sources"]]
    yield "source_overdue", "1 if a source is overdue", overdue
    released = (seen["release"] or {}).get("created")
    yield "release_age_seconds", "since the latest release was made", [({}, released and _age_of(released))]
    use: list[Sample] = [({"part": part}, count) for part, count in seen["disk_use"].items()]
    yield "disk_used_bytes", "bytes of each part of the home", use


def _age(at: float | None) -> float | None:
    return None if at is None else max(0.0, time.time() - at)


def _age_of(created: str) -> float | None:
    try:
        return _age(datetime.fromisoformat(created).timestamp())
    except ValueError:
        return None


def _flag(facts: Facts, name: str) -> float | None:
    return float(bool(facts[name])) if facts else None


def _text(name: str, meaning: str, samples: Iterable[Sample]) -> str:
    """One gauge; a value that is not known is left out, and so is a gauge without any."""
    lines = [f"stegvis_{name}{_labels(labels)} {value:.15g}" for labels, value in samples if value is not None]
    if not lines:
        return ""
    return "\n".join([f"# HELP stegvis_{name} {meaning}", f"# TYPE stegvis_{name} gauge", *lines, ""])


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
