"""Serves the state of a home as the first page of the Dagster UI, and opens the graph with its groups expanded.

Belongs here: an ASGI application around Dagster's. Does not belong here: who may see it (``ui_guard.py``), what is on
the page (``state_page.py``).
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from stegvis.orchestration.graph_address import graph_address
from stegvis.storage.home import Home

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

STATE = "/stegvis"
_FRESH_SECONDS = 10.0
_LONGEST_SECONDS = 120.0
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_FAILED = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="20">
<title>Stegvis</title><body style="font-family: sans-serif; margin: 3em auto; max-width: 40em">
<h1>The state of the home cannot be shown</h1>
<p>The command <code>stegvis status</code> on this home says why. Dagster itself is at <a href="overview">Overview</a>
and <a href="runs">Runs</a>.</p></body></html>"""


class StatePage:
    """Answers ``/`` and ``/stegvis`` with the state of a home; everything else is Dagster's.

    Behind a reverse proxy both are below the ``prefix`` of Dagster's webserver, so the page's links are relative.

    The page is made by a process of its own, at most once in ten seconds however many ask for it; while a new one is
    made, the last one is shown, which says as of when it is.
    """

    def __init__(self, app: ASGIApp, home: Home, prefix: str = "") -> None:
        self.app = app
        self.home = home
        self.prefix = prefix
        self.page = ""
        self.made_at = float("-inf")
        self.making: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or pass on one request."""
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            request = Request(scope, receive)
            if answer := await self._answer(request):
                await answer(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _answer(self, request: Request) -> Response | None:
        path = request.url.path
        if path in (f"{self.prefix}/", self.prefix + STATE):
            return await self._state()
        if path == f"{self.prefix}/asset-groups" and not request.query_params:
            return RedirectResponse(f"{self.prefix}/{graph_address()}", status_code=303)
        return None

    async def _state(self) -> Response:
        if time.monotonic() - self.made_at > _FRESH_SECONDS and self.making is None:
            self.making = asyncio.create_task(self._make())
        if not self.page and self.making:
            await self.making
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
        return HTMLResponse(self.page or _FAILED, status_code=200 if self.page else 503, headers=headers)

    async def _make(self) -> None:
        """Make the page anew; an older one must not be taken for the present state when that fails."""
        command = [
            sys.executable,
            "-m",
            "stegvis.orchestration.state_page",
            str(self.home.root),
            str(self.home.landing),
        ]
        page = ""
        try:
            process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            try:
                printed, _ = await asyncio.wait_for(process.communicate(), _LONGEST_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()
            else:
                page = printed.decode("utf-8") if process.returncode == 0 else ""
        finally:
            self.page, self.made_at, self.making = page, time.monotonic(), None
