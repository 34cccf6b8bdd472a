"""Serves the releases of a home on this machine, so that the UI can link to a report.

``python -m stegvis.orchestration.reports_server FOLDER PORT`` ends with the process that started it.
"""

from __future__ import annotations

import io
import os
import sys
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import BinaryIO


class _Quiet(SimpleHTTPRequestHandler):
    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """As the base class; an address that cannot be a path (``/%00``) is not found."""
        try:
            return super().send_head()
        except (ValueError, OSError):
            self.send_error(HTTPStatus.NOT_FOUND, "File not found")
            return None

    def log_message(self, format: str, *args: object) -> None:
        """Log no requests."""


def serve(folder: str, port: int) -> None:
    """Serve a folder on 127.0.0.1 until the parent process ends."""
    parent = os.getppid()
    with ThreadingHTTPServer(("127.0.0.1", port), partial(_Quiet, directory=folder)) as server:
        server.timeout = 1.0
        while os.getppid() == parent:
            server.handle_request()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
