"""Errors as a person should read them: ordinary mistakes in a sentence, others without their text."""

from __future__ import annotations

import errno
import os


def explained(error: Exception) -> str:
    """An ordinary mistake in a sentence; an error of the program by its class and place, without its text."""
    # Imported here: most commands end without an error, and --help should be quick.
    from stegvis.own_code import own_place
    from stegvis.storage.disk import refusal
    from stegvis.storage.home import LandingAddressError
    from stegvis.storage.home_key import HomeKeyError
    from stegvis.storage.lock import LockedError
    from stegvis.storage.releases import ReleaseError
    from stegvis.storage.tasks import StopTasksError
    from stegvis.study.settings import SettingsError

    if isinstance(
        error, LockedError | SettingsError | HomeKeyError | ReleaseError | StopTasksError | LandingAddressError
    ):
        return str(error)
    # Also for Dagster's own storage, which may be on the disk that is full.
    refused = refusal(error)
    is_full = refused is not None and os.strerror(errno.ENOSPC).lower() in refused
    if not is_full and (unreadable := _unreadable(error)):
        return unreadable
    if refused is None:
        # The text could hold a person's value.
        where = own_place(error)
        return f"unexpected {type(error).__name__} in {where}; STEGVIS_TRACEBACK=1 shows the traceback"
    return f"{refused}; what was published is unchanged, and the next refresh continues from there"


def _unreadable(error: Exception) -> str | None:
    """What to do when the warehouse or Dagster's storage cannot be opened; None for another error."""
    from stegvis.own_code import own_place

    library = type(error).__module__.lstrip("_").partition(".")[0]
    if library == "dagster_postgres" or type(getattr(error, "orig", error)).__module__.startswith("psycopg2"):
        return (
            "Dagster's PostgreSQL does not answer, or refuses: does it run, and are STEGVIS_POSTGRES_HOST, _USER, "
            "_PASSWORD and _DATABASE right? The tables and releases do not depend on it"
        )
    if library in ("sqlalchemy", "sqlite3"):
        return (
            "Dagster's storage in the home's folder dagster/ cannot be used: the disk is full, or it is damaged, or "
            "locked by another program. It may be deleted while nothing runs: the next refresh fills it from the "
            "warehouse's records"
        )
    if library == "duckdb" and own_place(error).startswith("stegvis.storage.warehouse "):
        from stegvis.storage.warehouse import HELD, OTHER_VERSION

        if HELD in str(error):
            return "the warehouse is open in another program: close that, and run the command again"
        if OTHER_VERSION in str(error):
            return (
                "the warehouse cannot be opened: another version of DuckDB wrote warehouse.duckdb. Install that "
                "version, or move the file away, and stegvis refresh builds it again"
            )
        return (
            "the warehouse cannot be opened: warehouse.duckdb is damaged, or no DuckDB file. Move it away, and "
            "stegvis refresh builds it again, or restore it from a backup"
        )
    return None
