"""A cohort of one's own through the command line: a codebook drafted from its files, seals, and findings by rule."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from click.testing import Result
from typer.testing import CliRunner

from stegvis.orchestration.cli import app
from stegvis.study.codebook import read_codebook
from stegvis.twin import write_twin
from tests.study import CODEBOOK, CODEBOOK_FILE, PROTOCOL, home_with_study

PEOPLE = 200


def stegvis(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A baseline file of SPSS and a follow-up file of Stata; code 7 of smoking and region X are a few people's."""
    rng = np.random.default_rng(1)
    smoking = rng.choice([1.0, 2.0], PEOPLE)
    smoking[:3], smoking[3:23] = 7.0, 9.0
    region = rng.choice(["North", "South"], PEOPLE)
    region[5] = "X"
    baseline = pd.DataFrame({
        "ID": 100001 + np.arange(PEOPLE), "SEX": rng.choice(["F", "M"], PEOPLE), "AGE": rng.normal(60, 10, PEOPLE),
        "SMK": smoking, "REGION": region, "WHEN": pd.Timestamp("2011-03-01").date(),
    })  # fmt: skip
    labels = {"SMK": {1: "Never", 2: "Daily", 7: "Asked nobody", 9: "No answer"}, "SEX": {"F": "Female", "M": "Male"}}
    sav, dta = tmp_path / "baseline.sav", tmp_path / "followup.dta"
    pyreadstat.write_sav(baseline, str(sav), variable_value_labels=labels, missing_ranges={"SMK": [9]})
    follow = pd.DataFrame({"ID": baseline["ID"], "LBP": np.where(np.arange(PEOPLE) % 3, 2.0, 1.0)})
    pyreadstat.write_dta(follow, str(dta), variable_value_labels={"LBP": {1: "Yes", 2: "No"}})
    return sav, dta


def test_init_drafts_a_codebook_without_rare_codes(files: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "codebook.toml"
    done = stegvis("init", "--from", files[0], "--from", files[1], "-o", out)
    assert done.exit_code == 0, done.output
    text, drafted = out.read_text(), read_codebook(out)
    columns = drafted.participants.columns
    assert columns["person"].source == ("ID",)
    assert columns["sex"].codes == {"F": "Female", "M": "Male"}
    assert columns["smk"].codes == {"1": "Never", "2": "Daily"}
    assert (columns["age"].type, columns["age"].range, columns["when"].type) == ("number", None, "date")
    assert columns["region"].codes == {"North": "North", "South": "South"}
    assert drafted.questionnaire.columns["lbp"].codes == {"1": "Yes", "2": "No"}
    assert "ID" in drafted.days.columns["person"].source
    assert "declared missing in the file: 9" in text
    assert "Asked nobody" not in text
    assert '"X"' not in text
    assert "100001" not in text
    again = stegvis("init", "--from", files[0], "-o", out)
    assert (again.exit_code, out.read_text()) == (2, text)


def test_init_needs_people(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("a,b\n1,2\n1,2\n")
    done = stegvis("init", "--from", tmp_path / "b.csv", "-o", tmp_path / "c.toml")
    assert (done.exit_code, "identifies people" in done.output) == (1, True)
    assert not (tmp_path / "c.toml").exists()


def test_seal_writes_drop_json_once(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    (drop / "inside").mkdir(parents=True)
    (drop / "participants.csv").write_text("person\n1\n")
    assert stegvis("seal", drop, "--synthetic").exit_code == 0
    sealed = json.loads((drop / "drop.json").read_text())
    sha256 = hashlib.sha256(b"person\n1\n").hexdigest()
    assert sealed == {"files": {"participants.csv": {"sha256": sha256}}, "synthetic": True}
    assert "unchanged" in stegvis("seal", drop, "--synthetic").output
    (drop / "participants.csv").write_text("person\n2\n")
    done = stegvis("seal", drop, "--synthetic")
    assert (done.exit_code, "never changed" in done.output) == (1, True)
    assert json.loads((drop / "drop.json").read_text()) == sealed


def test_seal_of_withdrawals_and_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "june.csv").write_text("person\n1\n")
    assert stegvis("seal", tmp_path / "june.csv").exit_code == 0
    assert list(json.loads((tmp_path / "june.json").read_text())["files"]) == ["june.csv"]
    (tmp_path / "empty").mkdir()
    assert stegvis("seal", tmp_path / "empty").exit_code == 1
    assert stegvis("seal", tmp_path / "absent").exit_code == 2


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    """A baseline drop of a twin, not sealed again after a change."""
    home_with_study(tmp_path)
    write_twin(tmp_path / "landing", PROTOCOL, CODEBOOK, people=60, waves=1, seed=4)
    return next((tmp_path / "landing" / "baseline").iterdir())


def changed(drop: Path, column: str, rows: list[int], value: str | None) -> None:
    file = next(drop.glob("participants.*"))
    table = pd.read_csv(file, dtype="str") if file.suffix == ".csv" else pd.read_parquet(file).astype("str")
    if value is None:
        table = table.rename(columns={column: f"{column}x"})
    else:
        table.loc[rows, column] = value
    file.unlink()
    table.to_csv(drop / "participants.csv", index=False)
    (drop / "drop.json").unlink()
    assert stegvis("seal", drop, "--synthetic").exit_code == 0


def test_validate_groups_by_rule_and_column(baseline: Path) -> None:
    changed(baseline, "SmoStat_NT4BLQ1", list(range(8)), "77")
    done = stegvis("validate", baseline, "--home", baseline.parents[2])
    assert done.exit_code == 0  # a refresh uses the other rows
    (line,) = [line for line in done.output.splitlines() if "unknown_code" in line]
    assert line.startswith("participants.csv 8 rows (2, 3, 4, 5, 6 ...) [SmoStat_NT4BLQ1] unknown_code: ")
    number = next(
        place for place, text in enumerate(CODEBOOK_FILE.read_text().splitlines(), start=1)
        if text.startswith("smoking =")
    )  # fmt: skip
    assert line.endswith(f"(codebook.toml line {number})")
    assert "77" not in done.output
    every = stegvis("validate", baseline, "--all", "--home", baseline.parents[2])
    assert "8 rows (2, 3, 4, 5, 6, 7, 8, 9)" in every.output


def test_validate_lists_the_columns_where_one_is_missing(baseline: Path) -> None:
    changed(baseline, "Sex", [], None)
    done = stegvis("validate", baseline, "--home", baseline.parents[2])
    assert done.exit_code == 1
    assert (
        "participants.csv has the columns PID" in done.output
        or "participants.csv has the columns person" in done.output
    )
    assert "Sexx" in done.output


def test_a_bad_optional_cell_costs_the_cell_and_not_the_person(baseline: Path) -> None:
    changed(baseline, "Bmi_NT4BLM", [3], "27,4")
    done = stegvis("validate", baseline, "--home", baseline.parents[2])
    assert re.search(r"participants.csv: (\d+) of \1 rows fine", done.output)
    assert "participants.csv row 5 [Bmi_NT4BLM] wrong_type" in done.output
    assert "the cell is read as missing, and the row is used" in done.output
