"""The published releases of a home, served on this machine while the UI runs, and nothing beside them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from stegvis.orchestration.reports_server import HEADERS, published_file
from stegvis.storage.signatures import sign
from tests.study import home_with_study

ROOT = Path(__file__).parents[2]


def release(releases: Path, name: str) -> Path:
    folder = releases / name
    (folder / "report").mkdir(parents=True)
    (folder / "report" / "index.html").write_text(f"report of {name}")
    (folder / "report" / "explorer.html").write_text("<meta content=\"script-src 'sha256-Zm9v='\">")
    (folder / "report" / "curves.html").write_text("<meta content=\"script-src 'sha256-YmFy='\">")
    (folder / "report" / "card.svg").write_text("<svg><!-- script-src 'sha256-YmFy=' --></svg>")
    (folder / "manifest.json").write_text(json.dumps({"release": name, "created": name[:10]}))
    return folder


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    """Three releases: one signed, one without signatures, and the latest."""
    folder = home_with_study(tmp_path).releases
    for name in ("2026-01-01-signed", "2026-02-01-unsigned", "2026-03-01-latest"):
        release(folder, name)
    sign(folder, "2026-01-01-signed", "A Reviewer")
    (folder / "latest").symlink_to("2026-03-01-latest")
    (folder / "ledger.jsonl").write_text("{}\n")
    (tmp_path / "secret.txt").write_text("a participant")
    return folder


@pytest.mark.parametrize(
    ("address", "file"),
    [
        ("/latest/report/index.html", "2026-03-01-latest/report/index.html"),
        ("/latest/report/", "2026-03-01-latest/report/index.html"),
        ("/2026-03-01-latest/report/index.html?x=1#y", "2026-03-01-latest/report/index.html"),
        ("/2026-01-01-signed/report/index.html", "2026-01-01-signed/report/index.html"),
        ("/2026-02-01-unsigned/report/index.html", None),
        ("/", None),
        ("/latest", None),  # no listing of a folder
        ("/ledger.jsonl", None),
        ("/.signoff/2026-01-01-signed/a_reviewer.json", None),
        ("/latest/../ledger.jsonl", None),
        ("/latest/%2e%2e/%2e%2e/secret.txt", None),
        ("/latest/report/..%2f..%2f..%2fsecret.txt", None),
        ("/latest/report%00/index.html", None),
        ("/latest//" + "x" * 300, None),
    ],
)
def test_only_files_of_published_releases_are_served(releases: Path, address: str, file: str | None) -> None:
    found = published_file(releases, address)
    assert (found.relative_to(releases).as_posix() if found else None) == file


def test_no_link_is_followed_out_of_a_release(releases: Path, tmp_path: Path) -> None:
    (releases / "2026-03-01-latest" / "out.txt").symlink_to(tmp_path / "secret.txt")
    (releases / "2026-03-01-latest" / "folder").symlink_to(tmp_path)
    (releases / "2026-03-01-latest" / "other").symlink_to(releases / "2026-02-01-unsigned")
    (releases / "linked").symlink_to(tmp_path)
    for address in (
        "/latest/out.txt",
        "/latest/folder/secret.txt",
        "/latest/other/report/index.html",
        "/linked/secret.txt",
    ):
        assert published_file(releases, address) is None
    (releases / "latest").unlink()
    (releases / "latest").symlink_to(tmp_path)
    assert published_file(releases, "/latest/secret.txt") is None


def test_a_signature_for_another_manifest_does_not_count(releases: Path) -> None:
    (releases / "2026-01-01-signed" / "manifest.json").write_text("{}")
    assert published_file(releases, "/2026-01-01-signed/report/index.html") is None


def answer(address: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=10) as response:
            return response.status, response.read(), dict(response.headers)
    except urllib.error.HTTPError as error:
        return error.code, b"", dict(error.headers)


def test_the_server_sets_headers_and_refuses_other_names(releases: Path, unused_port: Callable[[], int]) -> None:
    port = unused_port()
    command = [sys.executable, "-m", "stegvis.orchestration.reports_server", str(releases), str(port)]
    address = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as server:
        try:
            for _attempt in range(300):
                try:
                    answer(address)
                    break
                except urllib.error.URLError:
                    time.sleep(0.1)
            else:
                pytest.fail("the server did not start")
            code, content, headers = answer(f"{address}/latest/report/index.html")
            assert (code, content) == (200, b"report of 2026-03-01-latest")
            assert HEADERS.items() <= headers.items()
            assert answer(f"{address}/")[1] == content
            policy = answer(f"{address}/latest/report/explorer.html")[2]["Content-Security-Policy"]
            assert policy == f"{HEADERS['Content-Security-Policy']}; script-src 'sha256-Zm9v='"
            # A page of curves has a script too; what is no page has none.
            policy = answer(f"{address}/latest/report/curves.html")[2]["Content-Security-Policy"]
            assert policy.endswith("; script-src 'sha256-YmFy='")
            policy = answer(f"{address}/latest/report/card.svg")[2]["Content-Security-Policy"]
            assert policy == HEADERS["Content-Security-Policy"]
            for path in ("%00", "absent.html", "a%00/../b", "%ff" * 300, "2026-02-01-unsigned/report/index.html"):
                code, _, headers = answer(f"{address}/{path}")
                assert code == 404
                assert HEADERS.items() <= headers.items()
            assert answer(f"{address}/latest/report/index.html", Host="evil.example")[0] == 403
        finally:
            server.kill()
        assert server.stderr
        assert server.stderr.read().count("Traceback") == 0
