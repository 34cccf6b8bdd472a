"""The lake: shards are staged, moved into place together, and read as one view."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest

from stegvis.accelerometry.activity import ACTIVITIES, SPEEDS
from stegvis.storage.lake import EpochLake, create_epochs_view


@pytest.fixture
def lake(tmp_path: Path) -> EpochLake:
    return EpochLake(tmp_path / "it's a lake", "north")


def epochs(person: str, activities: list[int] | None = None, speeds: list[int] | None = None) -> pd.DataFrame:
    codes = [1] if activities is None else activities
    moments = pd.date_range("2018-03-01 08:00", periods=len(codes), freq="5s").astype("datetime64[ms]")
    frame = pd.DataFrame({"person": person, "epoch_start": moments, "activity": codes})
    return frame.assign(speed=speeds or [0] * len(codes), confidence=255)


def in_place(lake: EpochLake) -> list[str]:
    return sorted(file.name for file in lake.folder.glob("*"))


def view(shards: list[Path], columns: str = "person, activity, speed") -> list[tuple]:
    with duckdb.connect() as connection:
        create_epochs_view(connection, shards)
        return connection.execute(f"select {columns} from epochs order by person, epoch_start").fetchall()


def test_a_staged_shard_is_not_in_place_before_it_is_published(lake: EpochLake) -> None:
    lake.write("one", epochs("P1"))
    assert in_place(lake) == []
    lake.publish(["one"])
    assert in_place(lake) == ["one.parquet"]
    assert not lake.staging.exists()


def test_publishing_removes_shards_that_no_longer_belong_to_the_batch(lake: EpochLake) -> None:
    for name, person in [("one", "P1"), ("two", "P2")]:
        lake.write(name, epochs(person))
    lake.publish(["one", "two"])
    lake.write("three", epochs("P3"))
    lake.publish(["two", "three"])
    assert in_place(lake) == ["three.parquet", "two.parquet"]
    lake.publish([])
    assert in_place(lake) == []


def test_a_staged_shard_that_is_not_wanted_is_not_published(lake: EpochLake) -> None:
    lake.write("one", epochs("P1"))
    lake.write("left_over", epochs("P2"))
    lake.publish(["one"])
    assert in_place(lake) == ["one.parquet"]
    assert lake.shard("left_over") is None


def test_another_batch_is_not_affected(lake: EpochLake) -> None:
    south = EpochLake(lake.root, "south")
    south.write("one", epochs("P1"))
    south.publish(["one"])
    lake.write("one", epochs("P2"))
    lake.publish([])
    assert in_place(south) == ["one.parquet"]


def test_an_unfinished_file_of_a_killed_run_is_not_a_shard_and_is_removed(lake: EpochLake) -> None:
    lake.write("one", epochs("P1"))
    (lake.staging / "two.4711.tmp").write_bytes(b"PAR1 and then the power went")
    assert lake.shard("two") is None
    lake.publish(["one", "two"])
    assert in_place(lake) == ["one.parquet"]
    assert not lake.staging.exists()


def test_a_shard_is_found_staged_or_in_place_and_can_be_rewritten(lake: EpochLake) -> None:
    assert lake.shard("one") is None
    staged = lake.write("one", epochs("P1"))
    assert lake.shard("one") == staged
    lake.publish(["one"])
    published = lake.shard("one")
    assert published is not None
    assert published.parent == lake.folder
    lake.write("one", epochs("P2"))
    lake.publish(["one"])
    assert view([published], "person") == [("P2",)]


def test_a_shard_from_a_select_equals_one_from_a_frame(lake: EpochLake) -> None:
    frame = epochs("P1", [4, 1], [2, 0])
    lake.write("frame", frame)
    with duckdb.connect() as connection:
        connection.register("given", frame)
        codes = "activity::utinyint as activity, speed::utinyint as speed, confidence::utinyint as confidence"
        lake.write_select("select", connection, f"select person, epoch_start, {codes} from given")
    lake.publish(["frame", "select"])
    columns = "person, epoch_start, activity, speed, confidence"
    shards = [lake.folder / "frame.parquet", lake.folder / "select.parquet"]
    assert view(shards[:1], columns) == view(shards[1:], columns)
    with duckdb.connect() as connection:
        describe = "describe select * from read_parquet(?, hive_partitioning = false)"
        types = [[row[1] for row in connection.execute(describe, [str(s)]).fetchall()] for s in shards]
    small = ["UTINYINT", "UTINYINT", "UTINYINT", "BOOLEAN", "BOOLEAN", "UTINYINT", "UTINYINT"]
    assert types[0] == types[1] == ["VARCHAR", "TIMESTAMP", *small]


def test_the_view_has_activities_and_speeds_in_words(lake: EpochLake) -> None:
    shard = lake.write("one", epochs("P1", list(ACTIVITIES.values())))
    assert view([shard], "activity") == [(name,) for name in ACTIVITIES]
    walking = ACTIVITIES["walking"]
    shard = lake.write("two", epochs("P1", [walking] * len(SPEEDS), list(SPEEDS.values())))
    assert view([shard], "speed") == [(None,), ("slow",), ("moderate",), ("brisk",)]


def test_an_unknown_code_has_no_word(lake: EpochLake) -> None:
    shard = lake.write("one", epochs("P1", [200]))
    assert view([shard], "activity") == [(None,)]


def test_several_shards_are_one_view(lake: EpochLake) -> None:
    shards = [lake.write(f"shard-{person}", epochs(person)) for person in ("P2", "P1")]
    assert view(shards) == [("P1", "lying", None), ("P2", "lying", None)]


def test_without_shards_the_view_is_there_and_empty_with_the_same_columns(lake: EpochLake) -> None:
    with duckdb.connect() as connection:
        create_epochs_view(connection, [lake.write("one", epochs("P1"))])
        columns = connection.execute("select column_name from (describe epochs)").fetchall()
        create_epochs_view(connection, [])
        assert connection.execute("select column_name from (describe epochs)").fetchall() == columns
        assert connection.execute("select count(*) from epochs").fetchall() == [(0,)]


def test_wear_and_pace_are_stored_where_known_and_null_elsewhere(lake: EpochLake) -> None:
    known = epochs("P1", [4, 1]).assign(
        wear_back=True, wear_thigh=[True, False], cadence=[104, 0], centimeters_per_second=[121, 0]
    )
    shards = [lake.write("known", known), lake.write("unknown", epochs("P2"))]
    columns = "person, wear_back, wear_thigh, cadence, centimeters_per_second"
    assert view(shards, columns) == [
        ("P1", True, True, 104, 121),
        ("P1", True, False, None, None),
        ("P2", None, None, None, None),
    ]
