"""What is sent, in words: a message about new and resolved causes, and the daily digest.

A message has a subject and lines. Belongs here: the texts, the same for every channel. Does not belong here: their form
for a channel (``channels.py``), when they are sent (``notifying.py``).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from stegvis.orchestration.monitoring.causes import Cause

# Of each kind of line; the others are counted.
MOST_SHOWN = 20
_LONGEST_LINE = 600
_LONGEST_SUBJECT = 150

Facts = dict[str, Any]


@dataclass(frozen=True)
class Message:
    """What a channel sends.

    Attributes:
        subject: one line.
        text: the whole, as lines.
        facts: the same for a program: what a JSON webhook posts.
    """

    subject: str
    text: str
    facts: Facts = field(default_factory=dict)


def about_causes(home: str, opened: Sequence[tuple[Cause, float]], resolved: Sequence[Cause], still: int) -> Message:
    """A message about causes that are new, and causes that are gone.

    Args:
        home: its name.
        opened: each new cause, and when it was first seen (seconds since 1970).
        resolved: each cause that is gone.
        still: how many others are open.
    """
    lines: list[str] = []
    if opened:
        lines += ["NEW", *_some([_new(cause, since) for cause, since in opened])]
    if resolved:
        lines += ["RESOLVED", *_some([f"- {_short(cause.message)}" for cause in resolved])]
    lines.append(f"Still open besides: {still}" if still else "Nothing else is open")
    first, count = (opened[0][0].message, len(opened)) if opened else (f"resolved: {resolved[0].message}", 0)
    others = count - 1 if opened else len(resolved) - 1
    subject = first + (f" (and {others} more)" if others > 0 else "")
    facts = {
        "event": "causes",
        "opened": [_plain(cause) | {"since": _iso(since)} for cause, since in opened],
        "resolved": [_plain(cause) for cause in resolved],
        "still_open": still,
    }
    return _message(home, subject, lines, facts)


def digest(home: str, seen: Facts, now: Facts, open_causes: Sequence[Cause], since: float) -> Message:
    """The daily digest: what landed and was published, what is open, disk use, and next steps.

    Args:
        home: its name.
        seen: what was seen at the last look at the whole home (``seen.py``).
        now: what can be seen now (``now.py``).
        open_causes: everything open.
        since: when the digest before was sent, in seconds since 1970.
    """
    landed = [each["delivery"] for each in seen.get("landed", []) if each["time"] > since]
    published = [each["release"] for each in seen.get("published", []) if each["time"] > since]
    lines = [
        f"Landed: {_listed(landed)}",
        f"Published: {_listed(published)}",
        f"Latest release: {(seen.get('release') or {}).get('release', 'none yet')}",
        f"Disk: {disk_words(seen.get('disk_use', {}), now['disk'])}",
        f"Waiting to be made: {seen.get('counts', {}).get('to_make', 0)} partitions",
        *(["OPEN", *_some([f"- {_short(c.message)}\n  Next: {c.next}" for c in open_causes])] if open_causes else []),
    ]
    state = f"{len(open_causes)} open" if open_causes else "all is well"
    subject = f"daily digest: {state}, {len(landed)} landed, {len(published)} published"
    facts = {
        "event": "digest",
        "landed": landed,
        "published": published,
        "open": [_plain(cause) for cause in open_causes],
        "disk_use_bytes": seen.get("disk_use", {}),
        "disk_free_bytes": now["disk"]["free_bytes"],
    }
    return _message(home, subject, lines, facts)


def trial(home: str) -> Message:
    """What ``stegvis health --test-alerts`` sends."""
    return _message(home, "test message", ["This channel works. Nothing is wrong."], {"event": "test"})


def disk_words(use: Facts, disk: Facts) -> str:
    """The bytes of each part of a home, and what is free."""
    used = ", ".join(f"{part} {size(count)}" for part, count in use.items())
    free = disk["free_bytes"]
    return "; ".join(filter(None, [used, "" if free is None else f"{size(free)} free"]))


def size(count: float) -> str:
    """Bytes as a person reads them."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:,.0f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def one_line(text: str, longest: int) -> str:
    """A text without line breaks or control characters, and not too long."""
    clean = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return clean if len(clean) <= longest else f"{clean[: longest - 4]} ..."


def _message(home: str, subject: str, lines: list[str], facts: Facts) -> Message:
    lines = [*lines, f"stegvis status says more. Sent by Stegvis, home {home}, {_iso(time.time())}"]
    text = "\n".join(lines)
    return Message(one_line(f"[stegvis {home}] {subject}", _LONGEST_SUBJECT), text, {"home": home, **facts})


def _new(cause: Cause, since: float) -> str:
    return f"- {_short(cause.message)}\n  Since {_iso(since)}. Next: {cause.next}"


def _plain(cause: Cause) -> Facts:
    return cause.plain | {"message": _short(cause.message)}


def _short(text: str) -> str:
    return one_line(text, _LONGEST_LINE)


def _some(lines: list[str]) -> list[str]:
    rest = len(lines) - MOST_SHOWN
    return [*lines[:MOST_SHOWN], *([f"- and {rest} more: stegvis status lists all"] if rest > 0 else [])]


def _listed(names: Sequence[str]) -> str:
    shown = [one_line(name, 100) for name in names[:MOST_SHOWN]]
    more = len(names) - len(shown)
    return (", ".join(shown) or "nothing") + (f" and {more} more" if more else "")


def _iso(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))
