"""A web server on this machine that keeps what is posted to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Posted:
    """What was posted, and how the server answers.

    Attributes:
        bodies: each body, parsed; also of those it refused.
        accepted: those it answered 2xx.
        status: what it answers.
    """

    address: str = ""
    bodies: list[Any] = field(default_factory=list)
    accepted: list[Any] = field(default_factory=list)
    status: int = 200


@contextmanager
def web_server() -> Iterator[Posted]:
    """A web server until the block ends."""
    kept = Posted()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            kept.bodies.append(body)
            if 200 <= kept.status < 300:
                kept.accepted.append(body)
            self.send_response(kept.status)
            if 300 <= kept.status < 400:
                self.send_header("Location", f"{kept.address}/elsewhere")
            self.end_headers()

        def do_GET(self) -> None:
            kept.bodies.append("followed a redirect")
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        kept.address = f"http://127.0.0.1:{server.server_port}/hook-secret-path"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield kept
        finally:
            server.shutdown()
