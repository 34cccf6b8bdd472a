"""Registering a wave before it is opened."""

from __future__ import annotations

from stegvis.storage.home import Home
from stegvis.storage.landing_mirror import mirror_landing
from stegvis.storage.lock import locked
from stegvis.storage.registration import Registration
from stegvis.storage.registration import register as write


def register(home: Home, wave: str, late: bool) -> Registration:
    """Write the registration of a wave, while no refresh reads what has landed.

    Raises:
        stegvis.storage.registration.RegistrationError: see ``registration.register``.
        stegvis.storage.lock.LockedError: a refresh of the home did not end in time.
    """
    home.create()
    with locked(home.refresh_lock, f"register {wave}"):
        mirror_landing(home)
        return write(home, wave, late)
