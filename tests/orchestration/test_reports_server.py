"""The releases of a home, served on this machine while the UI runs."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def answer(address: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(address, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, b""


def test_reports_are_served_and_an_impossible_address_is_not_found(
    tmp_path: Path, unused_port: Callable[[], int]
) -> None:
    (tmp_path / "index.html").write_text("a report")
    port = unused_port()
    command = [sys.executable, "-m", "stegvis.orchestration.reports_server", str(tmp_path), str(port)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as server:
        try:
            for _attempt in range(100):
                try:
                    assert answer(f"http://127.0.0.1:{port}/index.html") == (200, b"a report")
                    break
                except urllib.error.URLError:
                    time.sleep(0.1)
            else:
                pytest.fail("the server did not start")
            for path in ("%00", "absent.html", "a%00/../b", "%ff" * 300):
                assert answer(f"http://127.0.0.1:{port}/{path}")[0] == 404
            assert answer(f"http://127.0.0.1:{port}/index.html")[0] == 200
        finally:
            server.kill()
        assert server.stderr
        assert server.stderr.read().count("Traceback") == 0
