"""The command line: ``stegvis``.

Exit codes: 0 done; 1 a check, a contract or a withdrawal failed; 2 wrong usage; 130 interrupted. Results go to standard
output, progress and problems to standard error. No command prints a person's data.
"""

from __future__ import annotations

import os
import signal
from typing import Annotated

import typer

from stegvis.orchestration.commands import (
    deliveries,
    keeping,
    monitoring,
    pooling,
    recordings,
    registering,
    releases,
    running,
    starting,
    wear,
)
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
    running.status, monitoring.health, recordings.classify, wear.wear, recordings.train, deliveries.withdraw,
    deliveries.accept, deliveries.retire, registering.register, releases.compare, releases.trace, releases.verify,
    releases.sign, releases.retract, releases.publish, releases.export, pooling.pool, keeping.backup, keeping.restore,
    running.ui,
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
        from stegvis.orchestration.explaining import explained

        fail(explained(error))
