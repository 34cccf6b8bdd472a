"""The Dagster UI of a home, with a real webserver and a real headless browser."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from stegvis.orchestration.refresh import refresh
from stegvis.twin import write_twin
from tests.browser.pages import ARGUMENTS, CHROMIUM
from tests.orchestration.ui_process import running_ui
from tests.study import CODEBOOK, PROTOCOL, home_with_study

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
TOKEN = "the-token-of-this-test"
SIGNED_IN = {"Authorization": f"Bearer {TOKEN}"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``stegvis ui`` on a home where every asset is materialized."""
    if not CHROMIUM.exists():
        pytest.skip("no chromium on this machine")
    home = home_with_study(tmp_path_factory.mktemp("ui") / "home")
    write_twin(home.landing, PROTOCOL, CODEBOOK, people=400, waves=1, seed=3)
    port = free_port()
    with pytest.MonkeyPatch.context() as patch:
        # Where this UI will serve the reports.
        patch.setenv("STEGVIS_REPORTS_URL", f"http://127.0.0.1:{port + 1}")
        assert refresh(home).ok
    with running_ui(home.root, port, STEGVIS_UI_TOKEN=TOKEN):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def page(ui: str) -> Iterator:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        opened = browser.new_page(viewport={"width": 1900, "height": 1000})
        opened.goto(f"{ui}/?token={TOKEN}")
        yield opened
        browser.close()


def test_the_graph_reads_left_to_right_in_its_groups(ui: str, page) -> None:
    page.goto(f"{ui}/asset-groups?expanded=")  # collapsed, so that all of them are in view
    page.get_by_text("reporting").first.wait_for(timeout=60_000)
    page.wait_for_timeout(3000)
    left = {}
    for group in ("deliveries", "accelerometry", "outcome", "analysis", "reporting"):
        boxes = [box for each in page.get_by_text(group, exact=True).all() if (box := each.bounding_box())]
        left[group] = max(box["x"] for box in boxes)  # the one in the graph, not the one in the list on the left
    assert list(left) == sorted(left, key=left.__getitem__)


def test_an_asset_shows_its_description_kinds_schema_and_rows(ui: str, page) -> None:
    page.goto(f"{ui}/assets/cohort")
    page.get_by_text("Everyone at baseline, with typed covariates").first.wait_for(timeout=60_000)
    page.get_by_text("Opaque identifier of the person").first.wait_for()
    for part in ("DuckDB", "VARCHAR", "Row count", "400"):
        page.get_by_text(part).first.wait_for(timeout=60_000)


def test_a_check_shows_its_expectations_and_counts(ui: str, page) -> None:
    page.goto(f"{ui}/assets/outcome_questionnaire?view=checks&checkDetail=keys")
    page.get_by_text("respondents are unique within a wave").first.wait_for(timeout=60_000)
    # The parts of the page arrive one after the other.
    for part in ("keys", "plausible", "blocking"):
        page.get_by_text(part).first.wait_for(timeout=60_000)


def test_deliveries_are_at_the_start_of_the_graph_and_show_what_landed(ui: str, page) -> None:
    page.goto(f"{ui}/assets/landing/followup?view=overview")
    for part in ("A wave's follow-up questionnaire", "newest_drop", "2021-2023"):
        page.get_by_text(part).first.wait_for(timeout=60_000)


def test_an_asset_shows_its_plot_and_the_release_links_to_its_report(ui: str, page) -> None:
    page.goto(f"{ui}/assets/walking_exposures?view=overview")
    page.get_by_text("Row count").first.wait_for(timeout=60_000)
    page.goto(f"{ui}/assets/walking_exposures?view=events")
    shown = page.get_by_text("[Show Markdown]").or_(page.locator("img[alt^='plot']")).first
    shown.wait_for(timeout=60_000)
    if "Show" in (shown.text_content() or ""):
        shown.click()
    picture = page.locator("img[alt^='plot']").first
    picture.wait_for(timeout=60_000)
    assert picture.evaluate("image => image.naturalWidth") > 200
    page.goto(f"{ui}/assets/release?view=overview")
    link = page.locator("a[href*='/report/index.html']").first
    link.wait_for(timeout=60_000)
    with urllib.request.urlopen(link.get_attribute("href")) as report:
        assert b"Synthetic data" in report.read()


LINEAGE = """
{ assetNodeOrError(assetKey: {path: ["outcome_questionnaire"]}) { ... on AssetNode { assetMaterializations(limit: 1) {
  metadataEntries { ... on TableColumnLineageMetadataEntry { lineage { columnName columnDeps {
    assetKey { path } columnName } } } } } } } }
"""


def test_the_server_has_column_lineage(ui: str) -> None:
    """The open-source UI shows no column lineage; the server provides it."""
    query = urllib.request.Request(
        f"{ui}/graphql", json.dumps({"query": LINEAGE}).encode(), {"Content-Type": "application/json", **SIGNED_IN}
    )
    with urllib.request.urlopen(query) as answer:
        (made,) = json.load(answer)["data"]["assetNodeOrError"]["assetMaterializations"]
    (lineage,) = [entry["lineage"] for entry in made["metadataEntries"] if "lineage" in entry]
    (column,) = [each for each in lineage if each["columnName"] == "follow_up_years"]
    sources = {(dep["assetKey"]["path"][0], dep["columnName"]) for dep in column["columnDeps"]}
    assert sources == {("cohort", "baseline_date"), ("followup_questionnaire", "answer_date")}


def test_partitions_show_their_state_and_the_automation_its_condition(ui: str, page) -> None:
    page.goto(f"{ui}/assets/fitted_models?view=partitions")
    page.get_by_text("2021-2023").first.wait_for(timeout=60_000)
    page.get_by_text("Materialized").first.wait_for(timeout=60_000)
    page.goto(f"{ui}/automation")
    for part in ("landing_zone", "automation", "nightly"):
        page.get_by_text(part, exact=True).first.wait_for(timeout=60_000)
