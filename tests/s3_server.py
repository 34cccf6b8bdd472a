"""An S3 server on loopback (moto's), and a proxy in front of it that answers as a troubled server would."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

BUCKET = "study"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@contextlib.contextmanager
def s3_server() -> Iterator[str]:
    """The address of a server with one empty bucket. The environment has its credentials."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **CREDENTIALS},
    )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        until(lambda: _answers(port))
        with pytest.MonkeyPatch.context() as patch:
            for name, value in CREDENTIALS.items():
                patch.setenv(name, value)
            _filesystem(address).mkdir(BUCKET)
            yield address
    finally:
        process.kill()
        process.wait()


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _filesystem(address: str) -> Any:
    import s3fs

    return s3fs.S3FileSystem(endpoint_url=address, use_listings_cache=False, skip_instance_cache=True)


@dataclass
class Bucket:
    """The bucket, as somebody who delivers or looks after it sees it."""

    address: str
    fs: Any = None

    def __post_init__(self) -> None:
        self.fs = _filesystem(self.address)

    def upload(self, folder: Path, prefix: str) -> None:
        """Every file below a folder."""
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                self.put(f"{prefix}/{file.relative_to(folder).as_posix()}", file.read_bytes())

    def put(self, key: str, content: bytes) -> None:
        self.fs.pipe_file(f"{BUCKET}/{key}", content)

    def read(self, key: str) -> bytes:
        return bytes(self.fs.cat_file(f"{BUCKET}/{key}"))

    def delete(self, key: str) -> None:
        self.fs.rm_file(f"{BUCKET}/{key}")

    def keys(self, prefix: str = "") -> list[str]:
        return sorted(key.removeprefix(f"{BUCKET}/") for key in self.fs.find(f"{BUCKET}/{prefix}"))


@dataclass
class Trouble:
    """What a proxy does with a request: ``answer`` decides by method and path. Counts the requests by method."""

    address: str = ""
    answer: Callable[[str, str], str] = lambda method, path: "pass"
    asked: list[tuple[str, str]] = field(default_factory=list)

    def count(self, method: str, part: str = "") -> int:
        return sum(1 for each, path in self.asked if each == method and part in path)


@contextlib.contextmanager
def proxy(server: str) -> Iterator[Trouble]:
    """A proxy in front of a server. ``answer`` says ``pass``, ``500``, ``slow`` (no answer), ``short`` (half)."""
    trouble = Trouble()
    host = server.removeprefix("http://")
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _any(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            trouble.asked.append((self.command, self.path))
            how = trouble.answer(self.command, self.path)
            if how == "slow":
                ended.wait(30)
            if how in ("slow", "500"):
                self.send_response(500)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            connection = http.client.HTTPConnection(host)
            # With its own Host, because the signature covers it; the server checks none.
            connection.request(self.command, self.path, content, dict(self.headers))
            found = connection.getresponse()
            body = found.read()
            self.send_response(found.status)
            for name, value in found.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                    self.send_header(name, value)
            length = found.getheader("Content-Length") if self.command == "HEAD" else str(len(body))
            self.send_header("Content-Length", length or "0")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body[: len(body) // 2] if how == "short" else body)
            if how == "short":
                self.close_connection = True

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _any  # noqa: N815

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        trouble.address = f"http://127.0.0.1:{listening.server_port}"
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        try:
            yield trouble
        finally:
            ended.set()
            listening.shutdown()
