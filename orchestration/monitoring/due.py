"""Sending what is due, by what was seen last of the whole home and what can be seen now; without Dagster."""

from __future__ import annotations

from stegvis.orchestration.monitoring import seen
from stegvis.orchestration.monitoring.causes import live_causes
from stegvis.orchestration.monitoring.notifying import notify
from stegvis.orchestration.monitoring.now import now
from stegvis.orchestration.monitoring.settings import AlertsError, AlertSettings, read_alert_settings
from stegvis.storage.home import Home


def send_due(home: Home) -> None:
    """Send what is new, what is over, and the digest where it is due.

    Args:
        home: the home.
    """
    last, current = seen.read(home.root), now(home)
    found = [*seen.causes_in(last), *live_causes(current)]
    notify(home.root, settings_of(home), found, last.get("making", ()), lambda: (last, current))


def settings_of(home: Home) -> AlertSettings:
    """Those of the home; where they are broken, which is a cause of its own, those of a home without any."""
    try:
        return read_alert_settings(home.root)
    except AlertsError:
        return AlertSettings()
