"""Serves the published releases of a home on this machine, so that the UI can link to a report.

``python -m stegvis.orchestration.reports_server FOLDER PORT`` ends with the process that started it. It serves the
release that ``latest`` points at, and others that as many people signed as the protocol asks for (one at least), and
nothing beside them: no ledger, no signature, no release that still needs signatures.
"""

from __future__ import annotations

import io
import os
import re
import sys
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from stegvis.storage.releases import latest, release_folders
from stegvis.storage.signatures import valid_signatures
from stegvis.study.study import Study

_HEAD = 4096  # bytes, in which a page names its script
START = "/latest/report/index.html"
# Reports load nothing: pictures and fonts are inside them. A page of a report may run one script, which it holds and
# names by its hash.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data: 'self'; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def published_file(releases: Path, address: str) -> Path | None:
    """The file at an address (``/latest/report/index.html``), if it belongs to a release that is shown.

    Returns:
        A file inside the release's own folder; None for anything else, also behind a link.
    """
    parts = [part for part in unquote(urlsplit(address).path).split("/") if part]
    if not parts or any(part.startswith(".") or "\0" in part or "\\" in part for part in parts):
        return None
    folder = _shown(releases).get(parts[0])
    if folder is None:
        return None
    file = folder.joinpath(*parts[1:])
    try:
        if file.is_dir():
            file = file / "index.html"
        # A link inside a release is not followed, wherever it points.
        plain = file.is_file() and file.resolve() == folder.resolve().joinpath(*file.relative_to(folder).parts)
    except OSError:
        return None
    return file if plain else None


def _shown(releases: Path) -> dict[str, Path]:
    """The releases that are shown, by the name in their address; their folder is in the home."""
    needed = max(1, Study.of(releases.parent).protocol.release.signatures)
    folders = release_folders(releases)
    shown = {folder.name: folder for folder in folders if valid_signatures(folder) >= needed}
    now = latest(releases)
    for folder in folders:
        if now is not None and folder.resolve() == now:
            shown |= {"latest": folder, folder.name: folder}
    return shown


class _Reports(SimpleHTTPRequestHandler):
    published = False

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """As the base class, for published files alone."""
        name, _, port = self.headers.get("Host", "").rpartition(":")
        if name not in ("127.0.0.1", "localhost") or port != str(self.connection.getsockname()[1]):
            self.send_error(HTTPStatus.FORBIDDEN, "The reports are reached as 127.0.0.1 or localhost")
            return None
        if urlsplit(self.path).path == "/":
            self.send_response(HTTPStatus.FOUND)
            self.send_header("Location", START)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        try:
            file = published_file(Path(self.directory), self.path)
        except (OSError, ValueError):
            file = None
        if file is None:
            self.send_error(HTTPStatus.NOT_FOUND, "File not found")
            return None
        self.published = True
        self.path = "/" + file.relative_to(self.directory).as_posix()
        return super().send_head()

    def _policy(self) -> str:
        file = Path(self.translate_path(self.path))
        if self.published and file.suffix == ".html":
            with file.open("rb") as opened:
                named = re.search(rb"script-src '(sha256-[A-Za-z0-9+/=]+)'", opened.read(_HEAD))
            return f"{POLICY}; script-src '{named[1].decode()}'" if named else POLICY
        return POLICY

    def translate_path(self, path: str) -> str:
        """The file itself: its name was decoded before."""
        return str(Path(self.directory) / path.lstrip("/"))

    def end_headers(self) -> None:
        """Every answer has the headers, errors too."""
        for name, value in (HEADERS | {"Content-Security-Policy": self._policy()}).items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Log no requests."""


def serve(folder: str, port: int) -> None:
    """Serve the releases of a folder on 127.0.0.1 until the parent process ends."""
    parent = os.getppid()
    with ThreadingHTTPServer(("127.0.0.1", port), partial(_Reports, directory=folder)) as server:
        server.timeout = 1.0
        while os.getppid() == parent:
            server.handle_request()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        serve(sys.argv[1], int(sys.argv[2]))
