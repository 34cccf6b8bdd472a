"""Erasing to the byte, in the warehouse and the lake, and again after a restore."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from stegvis.storage import erasure
from stegvis.storage.erasure import ERASED
from stegvis.storage.home import Home
from stegvis.storage.lake import EpochLake, read_epochs, shard_name
from stegvis.storage.records import Materialization, read_records, write_record
from stegvis.storage.warehouse import Warehouse
from stegvis.storage.withdrawal_list import add_to_list, read_list

GONE, OTHER = "QGONE01", "QSTAYS2"


def epochs(*people: str) -> pd.DataFrame:
    times = pd.date_range("2018-01-01", periods=3, freq="5s").astype("datetime64[ms]")
    each = [
        pd.DataFrame({"person": p, "epoch_start": times, "activity": 1, "speed": 0, "confidence": 9}) for p in people
    ]
    return pd.concat(each, ignore_index=True)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with rows of two people in a table of waves, one of batches, the quarantine and the lake."""
    home = Home(tmp_path, tmp_path / "landing").create()
    with Warehouse(home).session("test") as connection:
        connection.execute("create table answers (wave varchar, person varchar, text varchar)")
        connection.execute(f"insert into answers values ('2021', '{GONE}', 'secret'), ('2021', '{OTHER}', 'open')")
        connection.execute(f"insert into answers values ('2024', '{OTHER}', 'open')")
        connection.execute("create table recordings (batch varchar, person varchar, shard varchar)")
        connection.execute(f"insert into recordings values ('b', '{GONE}', 'signal-1'), ('b', '{OTHER}', 'signal-2')")
        connection.execute(
            "insert into quarantine values ('recordings', 'b', ?, null, '', 'unreadable', 'cut off')", [f"b/{GONE}.csv"]
        )
        connection.execute("insert into quarantine values ('recordings', 'b', 'b/days.csv', 3, 'x', 'y', 'z')")
        for table, key in (("answers", "2021"), ("answers", "2024"), ("recordings", "b")):
            write_record(connection, Materialization(table, key, "1", {"sql": "1"}))
    lake = EpochLake(home.lake, "b")
    for name, people in (("signal-1", [GONE]), ("signal-2", [OTHER]), ("epochs-3", [OTHER, GONE])):
        lake.write(name, epochs(*people), 5)
    lake.publish(["signal-1", "signal-2", "epochs-3"])
    records = home.lake / "recordings" / "batch=b"
    records.mkdir(parents=True)
    for name in ("signal-1", "signal-2"):
        (records / f"{name}.json").write_text("{}")
    return home


def residue(home: Home) -> list[str]:
    """Files of the home with a byte of the person."""
    return [file.name for file in home.root.rglob("*") if file.is_file() and GONE.encode() in file.read_bytes()]


@pytest.mark.parametrize("suffix", [".bouts.parquet", ".parquet"], ids=["bouts", "rows of earlier versions"])
def test_nothing_is_left_to_the_byte_and_others_keep_everything(home: Home, suffix: str) -> None:
    for shard in EpochLake(home.lake, "b").files():
        rows = read_epochs(shard)
        if suffix == ".parquet":
            pq.write_table(rows, shard.with_name(f"{shard_name(shard)}{suffix}"))
            shard.unlink()
    assert residue(home) != []
    add_to_list(home.root, "june", [GONE, "QNOBODY"])
    with Warehouse(home).session("test") as connection:
        assert connection.execute("select wave, person from answers order by 1").fetchall() == [
            ("2021", OTHER),
            ("2024", OTHER),
        ]
        assert connection.execute("select person from recordings").fetchall() == [(OTHER,)]
        assert connection.execute("select file from quarantine").fetchall() == [("b/days.csv",)]
    assert residue(home) == []
    assert b"secret" not in home.warehouse.read_bytes()
    assert sorted(file.name for file in home.lake.rglob("*.*")) == sorted([f"signal-2{suffix}", "signal-2.json"])
    assert len(read_list(home.root).found()) == 1


def test_partitions_that_lost_rows_are_stale_and_no_other(home: Home) -> None:
    add_to_list(home.root, "june", [GONE])
    with Warehouse(home).session("test") as connection:
        marked = {(made.table, made.partition): made for made in read_records(connection)}
    assert {place for place, made in marked.items() if ERASED in made.made_from} == {
        ("answers", "2021"),
        ("recordings", "b"),
    }
    assert ERASED in marked["answers", "2021"].made_from
    assert marked["answers", "2024"].made_from == {"sql": "1"}


def test_a_warehouse_restored_from_a_copy_is_cleaned_before_it_is_read(home: Home) -> None:
    copy = home.root.parent / "copy.duckdb"
    shutil.copy(home.warehouse, copy)
    add_to_list(home.root, "june", [GONE])
    with Warehouse(home).session("test"):
        pass
    shutil.copy(copy, home.warehouse)
    assert residue(home) == ["warehouse.duckdb"]
    with Warehouse(home).session("test") as connection:
        assert connection.execute("select count(*) from answers where person = ?", [GONE]).fetchall() == [(0,)]
    assert residue(home) == []


@pytest.mark.parametrize("place", ["erase_from_lake", "_erase_rows", "_erase_from_quarantine", "rewrite"])
@pytest.mark.parametrize("after", [False, True])
def test_an_erasure_that_was_killed_is_completed_by_the_next_session(
    home: Home, place: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_to_list(home.root, "june", [GONE])
    real = getattr(erasure, place)

    def killed(*arguments: object) -> None:
        if after:
            real(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(erasure, place, killed)
        with pytest.raises(KeyboardInterrupt), Warehouse(home).session("test"):
            pass
    with Warehouse(home).session("test") as connection:
        assert connection.execute("select count(*) from answers").fetchall() == [(2,)]
    assert residue(home) == []


def test_a_session_without_news_leaves_the_file_as_it_is(home: Home) -> None:
    add_to_list(home.root, "june", [GONE])
    with Warehouse(home).session("test"):
        pass
    before = home.warehouse.stat().st_ino
    with Warehouse(home).session("test"):
        pass
    assert home.warehouse.stat().st_ino == before
    assert not home.warehouse.with_name(".warehouse.duckdb.new").exists()
