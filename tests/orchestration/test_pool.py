"""Releases of several cohorts, combined through the command line from their released files alone."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import Result
from typer.testing import CliRunner

from stegvis.orchestration.cli import app
from stegvis.statistics.meta_analysis import combine
from tests.orchestration.command import stegvis_here

ESTIMATES = {"a": (0.77, 0.063), "b": (0.82, 0.080), "c": (0.71, 0.10)}
Change = Callable[[dict[str, Any]], None]
Make = Callable[..., Path]


def as_it_is(protocol: dict[str, Any]) -> None:
    """No change."""


@pytest.fixture
def release(built_home: Path, tmp_path: Path) -> Make:
    """Makes releases of further cohorts: the built home's release with other people, estimates and protocol."""

    def make(name: str, estimate: float, std_error: float, change: Change = as_it_is, **manifest: Any) -> Path:
        folder = tmp_path / name
        shutil.copytree((built_home / "releases" / "latest").resolve(), folder)
        for file in folder.iterdir():
            file.chmod(0o755 if file.is_dir() else 0o644)
        results = pd.read_csv(folder / "results.csv", keep_default_na=False, na_values=[""])
        ratios = (results["measure"] == "rr") & results["analysis"].isin(["trend", "fixed_cuts"])
        ratios &= results["level"] != results["reference"]
        results.loc[ratios, ["n", "events", "estimate", "std_error"]] = [1000, 100, estimate, std_error]
        results.loc[ratios, "ci_low"] = estimate * np.exp(-1.96 * std_error)
        results.loc[ratios, "ci_high"] = estimate * np.exp(1.96 * std_error)
        results.loc[ratios, "status"] = "ok"
        results.to_csv(folder / "results.csv", index=False)
        protocol = json.loads((folder / "protocol.json").read_text())
        protocol["study"]["title"] = f"Cohort {name}"
        change(protocol)
        (folder / "protocol.json").write_text(json.dumps(protocol))
        facts = json.loads((folder / "manifest.json").read_text())
        facts |= {"release": f"2026-01-01-{name}", "previous_release": None, **manifest}
        for wave in facts["waves"].values():
            wave["deliveries"] = hashlib.sha256(f"{name} {wave['deliveries']}".encode()).hexdigest()
        for file in ("results.csv", "protocol.json"):
            facts["files"][file] = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        (folder / "manifest.json").write_text(json.dumps(facts))
        return folder

    return make


def pool(*arguments: str | Path) -> Result:
    """The command in this process, which saves starting Python for each refusal."""
    return CliRunner().invoke(app, ["pool", *map(str, arguments)])


def test_combines_releases_into_a_page_and_tables(release: Make, tmp_path: Path) -> None:
    folders = [release(name, *values) for name, values in ESTIMATES.items()]
    done = stegvis_here("pool", *folders, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "out" / "pooled.csv", keep_default_na=False, na_values=[""])
    trend = table[(table["analysis"] == "trend") & (table["model"] == "adjusted")]
    row = trend[(trend["exposure"] == "walking_minutes")].set_index("method")
    b, se = (np.array([values[i] for values in ESTIMATES.values()]) for i in (0, 1))
    wanted = combine(np.log(b), se, "fixed").ratio(0.95)
    fixed = row.loc["fixed"]
    assert (fixed["estimate"], fixed["ci_low"], fixed["ci_high"]) == pytest.approx(
        (wanted.estimate, wanted.ci_low, wanted.ci_high)
    )
    assert (fixed["cohorts"], fixed["n"], fixed["events"]) == (3, 3000, 300)
    knapp = row.loc["random_hartung_knapp_cautious"]
    assert knapp["ci_low"] < fixed["ci_low"] < fixed["ci_high"] < knapp["ci_high"]
    assert (table["analysis"] == "fixed_cuts").any()
    page = (tmp_path / "out" / "pooled.html").read_text()
    assert "Synthetic data" in page
    assert all(f"Cohort {name}" in page for name in ESTIMATES)
    assert page.count("<svg") == 2
    assert not re.search(r"<script|src=\"http|href=\"http", page)
    inputs = json.loads((tmp_path / "out" / "inputs.json").read_text())
    manifests = [hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest() for folder in folders]
    assert [each["manifest_sha256"] for each in inputs] == manifests
    weights = pd.read_csv(tmp_path / "out" / "cohorts.csv").groupby(["exposure", "analysis", "model", "term", "level"])
    assert weights[["fixed_weight", "random_weight"]].sum().to_numpy() == pytest.approx(1)


