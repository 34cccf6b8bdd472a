"""What status says: causes first, what only follows as a count, and never that all is well beside a failure."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stegvis.assets import table as decorator
from stegvis.orchestration import home_state
from stegvis.orchestration.instance import open_instance
from stegvis.orchestration.printing import UP_TO_DATE, print_refresh, print_status
from stegvis.orchestration.refreshed import refreshed
from tests.orchestration.command import stegvis_here
from tests.orchestration.story import Story
from tests.study import home_with_study


def printed(facts: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    print_status(facts)
    return capsys.readouterr().out.splitlines()


def test_causes_are_named_and_what_follows_is_counted(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    story.home.root.chmod(0o755)
    row = story.baseline().iloc[[0]].assign(SmoStat_NT4BLQ1="3")
    story.drop("baseline", "2020-01", row, "participants.csv")
    facts = story.status()
    assert facts["ok"]
    assert [cause["asset"] for cause in facts["causes"]] == ["baseline_questionnaire"]
    assert facts["descendants"] == len(facts["stale"]) - 1 > 10
    lines = printed(facts, capsys)
    assert lines[2].startswith("the home is open to its group and every user of this machine: chmod -R go-rwx")
    assert lines[3] == "stale baseline_questionnaire: delivery baseline/2020-01 is new"
    assert lines[4] == f"{facts['descendants']} partitions downstream of them may have to be made again"
    assert UP_TO_DATE not in lines
    story.home.root.chmod(0o700)
    assert story.status()["too_open"] == ""


def test_a_failed_run_is_named_with_its_place_until_it_succeeds(
    story: Story, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_arguments: object) -> None:
        raise ZeroDivisionError("participant 1001")

    row = story.baseline().iloc[[0]].assign(SmoStat_NT4BLQ1="3")
    story.drop("baseline", "2020-01", row, "participants.csv")
    with monkeypatch.context() as patch:
        patch.setattr(decorator, "publish", fails)
        done = story.refresh()
    assert [(asset, key) for asset, key, _ in done.failed] == [("baseline_questionnaire", "")]
    why = done.failed[0][2]
    assert why.startswith("unexpected ZeroDivisionError in stegvis.assets.table line ")
    assert not done.nothing_to_do
    capsys.readouterr()
    print_refresh(refreshed(story.home, done), progress_only=False)
    assert capsys.readouterr().out.startswith("nothing was materialized\n")
    facts = story.status()
    assert not facts["ok"]
    assert facts["failed"] == [{"asset": "baseline_questionnaire", "partition": "", "reason": why}]
    lines = printed(facts, capsys)
    assert f"FAILED baseline_questionnaire: {why}" in lines
    assert UP_TO_DATE not in lines
    only = {name: decorator.TABLES[name] for name in ("withdrawals", "baseline_questionnaire")}
    monkeypatch.setattr(home_state, "tables", lambda: only)
    assert story.made() == {("baseline_questionnaire", "")}
    assert story.status()["failed"] == []


@pytest.mark.parametrize("harm", [b"x" * 5000, b""], ids=["garbage", "cut to nothing"])
def test_a_warehouse_that_cannot_be_opened_is_one_line(harm: bytes, tmp_path: Path) -> None:
    home = home_with_study(tmp_path / "home").create()
    home.warehouse.write_bytes(harm)
    shown = stegvis_here("status", home=home.root)
    assert shown.returncode == 1
    assert shown.stderr.startswith("stegvis: the warehouse cannot be opened: warehouse.duckdb is damaged")
    assert len(shown.stderr.splitlines()) == 1


def test_a_damaged_event_log_is_one_line(tmp_path: Path) -> None:
    home = home_with_study(tmp_path / "home").create()
    with open_instance(home):
        pass
    file = home.dagster / "history" / "runs" / "index.db"
    file.write_bytes(b"x" * 5000)
    shown = stegvis_here("status", home=home.root)
    assert shown.returncode == 1
    assert "It may be deleted" in shown.stderr
    assert len(shown.stderr.splitlines()) == 1


def test_status_and_a_refresh_with_nothing_to_do_load_no_pandas(story: Story) -> None:
    """Loading it would be a third of their time."""
    story.refresh()  # a copied home looks for withdrawn people once
    code = (
        "import sys; from pathlib import Path; from stegvis.storage.home import Home; "
        "from stegvis.orchestration.status import status; from stegvis.orchestration.refresh import refresh; "
        "home = Home(Path(sys.argv[1]), Path(sys.argv[2])); status(home); done = refresh(home); "
        "print(len(done.materialized), 'pandas' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(story.home.root), str(story.home.landing)]
    shown = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert shown.stdout == "0 False\n"
