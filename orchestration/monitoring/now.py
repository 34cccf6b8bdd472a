"""What can be seen of a home at any time in milliseconds, without Dagster or the warehouse.

Free space, whether the daemon looks, how the last refresh ended, alerts that could not be sent, the last backup.
Belongs here: these facts, and what of them is a cause. Does not belong here: facts that need the warehouse
(``orchestration/status.py``).
"""

from __future__ import annotations

import time
from typing import Any

from stegvis.orchestration.monitoring import files
from stegvis.orchestration.monitoring.settings import AlertsError, AlertSettings, read_alert_settings
from stegvis.storage.backups_made import last_backup
from stegvis.storage.disk_use import free_space
from stegvis.storage.home import Home
from stegvis.storage.lock import holder

# A disk that had too little space has enough again when this much more is free: a value at the limit is announced once.
_MARGIN = 1.1
# What was seen last is too old when the daemon, which looks at everything once an hour, has not for so long.
_LONGEST_UNSEEN_SECONDS = 3 * 3600.0
GIGABYTE = 1e9
_DAY = 86_400.0

Facts = dict[str, Any]


def now(home: Home) -> Facts:
    """The facts, and under ``causes`` what needs somebody: arguments of a ``Cause``."""
    found: list[Facts] = []
    try:
        settings = read_alert_settings(home.root)
    except AlertsError as error:
        settings = AlertSettings()
        found.append(_cause("settings", "error", "alerts.toml", f"nobody can be alerted: {error}"))
    sent = files.read_json(files.place(home.root, files.SENT))
    facts: Facts = {
        "disk": _disk(home, settings, sent, found),
        "daemon": _daemon(home, settings, found),
        "refresh": _refresh(home, found),
        "channels": _channels(settings, sent, found),
        "backup": _backup(home, settings, found),
        "running": holder(home.refresh_lock),
        "warehouse": _warehouse(home, found),
    }
    return facts | {"causes": found}


def _cause(kind: str, severity: str, subject: str, sentence: str, identity: str = "") -> Facts:
    return {"kind": kind, "severity": severity, "subject": subject, "sentence": sentence, "identity": identity}


def _disk(home: Home, settings: AlertSettings, sent: Facts, found: list[Facts]) -> Facts:
    """Free space of the fullest disk that the home writes to."""
    space = free_space([home.root, home.dagster, home.lake, home.releases])
    if space is None:
        return {"free_bytes": None, "total_bytes": None}
    was = {key for key in sent.get("causes", {}) if not sent["causes"][key].get("gone")}
    for severity, what, limit in (
        ("error", "full", settings.disk.error_gigabytes),
        ("warning", "nearly full", settings.disk.warning_gigabytes),
    ):
        if space.free < limit * GIGABYTE * (_MARGIN if f"disk:{what}" in was else 1.0):
            sentence = f"DISK {what}: {space.free / GIGABYTE:,.1f} GB ({space.share:.0%}) free where the home is"
            found.append(_cause("disk", severity, what, sentence))
            break
    return {"free_bytes": space.free, "total_bytes": space.total}


def _daemon(home: Home, settings: AlertSettings, found: list[Facts]) -> Facts:
    """When the daemon's sensor last looked, and when the whole home was last looked at."""
    silent = files.seconds_since(files.place(home.root, files.LOOKED))
    unseen = files.seconds_since(files.place(home.root, files.SEEN))
    allowed = 60 * settings.unattended.longest_silence_minutes
    alive = silent is not None and silent <= allowed
    if settings.unattended.daemon and not alive:
        since = "has never run" if silent is None else f"was last seen {_ago(silent)}"
        found.append(_cause("daemon", "error", "daemon", f"DAEMON not alive: it {since}, and nothing runs by itself"))
    elif settings.unattended.daemon and unseen is not None and unseen > _LONGEST_UNSEEN_SECONDS:
        found.append(_cause("silence", "error", "home", f"the home was last looked at {_ago(unseen)}"))
    return {"expected": settings.unattended.daemon, "alive": alive, "seconds_since_seen": silent}


def _refresh(home: Home, found: list[Facts]) -> Facts | None:
    """How the last refresh ended, if one has since this is recorded."""
    last = files.read_json(files.place(home.root, files.REFRESH))
    if not last:
        return None
    if last.get("problem"):
        found.append(_cause("refresh", "error", "refresh", f"FAILED refresh: {last['problem']}", str(last["problem"])))
    return last


def _warehouse(home: Home, found: list[Facts]) -> bool:
    """Whether the warehouse is there; a home that published something had one."""
    there = home.warehouse.exists()
    if not there and (home.releases / "latest").exists():
        found.append(_cause("warehouse", "error", "warehouse", "the warehouse is gone: restore it, or stegvis refresh"))
    return there


def _channels(settings: AlertSettings, sent: Facts, found: list[Facts]) -> list[Facts]:
    """Each channel: when it was last used, and since when it fails."""
    known: list[Facts] = []
    for channel in settings.channels:
        state = sent.get("channels", {}).get(channel.name, {})
        failures = int(state.get("failures", 0))
        known.append({"name": channel.name, "failures": failures, "last_sent": state.get("last_sent")})
        if failures:
            sentence = f"ALERT NOT SENT over {channel.name}: {state.get('why', 'it failed')}; tried {failures} times"
            found.append(_cause("channel", "warning", channel.name, sentence))
    return known


def _backup(home: Home, settings: AlertSettings, found: list[Facts]) -> Facts | None:
    """The newest backup that is recorded."""
    last, allowed = last_backup(home.root), settings.unattended.longest_days_without_backup
    age = None if last is None else max(0.0, time.time() - last.made.timestamp())
    if allowed and (age is None or age > allowed * _DAY):
        was = "none was ever made" if age is None else f"the last was made {_ago(age)}"
        found.append(_cause("backup", "warning", "backup", f"BACKUP too old: {was} (expected every {allowed} days)"))
    return None if age is None else {"seconds_since": age}


def _ago(seconds: float) -> str:
    """A length of time as a person says it."""
    for length, name in ((_DAY, "day"), (3600.0, "hour"), (60.0, "minute")):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count:,} {name}{'s' if count > 1 else ''} ago"
    return "less than a minute ago"
