"""An epochs file is read the same in one reading, row by row by DuckDB, and by plain Python."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stegvis.storage import epoch_order, epoch_rows, epochs_file, epochs_in_one_reading, kept_bouts
from stegvis.storage.delivered_epochs import EpochsContract, RefusedFile
from stegvis.storage.epoch_rows import OddFileError
from stegvis.storage.epochs_file import EpochsRead, read_epochs_file
from stegvis.storage.lake import EpochLake, read_epochs
from stegvis.storage.reading import UnreadableFile
from tests.sizes import examples
from tests.stegvis.storage.epoch_files import ACTIVITY_OF, CONTRACT, SPEED_OF
from tests.stegvis.storage.odd_epochs import ORDERS, UNITS, Row, expected, odd_rows, write

RULES = EpochsContract(CONTRACT.codebook["epochs"], CONTRACT.epochs_select, CONTRACT.protocol.epochs.seconds)
STEP = dt.timedelta(seconds=5)


def refuse(*_: object) -> None:
    raise OddFileError("asked for")


def read(file: Path, lake: Path, monkeypatch: pytest.MonkeyPatch, *, row_by_row: bool) -> tuple[EpochsRead, bytes]:
    """The file by one of the two ways, and the bytes of its shard."""
    with monkeypatch.context() as patched:
        if row_by_row:
            patched.setattr(epochs_file, "in_one_reading", refuse)
        else:
            patched.setattr(epochs_file, "_row_by_row", lambda *_: pytest.fail("it was read row by row"))
        found = read_epochs_file(file, "epochs.parquet", RULES, lake)
    with_shard = found.bouts.write_shard(EpochLake(lake, "b"), "shard", found.people["person"].tolist())
    found.bouts.close()
    return found, with_shard.read_bytes()


def assert_same(one: EpochsRead, other: EpochsRead) -> None:
    pd.testing.assert_frame_equal(one.people, other.people)
    pd.testing.assert_frame_equal(one.problems, other.problems)
    assert (one.rows, one.notes) == (other.rows, other.notes)


def in_small(monkeypatch: pytest.MonkeyPatch, rng: random.Random) -> None:
    """Read few rows at once, compare blocks of few rows, and join few bouts at once."""
    monkeypatch.setattr(epoch_rows, "AT_ONCE", rng.choice([4, 11, 60, 1000]))
    monkeypatch.setattr(epoch_order, "_SHORTEST_BLOCK", rng.choice([1, 3, 50]))
    monkeypatch.setattr(kept_bouts, "_AT_ONCE", rng.choice([1, 5, 1000]))


@pytest.mark.parametrize("seed", range(examples(60)))
def test_all_three_read_odd_files_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    rng = random.Random(seed)
    rows = odd_rows(rng, rng.choice([0.0, 0.02, 0.4]), ORDERS[seed % len(ORDERS)])
    file = tmp_path / "epochs.parquet"
    write(rows, file, rng.choice(UNITS), rng.choice([1, 3, 7, 40, 1000]), rng.random() < 0.3)
    in_small(monkeypatch, rng)
    one, shard = read(file, tmp_path / "one", monkeypatch, row_by_row=False)
    other, same = read(file, tmp_path / "other", monkeypatch, row_by_row=True)
    assert_same(one, other)
    assert shard == same
    plain = expected(rows)
    assert dict(zip(one.problems["row"], one.problems["rule"], strict=True)) == plain.rules
    epochs = read_epochs(EpochLake(tmp_path / "one", "b").staging / "shard.bouts.parquet").to_pylist()
    assert [
        (epoch["person"], epoch["epoch_start"], ACTIVITY_OF[epoch["activity"]], SPEED_OF[epoch["speed"]])
        for epoch in epochs
    ] == plain.epochs
    people = {person: list(mine) for person, mine in itertools.groupby(plain.epochs, key=lambda epoch: epoch[0])}
    assert [(row.person, row.start, row.hours) for row in one.people.itertuples()] == [
        (person, mine[0][1], len(mine) * 5 / 3600) for person, mine in people.items()
    ]


def of_people(people: int, epochs: int) -> pd.DataFrame:
    """Epochs of people who begin a minute after each other, in the order of person and time."""
    moments = pd.date_range("2018-03-24 23:00", periods=epochs, freq="5s")
    activity = np.array(["lying", "sitting", "standing", "walking"])[np.arange(epochs) // 12 % 4]
    parts = [
        pd.DataFrame({"person": f"P{n:03}", "epoch_start": moments + n * dt.timedelta(minutes=1), "activity": activity})
        for n in range(people)
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("order", ["time", "people backwards", "halves in turns"])
def test_the_order_of_a_file_makes_no_byte_of_its_shard_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    frame = of_people(40, 1500)
    sorted_file, file = tmp_path / "sorted.parquet", tmp_path / "file.parquet"
    frame.to_parquet(sorted_file)
    if order == "time":
        frame = frame.sort_values(["epoch_start", "person"])
    elif order == "people backwards":
        frame = frame.sort_values("person", ascending=False, kind="stable")
    else:
        frame = pd.concat([frame.iloc[1::2], frame.iloc[::2]])
    frame.to_parquet(file, row_group_size=7000, index=False)
    monkeypatch.setattr(epoch_rows, "AT_ONCE", 20_000)
    one, shard = read(sorted_file, tmp_path / "one", monkeypatch, row_by_row=False)
    other, same = read(file, tmp_path / "other", monkeypatch, row_by_row=False)
    assert_same(one, other)
    assert one.problems.empty
    assert shard == same


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("epoch_start", pa.array(["2018-03-01 08:00:00", "2018-03-01 08:00:05", "2018-03-01 08:00:10"])),
        ("epoch_start", pa.array([1519891200000001, None, 1519891205000001], pa.timestamp("us"))),
        ("activity", pa.array([True, False, True])),
        ("person", pa.array([b"P1", b"P2", None])),
        ("person", pa.array([1.0, float("nan"), 1001.0])),
        ("person", pa.array([1, None, 1001], pa.uint16())),
        ("activity", pa.array([1, 8, None], pa.int8())),
        ("speed", pa.nulls(3)),
    ],
)
def test_cells_of_other_kinds_are_read_as_row_by_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, column: str, cells: pa.Array
) -> None:
    moments = pa.array([1519891200000, 1519891205000, 1519891210000], pa.timestamp("ms"))
    columns = {"person": pa.array(["P1"] * 3), "epoch_start": moments, "activity": pa.array(["walking"] * 3)}
    file = tmp_path / "epochs.parquet"
    pq.write_table(pa.table(columns | {column: cells}), file)
    found = read_epochs_file(file, "epochs.parquet", RULES, tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(epochs_file, "in_one_reading", refuse)
        same = read_epochs_file(file, "epochs.parquet", RULES, tmp_path)
    assert_same(found, same)
    found.bouts.close()
    same.bouts.close()


def test_epochs_of_another_length_refuse_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = pd.date_range("2018-03-01", periods=50, freq="15s")
    frame = pd.DataFrame({"person": "P1", "epoch_start": moments, "activity": "lying"})
    file = tmp_path / "epochs.parquet"
    frame.to_parquet(file)
    messages = []
    for row_by_row in (False, True):
        with pytest.raises(RefusedFile) as refused:
            read(file, tmp_path, monkeypatch, row_by_row=row_by_row)
        messages.append(refused.value.problems)
    pd.testing.assert_frame_equal(*messages)


def test_a_file_in_no_order_is_read_row_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = of_people(3, 400).sample(frac=1.0, random_state=1)
    file = tmp_path / "epochs.parquet"
    frame.to_parquet(file, row_group_size=100)
    monkeypatch.setattr(epoch_rows, "AT_ONCE", 100)
    monkeypatch.setattr(epochs_in_one_reading, "MOST_COMPARED", 100)
    monkeypatch.setattr(epochs_file, "LONG", 1200)
    lines: list[str] = []
    found = read_epochs_file(file, "north/epochs.parquet", RULES, tmp_path, lines.append)
    found.bouts.close()
    assert lines == ["north/epochs.parquet is read row by row, which takes longer"]
    assert found.people["hours"].tolist() == [400 * 5 / 3600] * 3


def test_progress_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "epochs.parquet"
    of_people(3, 400).to_parquet(file, row_group_size=100)
    monkeypatch.setattr(epoch_rows, "AT_ONCE", 100)
    monkeypatch.setattr(epochs_in_one_reading, "REPORTED_EVERY", 500)
    lines: list[str] = []
    read_epochs_file(file, "north/epochs.parquet", RULES, None, lines.append)
    assert lines == [f"read {rows:,} of 1,200 epochs of north/epochs.parquet" for rows in (500, 1000)]


def test_a_page_that_is_damaged_refuses_the_file(tmp_path: Path) -> None:
    file = tmp_path / "epochs.parquet"
    of_people(3, 400).to_parquet(file)
    content = bytearray(file.read_bytes())
    content[100:400] = bytes(300)
    file.write_bytes(content)
    with pytest.raises(UnreadableFile, match="not a whole Parquet file"):
        read_epochs_file(file, "epochs.parquet", RULES, tmp_path)


def test_nothing_is_left_on_the_disk(tmp_path: Path) -> None:
    file = tmp_path / "epochs.parquet"
    of_people(3, 400).to_parquet(file)
    found = read_epochs_file(file, "epochs.parquet", RULES, tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []  # the bouts are in a file without a name
    found.bouts.close()
    with_none = read_epochs_file(file, "epochs.parquet", RULES)
    with pytest.raises(ValueError, match="not kept"):
        with_none.bouts.write_shard(EpochLake(tmp_path / "lake", "b"), "shard", ["P000"])


def test_pseudonyms_are_sorted_by_what_is_stored(tmp_path: Path) -> None:
    file = tmp_path / "epochs.parquet"
    of_people(3, 40).to_parquet(file)
    rules = replace(RULES, stored=lambda person: f"Q{9 - int(person[1:])}")
    found = read_epochs_file(file, "epochs.parquet", rules, tmp_path)
    assert found.people["person"].tolist() == ["Q7", "Q8", "Q9"]
    shard = found.bouts.write_shard(EpochLake(tmp_path, "b"), "shard", ["Q9", "Q7", "absent"])
    found.bouts.close()
    assert read_epochs(shard)["person"].unique().to_pylist() == ["Q7", "Q9"]


def test_a_midnight_that_no_epoch_begins_at_cuts_a_bout() -> None:
    """Three hours from 22:59:59 on, epochs of 4 hours: one begins on each of two days, none on a third."""
    start = np.array([epoch_milliseconds(Row("", dt.datetime(2018, 3, 24, 22, 59, 59), "", ""))])
    one = np.zeros(1, dtype=np.int32)
    bouts, stretches = epoch_order._of_runs(one, start, one, one, np.array([3]), 4 * 3600)
    assert bouts["epochs"].tolist() == [1, 2]
    assert stretches["bouts"].tolist() == [2]
    bouts, _ = epoch_order._of_runs(one, start, one, one, np.array([3]), 30 * 3600)
    assert bouts["epochs"].tolist() == [1, 1, 1]


def epoch_milliseconds(row: Row) -> int:
    assert row.epoch_start is not None
    return int((row.epoch_start - dt.datetime(1970, 1, 1)) / dt.timedelta(milliseconds=1))
