"""Looking at a home and sending alerts: after a refresh, by the daemon once a minute, and by ``stegvis health``.

Nothing here makes a refresh fail: an error of the watching itself is noted and passed over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import dagster as dg

from stegvis.orchestration.explaining import explained
from stegvis.orchestration.instance import open_instance
from stegvis.orchestration.monitoring import files, seen
from stegvis.orchestration.monitoring.due import send_due, settings_of
from stegvis.orchestration.monitoring.retention import prune_daily
from stegvis.orchestration.monitoring.signature import signature
from stegvis.orchestration.state_page import render
from stegvis.orchestration.status import status_of
from stegvis.storage.alert_log import keep_bounded
from stegvis.storage.home import Home
from stegvis.storage.lock import holder
from stegvis.storage.whole_files import write_whole

# Also where nothing seems to have changed the home is looked at once an hour: a source becomes overdue by itself.
OLDEST_SECONDS = 3600.0
# While a refresh runs, which alerts somebody itself when it ends, the home is looked at this often.
_WHILE_REFRESHING_SECONDS = 900.0


@contextmanager
def watched(home: Home, say: Callable[[str], None]) -> Iterator[None]:
    """Around a refresh: records how it ended, and sends alerts.

    Args:
        home: the home.
        say: is called with a line when the watching itself fails.
    """
    try:
        yield
    except Exception as error:
        _after(home, explained(error), say)
        raise
    # One that a person interrupted is no news.
    _after(home, None, say)


def _after(home: Home, problem: str | None, say: Callable[[str], None]) -> None:
    try:
        with suppress(OSError):
            files.write_json(files.place(home.root, files.REFRESH), {"time": time.time(), "problem": problem})
        with open_instance(home) as instance:
            look(home, instance, if_changed=True)
            prune_daily(home, instance, settings_of(home).event_log.keep_days)
        keep_bounded(home.root, home.refresh_lock)
    except Exception as error:
        say(f"nobody could be alerted: {explained(error)}")


def look(home: Home, instance: dg.DagsterInstance, if_changed: bool = False) -> bool:
    """Look at a home and send what is due.

    Args:
        home: the home.
        instance: its Dagster instance.
        if_changed: look at the whole home only where something may have changed, or the last look is an hour old.

    Returns:
        Whether the whole home was looked at.
    """
    last, whole = seen.read(home.root), True
    today = signature(home, instance)
    if if_changed and last:
        age = time.time() - float(last["time"])
        if holder(home.refresh_lock):
            whole = not 0 <= age < _WHILE_REFRESHING_SECONDS
        else:
            whole = last["signature"] != today or not 0 <= age < OLDEST_SECONDS
    if whole:
        _whole(home, instance, today)
    send_due(home)
    return whole


def _whole(home: Home, instance: dg.DagsterInstance, today: str) -> None:
    try:
        facts = status_of(home, instance)
        seen.keep(home.root, facts, today)
        write_whole(files.place(home.root, files.STATE), render(home, facts))
    except Exception as error:
        seen.keep_unreadable(home.root, explained(error), today)
