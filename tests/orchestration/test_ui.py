"""``stegvis ui`` as it runs: guarded on its port, nothing unguarded beside it, all of it ended by Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from stegvis.orchestration.cli import app
from tests.orchestration.ui_process import running_ui

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
MUTATION = b'{"query":"mutation{wipeAssets(assetPartitionRanges:[{assetKey:{path:[\\"claims\\"]}}]){__typename}}"}'


@pytest.fixture
def running(tmp_path: Path, unused_port: Callable[[], int]) -> Iterator[tuple[subprocess.Popen[bytes], int, str]]:
    """The process, its port and its token."""
    port = unused_port()
    with running_ui(tmp_path / "h", port) as (process, token):
        yield process, port, token


def status(address: str, content: bytes | None = None, **headers: str) -> int:
    request = urllib.request.Request(address, content, {key.replace("_", "-"): each for key, each in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_ui_is_guarded_and_ends_with_ctrl_c(running: tuple[subprocess.Popen[bytes], int, str]) -> None:
    process, port, token = running
    address = f"http://127.0.0.1:{port}"
    signed_in = {"Authorization": f"Bearer {token}", "Content_Type": "application/json"}
    assert status(f"{address}/server_info") == 401
    assert status(f"{address}/graphql", MUTATION, Content_Type="application/json") == 401
    assert status(f"{address}/graphql", MUTATION, **signed_in, Host="evil.example") == 403
    assert status(f"{address}/graphql", MUTATION, **signed_in, Origin="http://evil.example") == 403
    assert status(f"{address}/graphql", MUTATION, **signed_in | {"Content_Type": "text/plain"}) == 415
    assert status(f"{address}/graphql?query=mutation%7BwipeAssets%7D", **signed_in) == 405
    query = urllib.request.Request(
        f"{address}/graphql", b'{"query":"{version}"}', {k.replace("_", "-"): v for k, v in signed_in.items()}
    )
    with urllib.request.urlopen(query, timeout=60) as answer:
        assert json.load(answer)["data"]["version"]
    children = psutil.Process(process.pid).children(recursive=True)
    listening = {
        (each.laddr.ip, each.laddr.port)
        for child in children
        for each in child.net_connections("inet")
        if each.status == psutil.CONN_LISTEN
    }
    assert listening == {("127.0.0.1", port), ("127.0.0.1", port + 1)}
    assert not any(token in part for child in children for part in child.cmdline())
    process.send_signal(signal.SIGINT)
    assert process.wait(90) == 0
    assert not psutil.wait_procs(children, timeout=30)[1]


@pytest.mark.parametrize(
    ("arguments", "token", "said"),
    [
        (["--listen", "0.0.0.0"], "x" * 24, "only a webserver alone listens elsewhere"),
        (["--only", "daemon", "--listen", "0.0.0.0"], "x" * 24, "only a webserver alone listens elsewhere"),
        (["--only", "reports", "--listen", "0.0.0.0"], "x" * 24, "only a webserver alone listens elsewhere"),
        (["--only", "webserver"], "", "needs STEGVIS_UI_TOKEN"),
        (["--only", "viewer"], "x" * 23, "needs STEGVIS_UI_TOKEN"),
    ],
)
def test_a_part_is_not_started_openly(
    arguments: list[str], token: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEGVIS_UI_TOKEN", token)
    done = CliRunner().invoke(app, ["ui", "--home", str(tmp_path / "home"), *arguments], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert said in done.output
    assert not (tmp_path / "home").exists()
