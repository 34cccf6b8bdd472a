"""The first screen of the UI, with a failed wave, a blocked batch and an incomplete drop; with a real daemon."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stegvis.orchestration.monitoring import files
from stegvis.storage.home import Home
from tests.browser.pages import ARGUMENTS, CHROMIUM
from tests.browser.test_dagster_ui import ROOT, SIGNED_IN, TOKEN, free_port
from tests.orchestration.story import Story
from tests.orchestration.ui_process import running_ui

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDTH, HEIGHT = 1440, 900
COMMAND = [sys.executable, "-m", "stegvis.orchestration"]
RUNS = '{runsOrError(filter: {pipelineName: "refresh"}) {... on Runs {results {status repositoryOrigin {id}}}}}'


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STEGVIS_", "DAGSTER_"))}
    return kept | {"STEGVIS_UI_TOKEN": TOKEN}


def _answer(address: str, content: bytes | None = None) -> bytes:
    asked = urllib.request.Request(address, content, {"Content-Type": "application/json", **SIGNED_IN})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        body: bytes = answer.read()
        return body


@pytest.fixture(scope="module")
def troubled(built_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Story, str]]:
    """A UI on a home into which a bad wave, a bad batch and an incomplete drop fall, and what a refresh then prints."""
    if not CHROMIUM.exists():
        pytest.skip("no chromium on this machine")
    root = tmp_path_factory.mktemp("troubled") / "home"
    shutil.copytree(built_home, root, symlinks=True)
    home = Home(root, root / "landing")
    story, port = Story(home), free_port()
    with running_ui(root, port, STEGVIS_UI_TOKEN=TOKEN):
        for _ in range(360):  # until the daemon has looked at the home for the first time
            if files.place(root, files.LOOKED).exists():
                break
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}", story, _spoil(story)


def _spoil(story: Story) -> str:
    answers = story.answers()
    blank = [place % 10 < 6 for place in range(len(answers))]
    spoiled = answers.assign(MSPaLY_NT4CovQ=answers["MSPaLY_NT4CovQ"].mask(blank))
    days = story.days()
    exchanged = {
        name: name.replace("Sit", "Walk") if name.startswith("Sit") else name.replace("WalkT", "SitT")
        for name in days.columns
        if name.startswith(("SitT", "WalkT"))
    }
    story.drop("followup", "2033", spoiled, "questionnaire.csv")
    story.drop("recordings", "2026-08", days.rename(columns=exchanged), "days.csv")
    folder = story.home.landing / "recordings" / "2026-09"
    folder.mkdir()
    shutil.copy(min((story.home.landing / "recordings").glob("*/days.csv")), folder / "days.csv")
    ended = subprocess.run(
        [*COMMAND, "refresh", "--home", str(story.home.root)],
        cwd=ROOT, env=_environment(), capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    assert ended.returncode == 1, ended.stderr
    return ended.stderr


@pytest.fixture
def page(troubled: tuple[str, Story, str]) -> Iterator[Any]:
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        opened = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        opened.set_default_timeout(120_000)
        opened.goto(f"{troubled[0]}/?token={TOKEN}")
        yield opened
        browser.close()


def test_the_first_screen_says_what_failed_what_is_blocked_and_why(page: Any, tmp_path: Path) -> None:
    page.wait_for_load_state()
    seen = page.screenshot(path=tmp_path / "first-screen.png")
    assert len(seen) > 20_000
    for words in (
        "outcome_questionnaire [2033]",
        "the share of responses without a pain screen is 6",
        "stegvis accept wave 2033",
        "daily_exposures [2026-08]",
        "recordings/2026-09",
        "there is no drop.json yet",
    ):
        box = page.get_by_text(words).first.bounding_box()
        assert box, words
        assert box["y"] + box["height"] <= HEIGHT, words


def test_its_links_lead_into_dagster(page: Any) -> None:
    page.get_by_role("link", name="outcome_questionnaire [2033]").click()
    page.get_by_text("plausible").first.wait_for(timeout=60_000)
    page.go_back()
    page.get_by_role("link", name="Graph").click()
    page.wait_for_url("**/asset-groups?expanded=*")
    # The groups are open: a table of the first one in view is there by its name.
    page.get_by_text("recordings", exact=True).first.wait_for()


def test_a_refresh_is_run_by_the_daemon_and_is_on_the_overview(troubled: tuple[str, Story, str]) -> None:
    address, _, printed = troubled
    assert "the daemon runs it, as run " in printed
    assert "BLOCKED outcome_questionnaire [2033]" in printed
    found = json.loads(_answer(f"{address}/graphql", json.dumps({"query": RUNS}).encode()))
    (run,) = found["data"]["runsOrError"]["results"]
    # Dagster's overview shows the runs that have an origin.
    assert run["repositoryOrigin"]
    assert run["status"] == "FAILURE"  # as something is blocked
