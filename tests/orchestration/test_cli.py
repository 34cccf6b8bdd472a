"""The command line as a person uses it: exit codes, messages, JSON that other programs read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.orchestration.story import Story

ROOT = Path(__file__).parents[2]


def stegvis(*arguments: str | Path, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("STEGVIS_", "DAGSTER_"))}
    if home:
        environment["STEGVIS_HOME"] = str(home)
    return subprocess.run(
        [sys.executable, "-m", "orchestration", *map(str, arguments)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_help_names_every_command() -> None:
    shown = stegvis("--help")
    assert shown.returncode == 0
    for command in ("demo", "twin", "validate", "refresh", "status", "classify", "train", "withdraw", "compare", "ui"):
        assert f" {command} " in shown.stdout


def test_wrong_usage_exits_with_2(tmp_path: Path) -> None:
    assert stegvis("refresh", "--nonsense").returncode == 2
    assert stegvis("validate", tmp_path / "absent").returncode == 2


def test_demo_says_where_the_report_is(tmp_path: Path) -> None:
    shown = stegvis("demo", "--home", tmp_path / "home", "--people", "300", "--waves", "1")
    assert shown.returncode == 0, shown.stderr
    report = Path(shown.stdout.splitlines()[-1].removeprefix("report: "))
    assert "Synthetic data" in report.read_text()
    again = stegvis("demo", "--home", tmp_path / "home", "--people", "300", "--waves", "1")
    assert "nothing to do" in again.stdout
    other = stegvis("demo", "--home", tmp_path / "home", "--people", "301", "--waves", "1")
    assert other.returncode == 1
    assert "another twin" in other.stderr


def test_refresh_and_status_as_json(story: Story) -> None:
    story.drop("followup", "2024-2026", story.answers().iloc[::2], "questionnaire.csv")
    dry = stegvis("refresh", "--dry-run", "--json", home=story.home.root)
    assert {"asset", "partition", "state", "reasons"} <= set(json.loads(dry.stdout)[0])
    before = json.loads(stegvis("status", "--json", home=story.home.root).stdout)
    assert {"asset": "followup_questionnaire", "partition": "2024-2026", "state": "new", "reasons": ["never made"]} in (
        before["stale"]
    )
    shown = stegvis("refresh", "--json", home=story.home.root)
    assert shown.returncode == 0, shown.stderr
    assert {"asset": "report", "partition": "2024-2026"} in json.loads(shown.stdout)["materialized"]
    after = json.loads(stegvis("status", "--json", home=story.home.root).stdout)
    assert after["stale"] == []
    assert after["last_release"]["synthetic"] is True
    assert [wave["state"] for wave in after["waves"]] == ["fresh", "fresh"]


def test_refresh_says_nothing_to_do(story: Story) -> None:
    shown = stegvis("refresh", home=story.home.root)
    assert shown.returncode == 0
    assert "nothing to do" in shown.stdout


def test_refresh_of_a_bad_wave_exits_with_1_and_says_why(story: Story) -> None:
    story.drop("followup", "2024-2026", story.answers().iloc[:0], "questionnaire.csv")
    shown = stegvis("refresh", home=story.home.root)
    assert shown.returncode == 1
    assert "the wave has an answer" in shown.stderr
    assert "HELD followup_questionnaire [2024-2026]" in shown.stderr


@pytest.mark.parametrize("as_json", [False, True])
def test_validate_names_file_row_and_rule(story: Story, as_json: bool) -> None:
    good = story.home.landing / "followup" / "2021-2023"
    assert stegvis("validate", good).returncode == 0
    answers = story.answers()
    answers.loc[10, "MSPaLY_NT4CovQ"] = "5"
    bad = story.drop("followup", "2024-2026", answers, "questionnaire.csv")
    shown = stegvis("validate", bad, *(["--json"] if as_json else []))
    assert shown.returncode == 1
    if as_json:
        (problem,) = json.loads(shown.stdout)["problems"]
        assert (problem["file"], problem["row"], problem["rule"]) == ("questionnaire.csv", 12, "unknown_code")
    else:
        assert "questionnaire.csv row 12 [MSPaLY_NT4CovQ] unknown_code" in shown.stdout


def test_withdraw_registers_erases_and_refreshes(story: Story, tmp_path: Path) -> None:
    person = story.table("select person from cohort order by person limit 1")["person"].item()
    (tmp_path / "list.csv").write_text(f"person\n{person}\n")
    shown = stegvis("withdraw", tmp_path / "list.csv", home=story.home.root)
    assert shown.returncode == 0, shown.stderr
    assert person not in shown.stdout + shown.stderr
    assert story.table(f"select * from cohort where person = '{person}'").empty
    (tmp_path / "bad.csv").write_text("name\nsomebody\n")
    refused = stegvis("withdraw", tmp_path / "bad.csv", home=story.home.root)
    assert refused.returncode == 1
    assert "person" in refused.stderr


def test_compare_shows_what_changed_between_two_releases(story: Story) -> None:
    story.give_pain("2021-2023.2", every=2)
    story.refresh()
    old = story.release()
    story.drop("followup", "2024-2026", story.answers().iloc[::2], "questionnaire.csv")
    story.refresh()
    new = story.release()
    shown = stegvis("compare", old, new)
    assert shown.returncode == 0
    assert "2024-2026" in shown.stdout
    assert stegvis("compare", old, old).stdout.strip() == "the releases hold the same estimates"
    found = json.loads(stegvis("compare", old, new, "--json").stdout)
    told = json.loads((new / "bridge.json").read_text())
    assert found["changes"] == told["changes"]
    # The first wave's people and protocol are the same: its estimates are bridged, and nothing moved.
    assert found["steps"] == told["steps"]
    assert {(row["wave"], row["change"], row["std_error"]) for row in found["steps"]} == {("2021-2023", 0, 0)}
    assert found["protocol_changes"] == []
    assert "not made right after" in json.loads(stegvis("compare", new, old, "--json").stdout)["note"]
    assert stegvis("compare", old, story.home.root).returncode == 2


@pytest.mark.slow
def test_classify_writes_epochs_and_days_of_one_pair(tmp_path: Path) -> None:
    from study.twin.raw import write_raw_pair

    write_raw_pair(tmp_path, "P1", days=1, seed=5)
    back, thigh = tmp_path / "P1_back.cwa", tmp_path / "P1_thigh.cwa"
    shown = stegvis("classify", back, thigh, "-o", tmp_path / "week.parquet")
    assert shown.returncode == 0, shown.stderr
    assert {"epoch_start", "activity", "speed"} <= set(pd.read_parquet(tmp_path / "week.parquet"))
    assert len(pd.read_csv(tmp_path / "week.days.csv")) >= 1
    twice = stegvis("classify", back, back, "-o", tmp_path / "week.parquet")
    assert twice.returncode == 1
    assert "same_recording" in twice.stderr
