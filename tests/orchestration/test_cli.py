"""The command line as a person uses it: exit codes, messages, JSON that other programs read."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from stegvis.orchestration.cli import app
from stegvis.storage.landing import scan
from tests.orchestration.command import ROOT, stegvis, stegvis_here
from tests.orchestration.story import Story
from tests.study import PROTOCOL, PROTOCOL_FILE


def test_help_names_every_command() -> None:
    shown = stegvis("--help")
    assert shown.returncode == 0
    for command in (
        "demo", "twin", "validate", "refresh", "status", "classify", "train", "withdraw", "retire", "compare", "verify",
        "sign", "retract", "publish", "export", "pool", "register", "ui",
    ):  # fmt: skip
        assert f" {command} " in shown.stdout


def test_help_is_quick() -> None:
    """What takes time is imported by the command that needs it."""
    imported = "import sys; from stegvis.orchestration.cli import app; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", imported], cwd=ROOT, capture_output=True, text=True, check=True)
    modules = {name.split(".")[0] for name in shown.stdout.split()}
    assert not modules & {"pandas", "numpy", "duckdb", "dagster", "pydantic", "pyarrow", "scipy"}


def test_products_of_matrices_run_on_one_thread() -> None:
    code = "import os, stegvis.orchestration.cli as cli; print(os.environ['OPENBLAS_NUM_THREADS'])"
    for given, there in ((None, "1"), ("2", "2")):
        environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
        environment |= {"OPENBLAS_NUM_THREADS": given} if given else {}
        command = [sys.executable, "-c", code]
        shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=environment)
        assert shown.stdout.strip() == there


def test_the_version_is_printed() -> None:
    shown = stegvis("--version")
    assert shown.returncode == 0
    assert re.fullmatch(r"stegvis \d+\.\d+\.\d+( \(commit [0-9a-f]{7,}(-dirty)?\))?\n", shown.stdout)


def test_wrong_usage_exits_with_2(tmp_path: Path) -> None:
    assert stegvis_here("refresh", "--nonsense").returncode == 2
    assert stegvis_here("validate", tmp_path / "absent").returncode == 2
    os.mkfifo(tmp_path / "pipe")
    assert stegvis_here("train", tmp_path, "--out", tmp_path / "pipe").returncode == 2


@pytest.mark.slow
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


@pytest.mark.slow
def test_refresh_of_a_bad_wave_exits_with_1_and_says_why(story: Story) -> None:
    story.drop("followup", "2024-2026", story.answers().iloc[:0], "questionnaire.csv")
    shown = stegvis("refresh", home=story.home.root)
    assert shown.returncode == 1
    assert "the wave has responses" in shown.stderr
    assert "BLOCKED followup_questionnaire [2024-2026]" in shown.stderr
    again = stegvis("refresh", home=story.home.root)
    assert again.returncode == 1
    assert again.stdout.splitlines()[0] == "nothing was materialized"
    status = stegvis("status", home=story.home.root)
    assert status.returncode == 1
    assert status.stdout.splitlines()[2].startswith(
        "BLOCKED followup_questionnaire [2024-2026]: a critical check failed"
    )
    assert "up to date with its inputs" not in status.stdout


@pytest.mark.parametrize("as_json", [False, True])
def test_validate_names_file_row_and_rule(story: Story, as_json: bool) -> None:
    good = story.home.landing / "followup" / "2021-2023"
    assert stegvis_here("validate", good, home=story.home.root).returncode == 0
    answers = story.answers()
    answers.loc[10, "MSPaLY_NT4CovQ"] = "5"
    bad = story.drop("followup", "2024-2026", answers, "questionnaire.csv")
    shown = stegvis_here("validate", bad, *(["--json"] if as_json else []), home=story.home.root)
    assert shown.returncode == 0, "a refresh uses the other rows"
    if as_json:
        (problem,) = json.loads(shown.stdout)["problems"]
        assert (problem["file"], problem["row"], problem["rule"]) == ("questionnaire.csv", 12, "unknown_code")
    else:
        assert "questionnaire.csv row 12 [MSPaLY_NT4CovQ] unknown_code" in shown.stdout
        answers.loc[::2, "MSPaLY_NT4CovQ"] = "5"
        worse = story.drop("followup", "2027-2029", answers, "questionnaire.csv")
        refused = stegvis_here("validate", worse, home=story.home.root)
        assert refused.returncode == 1
        assert "a refresh would refuse the drop: more than 20% of its rows" in refused.stdout


def test_validate_without_a_home_takes_a_study(tmp_path: Path) -> None:
    folder = tmp_path / "followup" / "2024"
    folder.mkdir(parents=True)
    (folder / "questionnaire.csv").write_text(
        "person,PartDat_NT4CovQ,MSPaLY_NT4CovQ,MSPaLum_NT4CovQ\n1001,2021-03-01,7,\n"
    )
    runner = CliRunner()
    for study in ("hunt4_walking", str(PROTOCOL_FILE.parent)):
        shown = runner.invoke(app, ["validate", str(folder), "--study", study])
        assert shown.exit_code == 1
        assert "row 2 [MSPaLY_NT4CovQ] unknown_code" in shown.output
    for wrong in (["--study", "nobody"], ["--study", "hunt4_walking", "--home", str(tmp_path)]):
        assert runner.invoke(app, ["validate", str(folder), *wrong]).exit_code == 2


@pytest.mark.slow
def test_withdraw_registers_erases_and_refreshes(story: Story, tmp_path: Path) -> None:
    person = story.table("select person from cohort order by person limit 1")["person"].item()
    (tmp_path / "list.csv").write_text(f"person\n{person}\n")
    shown = stegvis("withdraw", tmp_path / "list.csv", home=story.home.root)
    assert shown.returncode == 0, shown.stderr
    assert person not in shown.stdout + shown.stderr
    assert story.table(f"select * from cohort where person = '{person}'").empty
    drops = [drop for drop in scan(story.home.landing, None).accepted if drop.kind == "withdrawals"]
    assert drops[-1].synthetic, "the home holds synthetic people only"
    (tmp_path / "bad.csv").write_text("name\nsomebody\n")
    refused = stegvis("withdraw", tmp_path / "bad.csv", home=story.home.root)
    assert refused.returncode == 1
    assert "person" in refused.stderr


@pytest.mark.slow
def test_compare_shows_what_changed_between_two_releases(story: Story) -> None:
    story.give_pain("2021-2023.2", every=2)
    story.refresh()
    old = story.release()
    story.drop("followup", "2024-2026", story.answers().iloc[::2], "questionnaire.csv")
    story.refresh()
    new = story.release()
    shown = stegvis_here("compare", old, new)
    assert shown.returncode == 0
    assert "2024-2026" in shown.stdout
    lines = shown.stdout.splitlines()
    assert lines[0].split(" / ")[1] == "main"
    assert re.search(r": rr \S+ -> \S+$", lines[0])
    assert stegvis_here("compare", old, old).stdout.strip() == "the releases hold the same estimates"
    found = json.loads(stegvis_here("compare", old, new, "--json").stdout)
    bridge = json.loads((new / "bridge.json").read_text())
    assert found["changes"] == bridge["changes"]
    # A published wave is carried forward, so there is nothing to explain.
    assert found["steps"] == bridge["steps"] == []
    assert found["protocol_changes"] == []
    assert "not made right after" in json.loads(stegvis_here("compare", new, old, "--json").stdout)["note"]
    assert stegvis_here("compare", old, story.home.root).returncode == 2


@pytest.mark.slow
def test_verify_and_sign_a_release(story: Story) -> None:
    name, home = story.release().name, story.home.root
    signed = stegvis_here("sign", name, "--name", "First Reviewer Å", home=home)
    assert (signed.returncode, signed.stdout.splitlines()[0]) == (0, f"First Reviewer Å signed {name}")
    assert stegvis_here("sign", name, "--name", "first reviewer å", home=home).returncode == 1
    assert stegvis_here("sign", "2020-01-01-0", "--name", "Second", home=home).returncode == 1
    proven = stegvis_here("verify", home=home)
    assert proven.returncode == 0
    assert proven.stdout.startswith(f"{name} is as it was published: ")
    assert proven.stdout.endswith("signed by First Reviewer Å\n")
    file = story.release() / "claims.json"
    file.chmod(0o644)
    file.write_text("[]")
    altered = stegvis_here("verify", name, "--json", home=home)
    assert altered.returncode == 1
    facts = json.loads(altered.stdout)
    assert (facts["ok"], facts["problems"]) == (False, ["altered: claims.json"])
    refused = stegvis_here("sign", name, "--name", "Second", home=home)
    assert refused.returncode == 1
    assert "not as it was published" in refused.stderr
    assert stegvis_here("verify", home / "nowhere", home=home).returncode == 2


@pytest.fixture(scope="module")
def raw_pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    from stegvis.twin.raw import write_raw_pair

    folder = tmp_path_factory.mktemp("pair")
    write_raw_pair(folder, "P1", days=1, seed=19, protocol=PROTOCOL)
    return folder / "P1_back.cwa", folder / "P1_thigh.cwa"


@pytest.mark.slow
def test_classify_writes_epochs_days_quality_and_the_picture_of_one_pair(
    tmp_path: Path, raw_pair: tuple[Path, Path]
) -> None:
    out = tmp_path / "made.parquet"
    shown = stegvis("classify", *raw_pair, "-o", out)
    assert shown.returncode == 0, shown.stderr
    names = ["made.parquet", "made_days.csv", "made_quality.json", "made_week.svg"]
    assert sorted(file.name for file in tmp_path.iterdir()) == names
    assert shown.stdout.splitlines()[-4:] == [str(tmp_path / name) for name in names]
    epochs, days = pd.read_parquet(out), pd.read_csv(tmp_path / "made_days.csv")
    assert {"epoch_start", "activity", "speed"} <= set(epochs)
    assert days["weekday"].tolist() == pd.to_datetime(days["date"]).dt.day_name().tolist()
    assert days["steps"].sum() == pytest.approx((epochs["cadence"] / 12).sum(), rel=0.05)
    assert (days["longest_walk"] <= days["walking"]).all()
    assert days["walks"].sum() > 10
    assert "person" not in epochs
    assert set(epochs["activity"]) <= {"nonwear", "lying", "sitting", "standing", "walking", "running", "cycling"}
    assert shown.stdout.startswith(f"{len(epochs):,} epochs, {len(days)} days, ")
    assert f"walking {round(days['walking'].sum() / 60)}" in shown.stdout
    assert [line.split(" ", 1)[1] for line in shown.stderr.splitlines()][:2] == [
        "reading both recordings", "comparing the two clocks",
    ]  # fmt: skip
    quality = json.loads((tmp_path / "made_quality.json").read_text())
    assert quality["problems"] == []
    assert quality["quality"]["synchronization"] == "synchronized"
    # Only the recordings' file names and annotations name the person.
    assert "P1" not in (tmp_path / "made_week.svg").read_text() + (tmp_path / "made_quality.json").read_text()


@pytest.mark.slow
def test_classify_of_swapped_files_as_json_without_a_picture(tmp_path: Path, raw_pair: tuple[Path, Path]) -> None:
    back, thigh = raw_pair
    shown = stegvis("classify", thigh, back, "-o", tmp_path / "made.parquet", "--json", "--no-picture")
    assert shown.returncode == 0, shown.stderr
    summary = json.loads(shown.stdout)
    assert [problem["rule"] for problem in summary["problems"]] == ["swapped"]
    assert "swapped: the back and the thigh sensor were swapped; this was corrected" in shown.stderr
    assert sum(summary["minutes"].values()) == pytest.approx(summary["epochs"] / 12, abs=4)
    assert not (tmp_path / "made_week.svg").exists()


@pytest.mark.slow
def test_classify_of_a_thigh_alone_leaves_lying_blank(tmp_path: Path, raw_pair: tuple[Path, Path]) -> None:
    back, thigh = raw_pair
    shown = stegvis_here("classify", "--thigh", thigh, "-o", tmp_path / "made.parquet", "--no-picture")
    assert shown.returncode == 0, shown.stderr
    assert "thigh_alone: classified by the thigh sensor alone" in shown.stderr
    assert "sitting" in shown.stdout
    assert "lying" not in shown.stdout
    days = pd.read_csv(tmp_path / "made_days.csv")
    assert days[["lying", "wear_back"]].isna().all(axis=None)
    assert days["certain_lying"].between(0, days["sitting"]).all()
    assert days["valid"].any()
    assert "wear_back" not in pd.read_parquet(tmp_path / "made.parquet")
    (tmp_path / "empty.cwa").touch()
    pair = (tmp_path / "empty.cwa", thigh, "--person", "P1")
    shown = stegvis_here("classify", *pair, "-o", tmp_path / "pair.parquet", "--no-picture")
    assert shown.returncode == 0, shown.stderr
    assert "back_unusable: the back recording cannot be read: the file is empty; the back's recording was not used" in (
        shown.stderr
    )
    assert "do not deliver pair.parquet" in shown.stderr
    shown = stegvis_here("classify", "--thigh", back, "-o", tmp_path / "other.parquet")
    assert shown.returncode == 1
    assert "not_on_thigh: the recording is not that of a thigh" in shown.stderr
    assert not list(tmp_path.glob("other*"))


def test_classify_of_a_pair_that_cannot_be_used_exits_with_1_and_its_rule(tmp_path: Path) -> None:
    from stegvis.twin.cwa import Device, write_cwa

    samples = np.random.default_rng(1).normal(0, 1, (6000, 3)).astype("f4")
    write_cwa(tmp_path / "a.cwa", samples, np.datetime64("2018-05-02T00:00:00"), Device(1, 1, 50.0))
    (tmp_path / "b.cwa").write_bytes(b"nothing")
    for thigh, said in (
        ("a.cwa", "same_recording: both files are from the same device"),
        ("b.cwa", "unreadable: the thigh recording cannot be read: not a CWA file"),
    ):
        shown = stegvis_here("classify", tmp_path / "a.cwa", tmp_path / thigh, "-o", tmp_path / "made.parquet")
        assert shown.returncode == 1
        assert said in shown.stderr
        assert shown.stdout == ""
    assert not list(tmp_path.glob("made*"))


def test_classify_used_wrongly_exits_with_2(tmp_path: Path) -> None:
    (tmp_path / "a.cwa").touch()
    for arguments in (
        ("absent.cwa", "a.cwa", "-o", "made.parquet"),
        ("a.cwa", "a.cwa", "-o", "made.csv"),
        ("a.cwa", "a.cwa", "-o", "absent/made.parquet"),
        ("a.cwa", "a.cwa"),
        ("a.cwa", "-o", "made.parquet"),
        ("--thigh", "absent.cwa", "-o", "made.parquet"),
        ("a.cwa", "a.cwa", "--thigh", "a.cwa", "-o", "made.parquet"),
        ("--thigh", "a.cwa", "--person", "P1", "-o", "made.parquet"),
    ):
        paths = [tmp_path / each if "." in each else each for each in arguments]
        assert stegvis_here("classify", *paths).returncode == 2
