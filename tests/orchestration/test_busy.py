"""Two refreshes and the daemon at once, with 50 readers of reports and 100 queries of the UI: everybody is served."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stegvis.storage.home import Home
from tests.orchestration.story import Story
from tests.orchestration.test_killed import assert_same
from tests.orchestration.ui_process import running_ui

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

ROOT = Path(__file__).parents[2]
READERS, QUERIES = 50, 100
PAGES = ("index.html", "plain.html", "wave-2021-2023.html")
QUERY = b'{"query":"{assetsOrError{... on AssetConnection{nodes{key{path} assetMaterializations(limit:1){runId}}}}}"}'
WAIT_SECONDS = 300


def begin(story: Story, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "stegvis.orchestration", *command, "--home", str(story.home.root)],
        cwd=ROOT, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def read(address: str) -> bool:
    """Whether a page of the report is served whole."""
    with urllib.request.urlopen(address, timeout=WAIT_SECONDS) as answer:
        return b"</html>" in answer.read()


def ask(port: int, token: str) -> bool:
    """Whether the UI answers a query about all tables."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", QUERY, headers)
    with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
        return len(json.load(answer)["data"]["assetsOrError"]["nodes"]) > 20


def test_everybody_is_served_and_the_tables_are_those_of_one_refresh(
    story: Story, tmp_path: Path, unused_port: Callable[[], int]
) -> None:
    undisturbed = Story(Home(tmp_path / "undisturbed", tmp_path / "undisturbed" / "landing"))
    shutil.copytree(story.home.root, undisturbed.home.root, symlinks=True)
    port = unused_port()
    with running_ui(story.home.root, port) as (_process, token):
        for each in (story, undisturbed):
            each.drop("followup", "2024-2026", each.answers().iloc[::2], "questionnaire.csv")
        refreshes = [begin(story, "refresh"), begin(story, "refresh")]
        with ThreadPoolExecutor(READERS + QUERIES) as crowd:
            pages = [PAGES[number % len(PAGES)] for number in range(READERS)]
            address = f"http://127.0.0.1:{port + 1}/latest/report"
            reading = [crowd.submit(read, f"{address}/{page}") for page in pages]
            asking = [crowd.submit(ask, port, token) for _ in range(QUERIES)]
            assert all(each.result() for each in (*reading, *asking))
        said = [each.communicate()[1] for each in refreshes]
        assert [each.returncode for each in refreshes] == [0, 0], said
        assert "Traceback" not in "".join(said)
        until = time.monotonic() + WAIT_SECONDS
        while story.planned() and time.monotonic() < until:
            time.sleep(2)
    assert story.refresh().ok
    assert undisturbed.refresh().ok
    assert_same(story, undisturbed)
