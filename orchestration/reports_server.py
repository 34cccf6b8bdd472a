"""Serves the releases of a home on this machine, so that the UI can link to a report.

``python -m stegvis.orchestration.reports_server FOLDER PORT`` ends with the process that started it. Belongs here: handing out
files that are released anyway. Does not belong here: anything else of a home.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of each file."""


def serve(folder: str, port: int) -> None:
    """Serve a folder on 127.0.0.1 until the parent process ends."""
    parent = os.getppid()
    with ThreadingHTTPServer(("127.0.0.1", port), partial(_Quiet, directory=folder)) as server:
        server.timeout = 1.0
        while os.getppid() == parent:
            server.handle_request()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
