"""Dagster's webserver behind the guard: ``python -m stegvis.orchestration.ui_server``, started by ``stegvis ui``.

It takes the options of ``dagster-webserver``, and from the environment, which other users cannot read, the token
(``STEGVIS_UI_TOKEN``) and the names of a reverse proxy (``STEGVIS_UI_HOSTS``). The guard is in the same process and on
the same port, so that no unguarded port exists beside it.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import uvicorn

from stegvis.orchestration.state_server import StatePage
from stegvis.orchestration.ui_guard import Guard, public_hosts
from stegvis.orchestration.ui_read_only import ReadOnly
from stegvis.storage.home import Home

TOKEN = "STEGVIS_UI_TOKEN"
HOSTS = "STEGVIS_UI_HOSTS"
_PREFIX = "--path-prefix"


def main() -> None:
    """Serve Dagster's UI to whoever has the token."""
    from dagster_webserver.cli import cli

    token = os.environ.pop(TOKEN, "")
    if not token:
        sys.exit(f"{TOKEN} is not set: stegvis ui starts this server")
    try:
        names = public_hosts(os.environ.get(HOSTS, ""))
    except ValueError as error:
        sys.exit(f"{HOSTS}: {error}")
    serve = uvicorn.run

    read_only = "--read-only" in sys.argv

    def serve_guarded(app: Any, *, host: str, port: int, **options: Any) -> None:
        shown = StatePage(ReadOnly(app) if read_only else app, Home.find(), _path_prefix(sys.argv))
        serve(Guard(shown, token, port, names), host=host, port=port, **options)

    # Dagster serves its application with this function, and offers no other place for a middleware.
    uvicorn.run = serve_guarded  # type: ignore[assignment]
    cli()


def _path_prefix(arguments: list[str]) -> str:
    """The path below which Dagster serves its UI: an option of its own."""
    place = arguments.index(_PREFIX) + 1 if _PREFIX in arguments else len(arguments)
    return "".join(arguments[place : place + 1]).rstrip("/")


if __name__ == "__main__":
    main()
