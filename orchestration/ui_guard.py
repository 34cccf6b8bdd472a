"""Who may use the Dagster UI of a home: one person, in their own browser, with the token printed at the start.

Dagster's webserver asks nobody who they are, and it executes a mutation that arrives by GET or from another site's
page. Belongs here: an ASGI application in front of it that refuses such requests. Does not belong here: starting the
server (``ui_server.py``), sign-in for several people (the reverse proxy of ``deploy/``, which sends the token).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.websockets import WebSocket

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOGIN = "/stegvis-login"
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
_READS = ("GET", "HEAD")
_LOGIN_PAGE = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Stegvis</title></head>
<body style="font-family: sans-serif; margin: 4em auto; max-width: 30em">
<h1>Stegvis</h1>
<form method="post" action="{LOGIN}">
<p><label for="token">Token, printed by <code>stegvis ui</code> when it started</label></p>
<p><input id="token" name="token" type="password" autocomplete="off" autofocus size="40"> <button>Open</button></p>
</form></body></html>
"""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def public_hosts(text: str) -> frozenset[str]:
    """The names under which a reverse proxy is reached, from a text such as ``stegvis.example.org, localhost:8443``.

    Raises:
        ValueError: one is not a name with an optional port; there are no wildcards.
    """
    names = frozenset(part.strip().lower() for part in text.split(",") if part.strip())
    for name in names:
        if not _HOST.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of a host: write it as stegvis.example.org or with :PORT")
    return names


class Guard:
    """Passes to an application what comes from its own page with the token, and refuses everything else.

    The token is a cookie, an ``Authorization: Bearer`` header, or once the parameter ``token`` of an address, which is
    then answered with the cookie. Besides this machine's own names, a request may name one of ``public_hosts``, under
    which a reverse proxy is reached; its pages come by https alone.
    """

    def __init__(self, app: ASGIApp, token: str, port: int, public_hosts: Collection[str] = ()) -> None:
        self.app = app
        self.token = token
        local = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
        self.hosts = local | set(public_hosts)
        self.origins = {f"http://{host}" for host in local} | {f"https://{host}" for host in public_hosts}
        # Browsers send a cookie to every port of a machine.
        self.cookie = f"stegvis-ui-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse or pass on one request."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        if scope["type"] == "websocket":
            if self._stranger(connection) or not self._has_token(connection):
                await WebSocket(scope, receive, send).close(code=1008)
                return
            await self.app(scope, receive, send)
            return
        answer = await self._answer(Request(scope, receive))
        await (answer or self.app)(scope, receive, _with_headers(send))

    async def _answer(self, request: Request) -> Response | None:
        """What to answer instead of the application; None where it may answer itself."""
        if reason := self._stranger(request):
            return JSONResponse({"error": reason}, status_code=403)
        if request.url.path == LOGIN and request.method == "POST":
            return await self._login(request)
        if not self._has_token(request):
            return self._ask(request)
        path = request.url.path.rstrip("/")
        if request.method in _READS:
            if path.endswith("/graphql") and "query" in request.query_params:
                return JSONResponse({"error": "GraphQL is answered to POST alone"}, status_code=405)
        elif not request.headers.get("content-type", "").lower().startswith("application/json"):
            # What a form of another page can send without asking; Dagster's own pages send JSON.
            return JSONResponse({"error": "the content type must be application/json"}, status_code=415)
        return None

    def _stranger(self, connection: HTTPConnection) -> str | None:
        """Why a request is not from a page of this server: another name of this machine, or another site's page."""
        if connection.headers.get("host", "").lower() not in self.hosts:
            return "the UI is not reached by this name"
        origin = connection.headers.get("origin")
        if origin is not None and origin.lower() not in self.origins:
            return "the request comes from another site"
        if connection.headers.get("sec-fetch-site") == "cross-site" and connection.scope.get("method") not in _READS:
            return "the request comes from another site"
        return None

    def _has_token(self, connection: HTTPConnection) -> bool:
        scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
        given = [bearer] if scheme.lower() == "bearer" else []
        try:
            cookies = SimpleCookie(connection.headers.get("cookie", ""))
        except CookieError:
            cookies = SimpleCookie()
        if self.cookie in cookies:
            given.append(cookies[self.cookie].value)
        return any(self._is_token(each) for each in given)

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self.token.encode())

    def _ask(self, request: Request) -> Response:
        """Take the token from the address, or ask for it."""
        parameters = dict(request.query_params)
        if request.method == "GET" and self._is_token(parameters.pop("token", "")):
            return self._admitted(request.url.path + (f"?{urlencode(parameters)}" if parameters else ""))
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(_LOGIN_PAGE, status_code=401)
        return JSONResponse({"error": "the token printed by stegvis ui is needed"}, status_code=401)

    async def _login(self, request: Request) -> Response:
        content = (await request.body())[:10_000].decode("utf-8", "replace")
        given = content.removeprefix("token=") if content.startswith("token=") else ""
        return self._admitted("/") if self._is_token(given.strip()) else HTMLResponse(_LOGIN_PAGE, status_code=401)

    def _admitted(self, address: str) -> Response:
        # One slash at the start: two would be the address of another machine.
        response = RedirectResponse("/" + address.lstrip("/\\"), status_code=303)
        response.set_cookie(self.cookie, self.token, httponly=True, samesite="strict", path="/")
        return response


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: Any = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
        await send(message)

    return sending
