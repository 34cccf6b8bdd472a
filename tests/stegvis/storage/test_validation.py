"""Validating one delivery: every problem at once, in words that hold no person's data."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stegvis.deliveries.problems import PROBLEM_COLUMNS
from stegvis.storage.validation import Validation, validate_drop
from stegvis.study.codebook import DAY
from stegvis.twin.cwa import Device, write_cwa
from tests.stegvis.storage.epoch_files import CONTRACT

SECRET = "a secret value"


def table(layout: str, rows: int = 10) -> pd.DataFrame:
    """A faultless table of a layout, as text."""
    valid = {"number": "600", "date": "2018-03-01", "tick": "1", "timestamp": "2018-03-01 00:00:00"}
    cells: dict[str, list[str]] = {}
    for name, column in CONTRACT.codebook[layout].columns.items():  # type: ignore[index]
        value = next(iter(column.codes)) if column.codes else valid.get(column.type, "")
        if column.range and column.range[1] < 600:
            value = "10"
        for day in range(1, 8) if DAY in column.source[0] else (0,):
            source = column.source[0].replace(DAY, str(day))
            cells[source] = [f"P{row}" for row in range(rows)] if name == "person" else [value] * rows
    return pd.DataFrame(cells)


def signal(rows: int = 5) -> pd.DataFrame:
    raw = table("signal", rows)
    return raw.assign(timestamp=pd.date_range("2018-03-01", periods=rows, freq="20ms").astype("str"))


def epochs(rows: int = 5) -> pd.DataFrame:
    times = pd.date_range("2018-03-01", periods=rows, freq="5s")
    return pd.DataFrame({"person": "P1", "epoch_start": times, "activity": "walking", "speed": None})


def deliver(folder: Path, **tables: pd.DataFrame | str) -> Path:
    """A drop with a file for each table; text is written as it is."""
    folder.mkdir(parents=True)
    for name, content in tables.items():
        stem, ending = name.rsplit("__", 1)
        file = folder / f"{stem}.{ending}"
        if isinstance(content, str):
            file.write_text(content)
        elif ending == "csv":
            content.to_csv(file, index=False)
        else:
            content.to_parquet(file)
    sign(folder)
    return folder


def validated(drop: Path) -> Validation:
    return validate_drop(drop, CONTRACT)


def sign(folder: Path) -> None:
    files = {
        f.name: {"sha256": hashlib.sha256(f.read_bytes()).hexdigest()} for f in folder.iterdir() if f.suffix != ".json"
    }
    (folder / "drop.json").write_text(json.dumps({"files": files}))


def rules(validation: Validation) -> list[tuple[str, str]]:
    return list(zip(validation.problems["file"], validation.problems["rule"], strict=True))


def test_a_faultless_drop_of_each_kind_passes(tmp_path: Path) -> None:
    drops = {
        "baseline": deliver(tmp_path / "baseline/a", participants__csv=table("participants")),
        "followup": deliver(tmp_path / "followup/2024", questionnaire__parquet=table("questionnaire")),
        "recordings": deliver(
            tmp_path / "recordings/b", days__csv=table("days"), P1__csv=signal(), epochs__parquet=epochs()
        ),
    }
    for kind, drop in drops.items():
        validation = validated(drop)
        assert validation.passed, validation.problems.to_string()
        assert validation.kind == kind
        assert list(validation.problems.columns) == list(PROBLEM_COLUMNS)
        assert (validation.summary["rows_read"] == validation.summary["rows_fine"]).all()
    assert set(validation.summary["file"]) == {"days.csv", "P1.csv", "epochs.parquet"}
    assert validation.summary.set_index("file").loc["days.csv", "rows_read"] == 70  # days of ten people


def test_outside_a_landing_zone_the_files_show_the_kind(tmp_path: Path) -> None:
    assert validated(deliver(tmp_path / "1", participants__csv=table("participants"))).kind == "baseline"
    followup = validated(deliver(tmp_path / "2", questionnaire__csv=table("questionnaire")))
    assert (followup.kind, followup.passed) == ("followup", True)  # the wave's name is not yet asked for
    assert validated(deliver(tmp_path / "3", days__csv=table("days"))).kind == "recordings"


def test_withdrawals(tmp_path: Path) -> None:
    file = tmp_path / "withdrawals" / "june.csv"
    file.parent.mkdir()
    file.write_text("person\nP1\nP2\n")
    assert rules(validated(file)) == [("june.json", "no_manifest")]
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    file.with_suffix(".json").write_text(json.dumps({"files": {"june.csv": {"sha256": digest}}}))
    validation = validated(file)
    assert validation.passed
    assert validation.summary.to_dict("records") == [{"file": "june.csv", "rows_read": 2, "rows_fine": 2}]


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    raw = table("participants")
    raw.loc[0, "Sex"] = SECRET
    raw.loc[3, "person"] = "P2"
    drop = deliver(tmp_path / "baseline/a", participants__csv=raw)
    (drop / "drop.json").unlink()
    validation = validated(drop)
    assert not validation.passed
    assert rules(validation) == [
        ("drop.json", "no_manifest"),
        ("participants.csv", "unknown_code"),
        ("participants.csv", "duplicate"),
    ]
    assert validation.problems["row"].tolist() == [pd.NA, 2, 5]
    assert validation.summary.to_dict("records") == [{"file": "participants.csv", "rows_read": 10, "rows_fine": 8}]
    assert SECRET not in validation.problems.to_string()


def test_a_changed_file_is_still_checked(tmp_path: Path) -> None:
    drop = deliver(tmp_path / "baseline/a", participants__csv=table("participants"))
    table("participants").drop(columns="Sex").to_csv(drop / "participants.csv", index=False)
    assert rules(validated(drop)) == [("participants.csv", "hash_mismatch"), ("participants.csv", "missing_column")]


def test_too_many_broken_rows(tmp_path: Path) -> None:
    raw = table("participants")
    raw.loc[:2, "Sex"] = "9"  # three of ten
    validation = validated(deliver(tmp_path / "baseline/a", participants__csv=raw))
    assert ("participants.csv", "too_many_quarantined") in rules(validation)
    raw.loc[2, "Sex"] = "1"  # two of ten
    validation = validated(deliver(tmp_path / "baseline/b", participants__csv=raw))
    assert ("participants.csv", "too_many_quarantined") not in rules(validation)


@pytest.mark.parametrize(
    ("content", "rule"), [("", "unreadable"), ("person\n", "missing_column"), (f"person,x\n{SECRET}\n", "unreadable")]
)
def test_a_file_that_cannot_be_used(tmp_path: Path, content: str, rule: str) -> None:
    validation = validated(deliver(tmp_path / "followup/2024", questionnaire__csv=content))
    assert {found for _, found in rules(validation)} == {rule}
    assert SECRET not in validation.problems.to_string()


def test_a_truncated_parquet_leaves_the_other_recordings_alone(tmp_path: Path) -> None:
    drop = deliver(tmp_path / "recordings/a", P1__parquet=signal(), days__csv=table("days"))
    file = drop / "P1.parquet"
    file.write_bytes(file.read_bytes()[:100])
    sign(drop)
    validation = validated(drop)
    assert rules(validation) == [("P1.parquet", "unreadable")]
    assert validation.summary["file"].tolist() == ["days.csv"]


def test_a_day_over_24_hours(tmp_path: Path) -> None:
    raw = table("days")
    raw.loc[1, "LyTmD3_NT4ActMX"] = "86400"
    validation = validated(deliver(tmp_path / "recordings/a", days__csv=raw))
    assert rules(validation) == [("days.csv", "day_over_24_hours")]
    assert validation.summary["rows_fine"].tolist() == [69]


def test_broken_epochs_are_counted_by_row(tmp_path: Path) -> None:
    raw = epochs(10)
    raw.loc[4, "activity"] = SECRET
    raw.loc[5, "epoch_start"] = raw.loc[6, "epoch_start"]
    validation = validated(deliver(tmp_path / "recordings/a", epochs__parquet=raw))
    assert validation.problems["row"].tolist() == [6, 8]
    assert validation.problems["rule"].tolist() == ["unknown_code", "duplicate"]
    assert SECRET not in validation.problems.to_string()


def test_of_a_raw_recording_both_halves_must_be_there(tmp_path: Path) -> None:
    drop = deliver(tmp_path / "recordings/a", P1_back__cwa="x", P1_thigh__cwa="x", P2_back__cwa="x", P3__cwa="x")
    assert set(rules(validated(drop))) == {
        ("P1_back.cwa", "unreadable"),
        ("P1_thigh.cwa", "unreadable"),
        ("P2_back.cwa", "half_missing"),
        ("P2_back.cwa", "unreadable"),
        ("P3.cwa", "file_name"),
    }


def test_a_thigh_alone_is_said_to_be_classified_without_the_back(tmp_path: Path) -> None:
    folder = tmp_path / "recordings/a"
    folder.mkdir(parents=True)
    recorder = Device(device_id=1, recording_id=1, true_rate_hz=12.5, nominal_rate_hz=12.5)
    samples = np.tile([[-1.0, 0.0, 0.0]], (3000, 1))
    write_cwa(folder / "P1_THIGH.CWA", samples, np.datetime64("2018-03-01T08:00:00"), recorder)
    digest = hashlib.sha256((folder / "P1_THIGH.CWA").read_bytes()).hexdigest()
    (folder / "drop.json").write_text(json.dumps({"files": {"P1_THIGH.CWA": {"sha256": digest}}}))
    validation = validated(folder)
    assert rules(validation) == []
    assert any("classified by the thigh alone" in note for note in validation.notes)


def test_a_readable_raw_pair_keeps_the_contract(tmp_path: Path) -> None:
    folder = tmp_path / "recordings/a"
    folder.mkdir(parents=True)
    for device, half in enumerate(("back", "thigh"), start=1):
        samples = np.tile([[-1.0, 0.0, 0.0]], (3000, 1))
        recorder = Device(device_id=device, recording_id=1, true_rate_hz=50.0, clock_drift_seconds_per_day=0.0)
        write_cwa(folder / f"P1_{half}.cwa", samples, np.datetime64("2018-03-01T08:00:00"), recorder)
    hashes = {f.name: {"sha256": hashlib.sha256(f.read_bytes()).hexdigest()} for f in sorted(folder.iterdir())}
    (folder / "drop.json").write_text(json.dumps({"files": hashes}))
    assert rules(validated(folder)) == []


def test_names_are_checked_inside_a_landing_zone(tmp_path: Path) -> None:
    drop = deliver(tmp_path / "followup/wave 2", questionnaire__csv=table("questionnaire"))
    assert rules(validated(drop)) == [("wave 2", "drop_name")]


def test_other_files_are_notes(tmp_path: Path) -> None:
    drop = deliver(tmp_path / "baseline/a", participants__csv=table("participants"), readme__txt="hello")
    (drop / "late.csv").write_text("x")
    validation = validated(drop)
    assert validation.passed
    assert any("readme.txt" in note for note in validation.notes)
    assert any("late.csv" in note for note in validation.notes)


def test_a_drop_that_replaces_one_that_is_not_there_says_so(tmp_path: Path) -> None:
    drop = deliver(tmp_path / "baseline/b", participants__csv=table("participants"))
    content = json.loads((drop / "drop.json").read_text())
    (drop / "drop.json").write_text(json.dumps(content | {"replaces": "a"}))
    (note,) = validated(drop).notes
    assert "replaces a, but no drop of that name lies beside this one" in note
    deliver(tmp_path / "baseline/a", participants__csv=table("participants"))
    assert validated(drop).notes == ()


def test_a_place_without_a_drop(tmp_path: Path) -> None:
    validation = validated(tmp_path / "nowhere")
    assert rules(validation) == [("nowhere", "not_there")]
    assert validation.kind is None
