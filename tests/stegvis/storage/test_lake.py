"""The lake: shards are staged, moved into place together, and read as one view."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stegvis.accelerometry.activity import ACTIVITIES, SPEEDS
from stegvis.storage.bouts import EPOCHS, bouts_of
from stegvis.storage.lake import EpochLake, create_views, read_epochs, shard_name
from tests.stegvis.storage.random_epochs import as_frame, as_table, random_epochs


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
        create_views(connection, shards, 5)
        return connection.execute(f"select {columns} from epochs order by person, epoch_start").fetchall()


def test_a_staged_shard_is_not_in_place_before_it_is_published(lake: EpochLake) -> None:
    lake.write("one", epochs("P1"), 5)
    assert in_place(lake) == []
    lake.publish(["one"])
    assert in_place(lake) == ["one.bouts.parquet"]
    assert not lake.staging.exists()


def test_publishing_removes_shards_that_no_longer_belong_to_the_batch(lake: EpochLake) -> None:
    for name, person in [("one", "P1"), ("two", "P2")]:
        lake.write(name, epochs(person), 5)
    lake.publish(["one", "two"])
    lake.write("three", epochs("P3"), 5)
    lake.publish(["two", "three"])
    assert in_place(lake) == ["three.bouts.parquet", "two.bouts.parquet"]
    lake.publish([])
    assert in_place(lake) == []


def test_a_staged_shard_that_is_not_wanted_is_not_published(lake: EpochLake) -> None:
    lake.write("one", epochs("P1"), 5)
    lake.write("left_over", epochs("P2"), 5)
    lake.publish(["one"])
    assert in_place(lake) == ["one.bouts.parquet"]
    assert lake.shard("left_over") is None


def test_another_batch_is_not_affected(lake: EpochLake) -> None:
    south = EpochLake(lake.root, "south")
    south.write("one", epochs("P1"), 5)
    south.publish(["one"])
    lake.write("one", epochs("P2"), 5)
    lake.publish([])
    assert in_place(south) == ["one.bouts.parquet"]


def test_an_unfinished_file_of_a_killed_run_is_not_a_shard_and_is_removed(lake: EpochLake) -> None:
    lake.write("one", epochs("P1"), 5)
    (lake.staging / "two.4711.tmp").write_bytes(b"PAR1 and then the power went")
    assert lake.shard("two") is None
    lake.publish(["one", "two"])
    assert in_place(lake) == ["one.bouts.parquet"]
    assert not lake.staging.exists()


def test_a_shard_is_found_staged_or_in_place_and_can_be_rewritten(lake: EpochLake) -> None:
    assert lake.shard("one") is None
    staged = lake.write("one", epochs("P1"), 5)
    assert lake.shard("one") == staged
    lake.publish(["one"])
    published = lake.shard("one")
    assert published is not None
    assert published.parent == lake.folder
    lake.write("one", epochs("P2"), 5)
    lake.publish(["one"])
    assert view([published], "person") == [("P2",)]


def test_the_columns_of_the_views_have_these_types(lake: EpochLake) -> None:
    shard = lake.write("one", epochs("P1", [4, 1], [2, 0]), 5)
    with duckdb.connect() as connection:
        create_views(connection, [shard], 5)
        of_bouts, of_epochs = (
            [row[1] for row in connection.execute(f"describe {view}").fetchall()] for view in ("bouts", "epochs")
        )
    codes, lists = ["UTINYINT", "UTINYINT", "BOOLEAN", "BOOLEAN"], ["UTINYINT[]"] * 3
    assert of_bouts == ["VARCHAR", "TIMESTAMP", "INTEGER", *codes, "INTEGER", *lists]
    small = ["UTINYINT", "BOOLEAN", "BOOLEAN", "UTINYINT", "UTINYINT"]
    assert of_epochs == ["VARCHAR", "TIMESTAMP", "VARCHAR", "VARCHAR", *small]


def test_row_groups_do_not_depend_on_how_bouts_come(lake: EpochLake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stegvis.storage.lake._ROW_GROUP", 3)
    bouts = pa.concat_tables(bouts_of([as_table(random_epochs(1)[0])], 5)).combine_chunks()
    assert bouts.num_rows > 10
    at_once = lake.write_bouts("one", [bouts])
    each = lake.write_bouts("two", [bouts.slice(place, 1) for place in range(bouts.num_rows)])
    assert at_once.read_bytes() == each.read_bytes()
    assert pq.read_metadata(at_once).num_row_groups == -(-bouts.num_rows // 3)


def test_the_view_has_activities_and_speeds_in_words(lake: EpochLake) -> None:
    shard = lake.write("one", epochs("P1", list(ACTIVITIES.values())), 5)
    assert view([shard], "activity") == [(name,) for name in ACTIVITIES]
    walking = ACTIVITIES["walking"]
    shard = lake.write("two", epochs("P1", [walking] * len(SPEEDS), list(SPEEDS.values())), 5)
    assert view([shard], "speed") == [(None,), ("slow",), ("moderate",), ("brisk",)]


def test_an_unknown_code_has_no_word(lake: EpochLake) -> None:
    shard = lake.write("one", epochs("P1", [200]), 5)
    assert view([shard], "activity") == [(None,)]


def test_several_shards_are_one_view(lake: EpochLake) -> None:
    shards = [lake.write(f"shard-{person}", epochs(person), 5) for person in ("P2", "P1")]
    assert view(shards) == [("P1", "lying", None), ("P2", "lying", None)]


def test_without_shards_the_view_is_there_and_empty_with_the_same_columns(lake: EpochLake) -> None:
    with duckdb.connect() as connection:
        create_views(connection, [lake.write("one", epochs("P1"), 5)], 5)
        columns = connection.execute("select column_name from (describe epochs)").fetchall()
        create_views(connection, [], 5)
        assert connection.execute("select column_name from (describe epochs)").fetchall() == columns
        assert connection.execute("select count(*) from epochs").fetchall() == [(0,)]


def test_wear_and_pace_are_stored_where_known_and_null_elsewhere(lake: EpochLake) -> None:
    known = epochs("P1", [4, 1]).assign(
        wear_back=True, wear_thigh=[True, False], cadence=[104, 0], centimeters_per_second=[121, 0]
    )
    shards = [lake.write("known", known, 5), lake.write("unknown", epochs("P2"), 5)]
    columns = "person, wear_back, wear_thigh, cadence, centimeters_per_second"
    assert view(shards, columns) == [
        ("P1", True, True, 104, 121),
        ("P1", True, False, None, None),
        ("P2", None, None, None, None),
    ]


def former(lake: EpochLake, name: str, frame: pd.DataFrame) -> Path:
    """A shard in place as earlier versions stored it."""
    lake.folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pandas(frame, schema=EPOCHS), lake.folder / f"{name}.parquet", store_schema=False)
    return lake.folder / f"{name}.parquet"


@pytest.mark.parametrize("seed", range(30))
def test_the_view_of_epochs_has_the_rows_that_were_written_whatever_the_layout(lake: EpochLake, seed: int) -> None:
    given, seconds = random_epochs(seed)
    frame = as_frame(given)
    files = [lake.write("bouts", frame, seconds), former(lake, "rows", frame)]
    words, speeds = {code: name for name, code in ACTIVITIES.items()}, [None, *list(SPEEDS)[1:]]
    expected = [
        (each.person, each.epoch_start, words.get(each.activity), speeds[each.speed], each.confidence, each.wear_back,
         each.wear_thigh, each.cadence or None, each.centimeters_per_second or None)
        for each in given
    ]  # fmt: skip
    for file in files:
        assert read_epochs(file).to_pylist() == [vars(each) for each in given]
        with duckdb.connect(config={"threads": 1}) as connection:
            create_views(connection, [file], seconds)
            assert connection.execute("select * from epochs").fetchall() == expected


def test_of_a_shard_in_both_layouts_the_bouts_are_read(lake: EpochLake) -> None:
    old, other = former(lake, "one", complete("P1")), former(lake, "two", complete("P2"))
    assert lake.files() == [old, other]
    lake.write("one", epochs("P1"), 5)
    assert lake.files() == [old, other]  # it is only staged
    (lake.staging / "one.bouts.parquet").replace(lake.folder / "one.bouts.parquet")
    assert lake.files() == [lake.file("one"), other]
    assert lake.former_files() == [other]
    assert view(lake.files(), "person") == [("P1",), ("P2",)]


def test_a_file_of_rows_becomes_bouts_and_stays_until_its_batch_is_published(lake: EpochLake) -> None:
    frame = complete("P1", [4, 4, 1])
    old = former(lake, "one", frame)
    assert lake.shard("one") is None
    converted = lake.convert("one", 5)
    assert lake.shard("one") == converted
    assert converted is not None
    assert old.exists()
    assert read_epochs(converted).equals(read_epochs(old))
    content = converted.read_bytes()
    lake.publish(["one"])
    assert in_place(lake) == ["one.bouts.parquet"]
    lake.write("one", frame, 5)
    assert (lake.staging / "one.bouts.parquet").read_bytes() == content


def test_a_damaged_file_of_rows_is_as_good_as_none(lake: EpochLake) -> None:
    old = former(lake, "one", complete("P1", [4, 4, 1]))
    old.write_bytes(old.read_bytes()[:-20])
    assert lake.convert("one", 5) is lake.convert("never there", 5) is None
    assert lake.shard("one") is None


def test_the_disk_s_fault_is_not_the_file_s(lake: EpochLake) -> None:
    former(lake, "one", complete("P1"))
    lake.root.joinpath("staging").write_text("no folder can be made here")
    with pytest.raises(OSError, match="staging"):
        lake.convert("one", 5)


def test_the_name_of_a_shard_is_that_of_its_file_in_either_layout() -> None:
    assert [shard_name(Path(f"batch=b/{name}")) for name in ("raw-1.parquet", "raw-1.bouts.parquet")] == ["raw-1"] * 2


def complete(person: str, activities: list[int] | None = None) -> pd.DataFrame:
    """Epochs with every column."""
    unknown = {"wear_back": None, "wear_thigh": None, "cadence": 0, "centimeters_per_second": 0}
    return epochs(person, activities).assign(**unknown)


def test_the_view_of_epochs_gives_an_epoch_by_the_second_its_most_frequent_activity(lake: EpochLake) -> None:
    standing, walking = ACTIVITIES["standing"], ACTIVITIES["walking"]
    seconds = [walking, walking, standing, standing, standing] + [walking] * 3 + [standing] * 2
    lengths = np.array([5, *[1] * 10, 5], dtype=np.int32)
    frame = epochs("P1", [walking, *seconds, standing]).assign(seconds=lengths)
    frame["epoch_start"] = frame["epoch_start"].iloc[0] + pd.to_timedelta(np.cumsum(lengths) - lengths, unit="s")
    walks = frame["activity"] == walking
    frame = frame.assign(speed=np.where(walks, 2, 0), confidence=np.where(walks, 200, 250)).astype(
        {"speed": "uint8", "confidence": "uint8"}
    )
    with duckdb.connect() as connection:
        create_views(connection, [lake.write("one", frame, 5)], 5)
        found = connection.execute(
            "select epoch_start, activity, speed, confidence from epochs order by epoch_start"
        ).fetchall()
        counted = connection.execute(
            "select activity_in_words(activity), sum(seconds) from bouts group by all order by 1"
        ).fetchall()
    start = frame["epoch_start"].iloc[0].to_pydatetime()
    assert found == [
        (start, "walking", "moderate", 200),
        (start + dt.timedelta(seconds=5), "standing", None, 150),
        (start + dt.timedelta(seconds=10), "walking", "moderate", 120),
        (start + dt.timedelta(seconds=15), "standing", None, 250),
    ]
    assert counted == [("standing", 10), ("walking", 10)]
