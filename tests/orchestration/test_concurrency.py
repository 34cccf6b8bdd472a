"""Two refreshes at once while status is read: no lock error is shown, and no work is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.orchestration.story import Story

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def begin(story: Story, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "stegvis.orchestration", *command, "--home", str(story.home.root)],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_two_refreshes_and_a_reader_at_once(story: Story) -> None:
    story.drop("followup", "2024-2026", story.answers().iloc[::2], "questionnaire.csv")
    both = [begin(story, "refresh", "--json"), begin(story, "refresh", "--json")]
    looks = []
    while any(process.poll() is None for process in both):
        look = begin(story, "status", "--json")
        looks.append(look.communicate(timeout=300))
        assert look.returncode == 0, looks[-1][1]
    ended = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    made = [len(json.loads(out)["materialized"]) for out, _ in ended]
    assert sorted(made)[0] == 0  # one did everything, the other waited and found nothing left
    assert sum(said.count("waiting for process") for _, said in ended) == 1
    assert len(looks) > 1
    for out, said in (*ended, *looks):
        assert "lock" not in said.lower()
        assert "Traceback" not in said
        assert json.loads(out)
    assert story.planned() == {}


def test_the_dagster_ui_and_a_refresh_make_tables_one_after_the_other(story: Story) -> None:
    """A run that the daemon started, and a refresh: each table is made under the lock, and they fit together."""
    launched = """
import sys
from pathlib import Path
import dagster as dg
from stegvis.orchestration.definitions import build_definitions
from stegvis.orchestration.instance import open_instance
from stegvis.storage.home import Home
home = Home(Path(sys.argv[1]), Path(sys.argv[1]) / "landing")
stages = ["followup_questionnaire", "outcome_questionnaire", "exclusions", "attrition", "eligible_people"]
with open_instance(home) as instance:
    job = build_definitions(home).resolve_implicit_global_asset_job_def()
    done = job.execute_in_process(
        instance=instance, asset_selection=[dg.AssetKey(s) for s in stages], partition_key="2021-2023",
    )
    print("success" if done.success else "failure")
"""
    story.give_pain("2021-2023.2", every=3)
    by_daemon = subprocess.Popen(
        [sys.executable, "-c", launched, str(story.home.root)], cwd=ROOT, text=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    by_command = begin(story, "refresh", "--json")
    assert by_daemon.communicate(timeout=600)[0].endswith("success\n")
    said = by_command.communicate(timeout=600)[1]
    assert by_command.returncode == 0, said
    assert story.refresh().ok  # what the daemon's run moved behind the refresh, if it did
    assert story.planned() == {}
