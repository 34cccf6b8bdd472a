"""The first page of the UI: what failed, what is blocked or stale, and why, and without a person's name."""

from __future__ import annotations

import os
import re
import shutil
import sys
from html.parser import HTMLParser

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from stegvis.orchestration import state_page
from stegvis.orchestration.graph_address import graph_address
from stegvis.orchestration.instance import open_instance
from stegvis.orchestration.monitoring.watching import look
from stegvis.orchestration.state_page import render
from stegvis.orchestration.state_server import StatePage
from stegvis.orchestration.status import status
from stegvis.storage.home import Home
from tests.orchestration.story import Story


class _Read(HTMLParser):
    """The rows of the tables, as text, and every address of the page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[str] = []
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append("")
        if tag == "a":
            self.addresses.append(dict(attributes)["href"] or "")

    def handle_data(self, data: str) -> None:
        if self.rows:
            self.rows[-1] = f"{self.rows[-1]} {data.strip()}".strip()


def _page(story: Story) -> str:
    for place in (story.home.root, *story.home.root.rglob("*")):
        place.chmod(place.stat().st_mode & 0o700)  # or it needs attention: others could read it
    return render(story.home, status(story.home))


def test_a_home_that_is_up_to_date_says_so(story: Story) -> None:
    page = _page(story)
    assert "Everything is up to date</h1>" in page
    rows = _Read(page).rows
    assert all("up to date" in row for row in rows if row.startswith(("analysis", "cohort", "reporting")))


def test_what_is_stale_is_named_once_with_its_cause(story: Story) -> None:
    story.drop("baseline", "2020-01", story.baseline().iloc[[0]].assign(SmoStat_NT4BLQ1="3"), "participants.csv")
    page = _page(story)
    assert "Nothing failed; " in page
    rows = _Read(page).rows
    (cause,) = [row for row in rows if row.startswith("stale baseline_questionnaire")]
    assert "2020-01" in cause
    assert "follows from" not in page
    assert any(row.startswith("cohort") and "stale" in row for row in rows)


def test_an_incomplete_delivery_is_named_without_its_files(story: Story) -> None:
    folder = story.home.landing / "recordings" / "2026-09"
    folder.mkdir()
    shutil.copy(min((story.home.landing / "recordings").glob("*/days.csv")), folder / "Kari Nordmann.csv")
    page = _page(story)
    assert any(row.startswith("incomplete recordings/2026-09") for row in _Read(page).rows)
    assert "Nordmann" not in page


def test_every_address_is_relative_so_that_a_proxy_may_serve_the_page_below_a_path(story: Story) -> None:
    addresses = _Read(_page(story)).addresses
    reports = story.home.report_address("latest")
    assert {"runs", "assets", "automation", graph_address()} <= set(addresses)
    assert not [each for each in addresses if each != reports and re.match(r"/|[a-z]+:", each)]


# --- serving ----------------------------------------------------------------------------------------------------------


def _client(home: Home, prefix: str = "") -> TestClient:
    async def dagster(request: object) -> PlainTextResponse:
        return PlainTextResponse("Dagster")

    behind = Starlette(routes=[Route("/{path:path}", dagster)])
    return TestClient(StatePage(behind, home, prefix), follow_redirects=False)


def test_the_graph_opens_with_its_groups_expanded_and_the_rest_is_dagsters(story: Story) -> None:
    with _client(story.home) as client:
        assert client.get("/asset-groups").headers["location"] == f"/{graph_address()}"
        assert client.get("/asset-groups?expanded=x").text == "Dagster"
        assert client.get("/runs").text == "Dagster"
        assert client.post("/").status_code == 405  # of Dagster's own
    with _client(story.home, "/view") as client:
        assert client.get("/view/asset-groups").headers["location"] == f"/view/{graph_address()}"
        assert client.get("/").text == "Dagster"


@pytest.mark.slow
def test_the_page_is_made_by_a_process_of_its_own_and_not_for_each_request(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _client(story.home) as client:
        first = client.get("/")
        assert first.status_code == 200
        assert "up to date" in first.text
        assert "default-src 'none'" in first.headers["Content-Security-Policy"]
        monkeypatch.setattr(sys, "executable", "/nonexistent")
        assert client.get("/stegvis").text == first.text


def test_a_server_that_may_not_write_shows_the_page_that_the_daemon_made(
    story: Story, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_instance(story.home) as instance:
        look(story.home, instance)
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(sys, "argv", ["state_page", str(story.home.root), str(story.home.landing)])
    monkeypatch.setattr(state_page, "render", None)
    state_page.main()
    shown = capsys.readouterr().out
    assert "Every table" in shown
    assert "up to date" in shown


def test_a_state_that_cannot_be_read_is_said_and_the_last_one_is_not_shown(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with _client(story.home) as client:
        answer = client.get("/")
        assert answer.status_code == 503
        assert "stegvis status" in answer.text