def test_equal_releases_give_equal_files(release: Make, tmp_path: Path) -> None:
    folders = [release(name, *values) for name, values in ESTIMATES.items()]
    for out in ("one", "two"):
        assert pool(*folders, "-o", tmp_path / out).exit_code == 0
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_json_has_the_ratios_and_the_names_given(release: Make, tmp_path: Path) -> None:
    folders = [release(name, *values) for name, values in ESTIMATES.items()]
    names = ["--name", "North", "--name", "South", "--name", "West"]
    done = pool(*folders, *names, "-o", tmp_path / "out", "--json")
    assert {row["cohorts"] for row in json.loads(done.stdout)["pooled"]} == {3}
    assert set(pd.read_csv(tmp_path / "out" / "cohorts.csv")["cohort"]) == {"North", "South", "West"}


def other_unit(protocol: dict[str, Any]) -> None:
    protocol["exposures"]["walking_minutes"]["trend_unit"] = 10.0


def other_days(protocol: dict[str, Any]) -> None:
    protocol["days"]["rule"] = "whole_day"


def other_mets(protocol: dict[str, Any]) -> None:
    protocol["exposures"]["met_brisk"] = 5.0


def other_population(protocol: dict[str, Any]) -> None:
    protocol["exclusions"]["order"].remove("baseline_low_back_pain")


def other_outcome(protocol: dict[str, Any]) -> None:
    protocol["outcome"] = {"kind": "single_question", "cut": 1}


def other_mode(protocol: dict[str, Any]) -> None:
    protocol["study"]["mode"] = "strict"


def other_level(protocol: dict[str, Any]) -> None:
    protocol["models"]["confidence"] = 0.9


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (other_unit, "an exposure (exposures.walking_minutes.trend_unit: 20.0 and 10.0"),
        (other_days, "which days are valid (days.rule: as_published and whole_day"),
        (other_mets, "the METs of walking (exposures.met_brisk: 4.8 and 5.0"),
        (other_population, "who is excluded (exclusions.order"),
        (other_outcome, "the outcome (outcome.cut: not given and 1"),
        (other_mode, "(study.mode: as_published and strict"),
        (other_level, "intervals of different levels"),
    ],
)
def test_releases_of_different_things_are_refused(release: Make, tmp_path: Path, change: Change, said: str) -> None:
    folders = [release("a", 0.77, 0.06), release("b", 0.82, 0.08, change)]
    done = pool(*folders, "-o", tmp_path / "out")
    assert done.exit_code == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_the_same_people_are_refused(release: Make, tmp_path: Path, built_home: Path) -> None:
    one = release("a", 0.77, 0.06)
    done = pool(one, one, "-o", tmp_path / "out")
    assert (done.exit_code, "are the same release" in done.stderr) == (1, True)
    facts = json.loads((one / "manifest.json").read_text())
    other = release("b", 0.82, 0.08)
    copied = json.loads((other / "manifest.json").read_text()) | {"waves": facts["waves"]}
    (other / "manifest.json").write_text(json.dumps(copied))
    done = pool(one, other, "-o", tmp_path / "out")
    assert (done.exit_code, "releases of the same cohort" in done.stderr) == (1, True)


