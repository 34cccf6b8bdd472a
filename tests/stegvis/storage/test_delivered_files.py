"""One contract for each layout: what ``stegvis validate`` finds is what the refresh's reading uses and quarantines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stegvis.deliveries.contract import apply_contract
from stegvis.storage.delivered_files import DeliveredFile, read_delivered
from stegvis.storage.reading import read_table
from stegvis.storage.recording_files import recordings_of
from stegvis.storage.validation import validate_drop
from tests.stegvis.storage.epoch_files import CONTRACT
from tests.stegvis.storage.test_validation import sign

START = pd.Timestamp("2018-03-01 08:00")


def epochs(rows: int = 4, **columns: object) -> pd.DataFrame:
    times = START + pd.to_timedelta(5 * np.arange(rows), "s")
    return pd.DataFrame({"person": "P1", "epoch_start": times, "activity": "walking", "speed": "slow"} | columns)


def batch(folder: Path, write: Callable[[Path], object], name: str = "epochs.parquet") -> Path:
    drop = folder / "recordings" / "a"
    drop.mkdir(parents=True)
    write(drop / name)
    sign(drop)
    return drop


def both_ways(drop: Path) -> DeliveredFile:
    """The drop's one file as the refresh reads it, after making sure that validating it found the same."""
    (file,) = (each for each in drop.iterdir() if each.name != "drop.json")
    (recording,), issues = recordings_of([file.name])
    assert issues == []
    found = read_delivered(file, file.name, recording.level, CONTRACT)
    validation = validate_drop(drop, CONTRACT)
    listed = validation.problems[validation.problems["rule"] != "too_many_quarantined"]
    # A batch of nothing but tables in another format lists no recording at all.
    listed = listed[listed["file"] == file.name].reset_index(drop=True)
    pd.testing.assert_frame_equal(listed, found.problems)
    counted = [(row.rows_read, row.rows_fine) for row in validation.summary.itertuples()]
    assert counted == ([] if found.unreadable else [(found.rows_read, found.rows_read - found.rows_quarantined)])
    assert validation.passed == found.problems.empty
    return found


def rules(found: DeliveredFile) -> list[tuple[int | None, str]]:
    rows = [None if pd.isna(row) else int(row) for row in found.problems["row"]]
    return list(zip(rows, found.problems["rule"], strict=True))


def test_an_epoch_delivered_twice_two_million_rows_apart_is_found(tmp_path: Path) -> None:
    frame = epochs(2_000_000)
    twice = pa.concat_tables([pa.Table.from_pandas(part) for part in (frame, frame.iloc[:1])])
    found = both_ways(batch(tmp_path, lambda file: pq.write_table(twice, file)))
    assert rules(found) == [(2_000_002, "duplicate")]
    assert (found.rows_read, found.rows_quarantined) == (2_000_001, 1)


@pytest.mark.parametrize(
    ("frame", "quarantined"),
    [
        (epochs(person=[1001.0, 1001.0, np.nan, 1001.0]), [(4, "blank")]),
        (epochs(person=["1001.0", "1001", "\t1001 ", "\u00a01001"]), []),
        (epochs(person=[Decimal("1001.00")] * 4), []),
        (epochs(person=[dt.date(2018, 3, 1)] * 4), [(row, "wrong_type") for row in (2, 3, 4, 5)]),
        (epochs(activity=[1, 8, 13, 99]), [(5, "unknown_code")]),
        (epochs(activity=["+1", "\t08 ", "13.00", "-1"]), [(5, "unknown_code")]),
        (epochs(activity=[1.0, 8.0, np.nan, 1.5]), [(4, "blank"), (5, "unknown_code")]),
        (epochs(activity=[True, False, True, True]), [(row, "unknown_code") for row in (2, 3, 4, 5)]),
        (epochs(activity=pd.Categorical(["lying", "walking", "lying", "lying"])), []),
        (epochs(speed=["slow", " ", "", "swift"]), [(5, "unknown_code")]),
        (epochs(epoch_start=["2018-03-01 08:00", "2018-03-01T08:00:05", "2018-03-01 08:00:10.000000001", "2018"]),
         [(5, "wrong_type")]),
        (epochs(epoch_start=["2018-03-01 08:00:00+02:00", "2018-03-01 08:00:05Z", "2018-03-01", None]),
         [(2, "wrong_type"), (3, "wrong_type"), (4, "wrong_type"), (5, "blank")]),
        (epochs(epoch_start=pd.date_range(START, periods=4, freq="5s", tz="UTC")),
         [(row, "wrong_type") for row in (2, 3, 4, 5)]),
        (epochs(epoch_start=[1, 2, 3, 4]), [(row, "wrong_type") for row in (2, 3, 4, 5)]),
        (epochs().drop(columns="activity"), [(None, "missing_column")]),
        (epochs(0), [(None, "empty")]),
        (epochs().rename(columns={"person": "PID"}).assign(PID=None), [(row, "blank") for row in (2, 3, 4, 5)]),
        (epochs(Person="X"), []),
    ],
)  # fmt: skip
def test_odd_epochs_files(tmp_path: Path, frame: pd.DataFrame, quarantined: list[tuple[int | None, str]]) -> None:
    drop = batch(tmp_path, lambda file: frame.to_parquet(file, index=False))
    found = both_ways(drop)
    assert rules(found) == quarantined
    # The rules are those of every other layout.
    contracted = apply_contract(read_table(drop / "epochs.parquet"), CONTRACT.codebook["epochs"], "epochs.parquet")
    assert contracted.refused == found.refused
    if not found.refused:
        pd.testing.assert_frame_equal(contracted.problems, found.problems)
        assert set(contracted.frame["person"]) == set(found.frame["person"])
        assert contracted.notes == found.notes


