"""Alerts, once per cause: what is open, what was sent to whom, and what is tried again.

The state is ``monitoring/sent.json``: of each cause when it was first seen and over which channels it was sent. It is
replaced after each message, so that a process that is killed between sending and recording sends one message twice at
most. A channel that fails is tried again after 1, 5, 15 and then every 60 minutes, with everything that is due by
then; it never makes a refresh fail. Belongs here: what is due. Does not belong here: how a channel sends
(``channels.py``), what is a cause (``causes.py``).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from stegvis.orchestration.monitoring import files
from stegvis.orchestration.monitoring.causes import Cause
from stegvis.orchestration.monitoring.channels import SendError, send
from stegvis.orchestration.monitoring.settings import AlertSettings, Email, Webhook
from stegvis.orchestration.monitoring.wording import Message, about_causes, digest
from stegvis.storage.alerts import ALERTS_FILE, append_alert
from stegvis.storage.lock import LockedError, locked

BACKOFF_SECONDS = (60.0, 300.0, 900.0, 3600.0)
# A look sends no further message after this long: a sensor has a minute.
_LONGEST_SECONDS = 25.0
_VERSION = 1
_PARTS = ("causes", "channels", "digest")
_RANK = {"error": 2, "warning": 1, "info": 0}

Facts = dict[str, Any]
Send = Callable[[Email | Webhook, Message], None]

# The state as this process wrote it last: on a full disk, which is itself announced, nothing can be recorded.
_IN_MEMORY: dict[Path, Facts] = {}


def notify(
    root: Path,
    settings: AlertSettings,
    found: Iterable[Cause],
    making: Iterable[str] = (),
    digest_of: Callable[[], tuple[Facts, Facts]] | None = None,
    sender: Send = send,
) -> None:
    """Send what is new and what is gone, and the digest where it is due; nothing while another process does so.

    Args:
        root: the home's folder.
        settings: who is alerted.
        found: every cause that is open now.
        making: labels of partitions that will be made again: what was wrong with them is neither new nor gone.
        digest_of: gives what was seen of the whole home, and what can be seen now; None sends no digest.
        sender: sends a message over a channel.
    """
    with suppress(LockedError), locked(files.place(root, files.SENDING), "sending alerts", wait_seconds=5.0):
        _Round(root, settings, sender).all(list(found), set(making), digest_of)


def name_of(root: Path, settings: AlertSettings) -> str:
    """What the home is called in messages."""
    return settings.name or root.name.lstrip(".") or "stegvis"


def open_causes(root: Path) -> list[Facts]:
    """The causes that were announced, or are to be, and are not gone: ``cause``, ``first_seen``."""
    known = _state(root)["causes"]
    return [each for each in known.values() if each["gone"] is None]


def _state(root: Path) -> Facts:
    """What was sent: the file, or what this process could not write to it."""
    file = files.place(root, files.SENT)
    state, in_memory = files.read_json(file), _IN_MEMORY.get(root, {})
    if in_memory.get("written", 0) > state.get("written", 0):
        state = json.loads(json.dumps(in_memory))
    if state.get("version") != _VERSION or not all(isinstance(state.get(part), dict) for part in _PARTS):
        state = {}
    return {"version": _VERSION, "written": 0, **{part: {} for part in _PARTS}, **state}


class _Round:
    """One look at what is due."""

    def __init__(self, root: Path, settings: AlertSettings, sender: Send) -> None:
        self.root, self.settings, self.sender = root, settings, sender
        self.home = name_of(root, settings)
        self.state = _state(root)
        self.before = json.dumps(self.state)
        self.now = time.time()

    def all(self, found: list[Cause], making: set[str], digest_of: Callable[[], tuple[Facts, Facts]] | None) -> None:
        """Record what is new and gone, in the file first, and send."""
        self._compare([cause for cause in found if cause.severity != "info"], making)
        self._to_file()
        if digest_of is not None:
            self._digest(digest_of)
        names = {channel.name for channel in self.settings.channels}
        self.state["channels"] = {name: each for name, each in self.state["channels"].items() if name in names}
        self._save()
        until = time.monotonic() + _LONGEST_SECONDS
        for channel in self.settings.channels:
            if time.monotonic() < until:
                self._over(channel)
        self.state["causes"] = {
            key: each for key, each in self.state["causes"].items() if each["gone"] is None or self._owed(each)
        }
        self._save()

    def _compare(self, found: list[Cause], making: set[str]) -> None:
        """Enter new causes, and when a known one was gone first."""
        known = self.state["causes"]
        blocked = {
            each["cause"]["subject"]
            for each in known.values()
            if each["gone"] is None and each["cause"]["kind"] == "blocked"
        }
        # Of what was blocked, and has new inputs, the failure of its last run is no news.
        present = {
            cause.key: cause
            for cause in found
            if not (cause.kind == "failed" and cause.subject in blocked and cause.subject in making)
        }
        for key, cause in present.items():
            kept = asdict(cause) | {"sentence": cause.message}
            entry = known.setdefault(key, {"first_seen": self.now, "gone": None, "sent": {}, "resolved": {}})
            entry["cause"] = kept
            if entry["gone"] is not None:  # it came back: whoever heard that it was gone hears of it again
                entry["gone"] = None
                entry["first_seen"] = self.now
                for channel in entry["resolved"]:
                    entry["sent"].pop(channel, None)
                entry["resolved"] = {}
        for key, entry in known.items():
            again = entry["cause"]["kind"] in ("blocked", "failed") and entry["cause"]["subject"] in making
            if key not in present and entry["gone"] is None and not again:
                entry["gone"] = self.now

    def _to_file(self) -> None:
        """Append to ``alerts.jsonl`` what is new and what is gone."""
        for entry in self.state["causes"].values():
            cause = Cause(**entry["cause"])
            severity: Literal["error", "warning"] = "error" if cause.severity == "error" else "warning"
            with suppress(OSError):
                if ALERTS_FILE not in entry["sent"]:
                    append_alert(self.root, severity, cause.kind, cause.subject, f"{cause.message}. Next: {cause.next}")
                    entry["sent"][ALERTS_FILE] = self.now
                elif entry["gone"] is not None and ALERTS_FILE not in entry["resolved"]:
                    append_alert(self.root, "info", cause.kind, cause.subject, f"resolved: {cause.message}")
                    entry["resolved"][ALERTS_FILE] = self.now

    def _digest(self, digest_of: Callable[[], tuple[Facts, Facts]]) -> None:
        """Write the digest of today for every channel that gets it, if the hour has come."""
        wanted = [channel.name for channel in self.settings.channels if channel.digest]
        at = datetime.fromtimestamp(self.now, UTC).astimezone(ZoneInfo(self.settings.digest.time_zone))
        last, today = self.state["digest"], at.date().isoformat()
        if not wanted or at.hour < self.settings.digest.hour or last.get("day") == today:
            return
        seen, now = digest_of()
        is_open = [Cause(**each["cause"]) for each in self.state["causes"].values() if each["gone"] is None]
        since = float(last.get("time", self.now - 86_400.0))
        message = digest(self.home, seen, now, is_open, since)
        nothing = not (is_open or message.facts["landed"] or message.facts["published"])
        due = [] if nothing and not self.settings.digest.when_all_is_well else wanted
        self.state["digest"] = {"day": today, "time": self.now, "message": asdict(message), "due": due}

    def _over(self, channel: Email | Webhook) -> None:
        """Send what is due over one channel, if it is not waited for."""
        state = self.state["channels"].setdefault(channel.name, {"failures": 0, "next_try": 0.0})
        # A longer wait than there is comes of a clock that went back.
        if state["failures"] and 0 < state["next_try"] - self.now <= BACKOFF_SECONDS[-1]:
            return
        name, least = channel.name, _RANK[channel.least]
        own = Cause.of("channel", "warning", name, "").key  # that it fails cannot be said over it
        entries = [
            each
            for key, each in self.state["causes"].items()
            if _RANK[each["cause"]["severity"]] >= least and key != own
        ]
        opened = [each for each in entries if each["gone"] is None and name not in each["sent"]]
        resolved = [
            each
            for each in entries
            if each["gone"] is not None and name in each["sent"] and name not in each["resolved"]
        ]
        if opened or resolved:
            still = sum(each["gone"] is None for each in entries) - len(opened)
            new = sorted(((Cause(**e["cause"]), float(e["first_seen"])) for e in opened), key=lambda e: _rank(e[0]))
            message = about_causes(self.home, new, [Cause(**each["cause"]) for each in resolved], still)
            if not self._send(channel, message, state):
                return
            for entry in opened:
                entry["sent"][name] = self.now
            for entry in resolved:
                entry["resolved"][name] = self.now
            self._save()
        if name in self.state["digest"].get("due", []) and self._send(
            channel, Message(**self.state["digest"]["message"]), state
        ):
            self.state["digest"]["due"].remove(name)
            self._save()

    def _send(self, channel: Email | Webhook, message: Message, state: Facts) -> bool:
        """One attempt; what came of it is recorded of the channel."""
        try:
            self.sender(channel, message)
        except Exception as error:
            # Whatever is wrong with one channel, the others are used. Only our own text is sure to hold no secret.
            why = str(error) if isinstance(error, SendError) else f"unexpected {type(error).__name__}"
            failures = state["failures"] + 1
            wait = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS)) - 1]
            state.update(failures=failures, why=why, next_try=self.now + wait)
            self._save()
            return False
        state.clear()
        state.update(failures=0, next_try=0.0, last_sent=self.now)
        return True

    def _owed(self, entry: Facts) -> bool:
        """Whether somebody who heard of a cause has not heard that it is gone."""
        channels = {ALERTS_FILE, *(channel.name for channel in self.settings.channels)}
        return any(name in channels and name not in entry["resolved"] for name in entry["sent"])

    def _save(self) -> None:
        """Replace the file if something changed."""
        if json.dumps(self.state) == self.before:
            return
        self.state["written"] += 1
        self.before = json.dumps(self.state)
        _IN_MEMORY[self.root] = json.loads(self.before)
        with suppress(OSError):
            files.write_json(files.place(self.root, files.SENT), self.state)


def _rank(cause: Cause) -> int:
    """Errors before warnings."""
    return -_RANK[cause.severity]
