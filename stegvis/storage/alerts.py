"""The home's alerts: what somebody must hear of, one JSON object a line, only ever appended.

An alert holds no person's value: it counts, and names deliveries.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from stegvis.storage.json_lines import append_lines, read_objects

ALERTS_FILE = "alerts.jsonl"
Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Alert:
    """One alert.

    Attributes:
        time: UTC, ISO 8601.
        severity: ``error`` needs somebody now, ``warning`` a look, ``info`` nobody.
        kind: what it is about, in one word: ``withdrawal``.
        subject: which delivery or partition, by name.
        message: one sentence with the next step.
    """

    time: str
    severity: Severity
    kind: str
    subject: str
    message: str


def add_alert(root: Path, severity: Severity, kind: str, subject: str, message: str) -> bool:
    """Append an alert to the home's file; one that is there word for word is not repeated.

    Args:
        root: the home's folder.
        severity: see ``Alert``.
        kind: see ``Alert``.
        subject: see ``Alert``.
        message: see ``Alert``.

    Returns:
        Whether it is new.
    """
    if any((a.severity, a.kind, a.subject, a.message) == (severity, kind, subject, message) for a in read_alerts(root)):
        return False
    append_alert(root, severity, kind, subject, message)
    return True


def append_alert(root: Path, severity: Severity, kind: str, subject: str, message: str) -> None:
    """Append an alert, also where the same was there before: what was resolved and came back is new.

    Args:
        root: the home's folder.
        severity: see ``Alert``.
        kind: see ``Alert``.
        subject: see ``Alert``.
        message: see ``Alert``.
    """
    alert = Alert(datetime.now(UTC).isoformat(timespec="seconds"), severity, kind, subject, message)
    append_lines(root / ALERTS_FILE, [json.dumps(asdict(alert))])


def read_alerts(root: Path) -> list[Alert]:
    """Every alert of a home, oldest first; a line cut by a crash is passed over."""
    return read_objects(root / ALERTS_FILE, Alert)