def test_text_stored_as_bytes_is_text(tmp_path: Path) -> None:
    table = pa.table({"person": [b"\xc3\x851"], "epoch_start": [START.to_pydatetime()], "activity": [b"lying"]})
    found = both_ways(batch(tmp_path, lambda file: pq.write_table(table, file)))
    assert found.frame["person"].tolist() == ["Å1"]


@pytest.mark.parametrize("name", ["epochs.csv", "epochs.sav", "epochs.dta"])
def test_epochs_in_another_format_are_refused(tmp_path: Path, name: str) -> None:
    found = both_ways(batch(tmp_path, lambda file: epochs().to_csv(file, index=False), name))
    assert rules(found) == [(None, "unreadable")]


def damage(file: Path, at: float) -> None:
    content = bytearray(file.read_bytes())
    place = int(at * len(content))
    content[place : place + 400] = b"\xff" * 400
    file.write_bytes(content)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(b"person,epoch_start\n"),
        lambda file: file.write_bytes(file.read_bytes()[:-20]),
        lambda file: damage(file, 0.1),
        lambda file: damage(file, 0.4),
    ],
)
def test_a_damaged_epochs_file_is_refused(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    def write(file: Path) -> None:
        epochs(5000, activity=[f"{n % 20}" for n in range(5000)]).to_parquet(file, index=False)
        spoil(file)

    found = both_ways(batch(tmp_path, write))
    assert rules(found) == [(None, "unreadable")]


def test_a_column_twice_is_refused(tmp_path: Path) -> None:
    names = ["person", "epoch_start", "activity", "activity"]
    table = pa.table([["P1"], [START.to_pydatetime()], ["lying"], ["lying"]], names=names)
    found = both_ways(batch(tmp_path, lambda file: pq.write_table(table, file)))
    assert rules(found) == [(None, "unreadable")]


def test_the_files_of_a_batch_by_their_names() -> None:
    names = [
        "days.sav", "epochs.csv", "P1.parquet", "P2_back.cwa", "P2_thigh.cwa", "P3_back.cwa", "P4.cwa", "_back.cwa",
        "P5_BACK.CWA", "P5_Thigh.cwa", "_BACK.CWA", "readme.txt", "P6_THIGH.CWA",
    ]  # fmt: skip
    recordings, issues = recordings_of(names)
    assert [(each.level, each.person, each.files) for each in recordings] == [
        ("days", None, ("days.sav",)),
        ("epochs", None, ("epochs.csv",)),
        ("signal", "P1", ("P1.parquet",)),
        ("raw", "P2", ("P2_back.cwa", "P2_thigh.cwa")),
        ("raw", "P5", ("P5_BACK.CWA", "P5_Thigh.cwa")),
        ("raw", "P6", ("P6_THIGH.CWA",)),
    ]
    assert [(issue.file, issue.rule) for issue in issues] == [
        ("P3_back.cwa", "half_missing"),
        ("P4.cwa", "file_name"),
        ("_back.cwa", "file_name"),
        ("_BACK.CWA", "file_name"),
        ("readme.txt", "unknown_file"),
    ]
