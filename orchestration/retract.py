"""Retracting a wave: the decision is recorded; a refresh does the rest."""

from __future__ import annotations

from stegvis.storage.home import Home
from stegvis.storage.lock import locked
from stegvis.storage.retraction import retract_wave


def retract(home: Home, wave: str, by: str, because: str) -> None:
    """Record that the numbers of a published wave are retracted.

    Raises:
        stegvis.storage.decisions.DecisionError: see ``retract_wave``.
        stegvis.storage.lock.LockedError: a refresh of the home did not end in time.
    """
    home.create()
    with locked(home.refresh_lock, f"retract {wave}"):
        retract_wave(home, wave, by, because)
