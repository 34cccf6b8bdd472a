"""Publishing a wave anew: the decision is recorded; a refresh audits it and does the rest."""

from __future__ import annotations

from stegvis.storage.home import Home
from stegvis.storage.lock import locked
from stegvis.storage.publish_wave import publish_wave


def publish(home: Home, wave: str, by: str, because: str) -> None:
    """Record that a wave shall be published anew.

    Raises:
        stegvis.storage.decisions.DecisionError: see ``publish_wave``.
        stegvis.storage.releases.ReleaseError: an earlier release cannot be read.
        stegvis.storage.lock.LockedError: a refresh of the home did not end in time.
    """
    home.create()
    with locked(home.refresh_lock, f"publish {wave}"):
        publish_wave(home, wave, by, because)