def test_the_same_numbers_under_another_name_are_refused(release: Make, tmp_path: Path) -> None:
    """Hashes of deliveries may be keyed by home: a second home of the same cohort shows by its numbers."""
    done = pool(release("a", 0.77, 0.06), release("b", 0.77, 0.06), "-o", tmp_path / "out")
    assert (done.exit_code, "releases of the same cohort" in done.stderr) == (1, True)


def test_the_wave_of_a_release_is_chosen(release: Make, tmp_path: Path) -> None:
    folders = [release("a", 0.77, 0.06), release("b", 0.82, 0.08)]
    file = folders[1] / "results.csv"
    rows = pd.read_csv(file, keep_default_na=False, na_values=[""])
    later = rows.assign(wave="2024-2026", estimate=rows["estimate"] * 0.5, ci_low=rows["ci_low"] * 0.5)
    pd.concat([rows, later]).to_csv(file, index=False)
    facts = json.loads((folders[1] / "manifest.json").read_text())
    facts["files"]["results.csv"] = hashlib.sha256(file.read_bytes()).hexdigest()
    (folders[1] / "manifest.json").write_text(json.dumps(facts))
    for which, wave, estimate in (("first", "2021-2023", 0.82), ("last", "2024-2026", 0.41)):
        assert pool(*folders, "--wave", which, "-o", tmp_path / which).exit_code == 0
        used = pd.read_csv(tmp_path / which / "cohorts.csv")
        used = used[used["cohort"] == "Cohort b"]
        assert set(used["wave"]) == {wave}
        assert used["estimate"].to_numpy() == pytest.approx(estimate)


def test_simulated_and_real_people_are_never_combined(release: Make, tmp_path: Path) -> None:
    folders = [release("a", 0.77, 0.06), release("b", 0.82, 0.08, synthetic=False)]
    done = pool(*folders, "-o", tmp_path / "out")
    assert (done.exit_code, "never combined" in done.stderr) == (1, True)


def test_a_changed_or_absent_file_is_refused(release: Make, tmp_path: Path) -> None:
    folders = [release("a", 0.77, 0.06), release("b", 0.82, 0.08)]
    with (folders[1] / "results.csv").open("a") as file:
        file.write("\n")
    done = pool(*folders, "-o", tmp_path / "out")
    assert (done.exit_code, "results.csv is not as it was published" in done.stderr) == (1, True)
    (folders[1] / "results.csv").unlink()
    done = pool(*folders, "-o", tmp_path / "out")
    assert (done.exit_code, "results.csv is missing" in done.stderr) == (1, True)


def test_categories_with_other_cut_points_are_left_out_and_named(release: Make, tmp_path: Path) -> None:
    folders = [release("a", 0.77, 0.06), release("b", 0.82, 0.08)]
    file = folders[1] / "results.csv"
    file.write_text(file.read_text().replace("78-100", "80-100"))
    facts = json.loads((folders[1] / "manifest.json").read_text())
    facts["files"]["results.csv"] = hashlib.sha256(file.read_bytes()).hexdigest()
    (folders[1] / "manifest.json").write_text(json.dumps(facts))
    done = pool(*folders, "-o", tmp_path / "out")
    assert done.exit_code == 0
    assert "walking_minutes, analysis fixed_cuts: Cohort a has 78-100 against <78" in done.stdout
    table = pd.read_csv(tmp_path / "out" / "pooled.csv")
    assert not table["level"].isin(["78-100", "80-100"]).any()


def test_wrong_usage(release: Make, tmp_path: Path) -> None:
    one = release("a", 0.77, 0.06)
    assert pool(one, tmp_path / "absent", "-o", tmp_path / "out").exit_code == 2
    assert pool(one, one, "--name", "x", "-o", tmp_path / "out").exit_code == 2
    done = pool(one, "-o", tmp_path / "out")
    assert (done.exit_code, "at least two releases" in done.stderr) == (1, True)
    done = pool(one, tmp_path, "-o", tmp_path / "out")
    assert (done.exit_code, "is not a release" in done.stderr) == (1, True)
