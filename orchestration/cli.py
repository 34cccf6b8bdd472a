"""The command line: ``stegvis``.

Exit codes: 0 done; 1 a check, a contract or a withdrawal failed; 2 wrong usage; 130 interrupted. Results go to standard
output, progress and problems to standard error. No command prints a person's data.
"""

from __future__ import annotations

import os
import signal
from typing import Annotated

import typer

from stegvis.orchestration.commands import deliveries, pooling, recordings, releases, running, starting
from stegvis.orchestration.printing import fail

app = typer.Typer(
    name="stegvis",
    help="From accelerometer and questionnaire deliveries to estimates of walking and an outcome.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

# In the order in which --help lists them.
for command in (
    running.demo, starting.init, deliveries.twin, deliveries.seal, deliveries.validate, running.refresh,
    running.status, recordings.classify, recordings.train, deliveries.withdraw, deliveries.accept, deliveries.retire,
    releases.compare, releases.trace, releases.verify, releases.sign, releases.retract, releases.publish,
    releases.export, pooling.pool, running.ui,
):  # fmt: skip
    app.command()(command)


def _print_version(asked: bool) -> None:
    if asked:
        from stegvis.version import described

        typer.echo(described())
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print version and commit.")
    ] = False,
) -> None:
    """From accelerometer and questionnaire deliveries to estimates of walking and an outcome."""


def main() -> None:
    """Entry point: ordinary mistakes end in one line, not in a traceback."""
    # A request to end, from a service manager for example, is treated like Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # What is written holds person-level data: for its owner alone.
    os.umask(0o077)
    try:
        app()
    except Exception as error:
        if os.environ.get("STEGVIS_TRACEBACK"):
            raise
        fail(_explained(error))


def _explained(error: Exception) -> str:
    """An ordinary mistake in a sentence; an error of the program by its class and place, without its text."""
    # Imported here: most commands end without an error, and --help should be quick.
    from stegvis.own_code import own_place
    from stegvis.storage.disk import refusal
    from stegvis.storage.home_key import HomeKeyError
    from stegvis.storage.lock import LockedError
    from stegvis.storage.releases import ReleaseError
    from stegvis.study.settings import SettingsError

    if isinstance(error, LockedError | SettingsError | HomeKeyError | ReleaseError):
        return str(error)
    # Also for Dagster's own storage, which may be on the disk that is full.
    refused = refusal(error)
    if unreadable := _unreadable(error):
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
            "Dagster's storage in the home's folder dagster/ cannot be used: it is damaged, or locked by another "
            "program. It may be deleted while nothing runs: the next refresh fills it from the warehouse's records"
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
