"""Delivered epochs, streamed: the quarantine is that of the contract in memory, the days are those delivered."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stegvis.deliveries.contract import apply_contract
from stegvis.sql import sql_text
from stegvis.storage.bouts import bouts_of
from stegvis.storage.lake import EpochLake, create_views, read_epochs
from stegvis.twin.epochs import KINDS, NONWEAR, delivered_tables, lake_tables, wear
from stegvis.twin.parameters import parameters
from tests.stegvis.storage.epoch_files import CONTRACT, opened
from tests.study import PROTOCOL

LAYOUT = CONTRACT.codebook["epochs"]
SHARD_COLUMNS = [
    "person", "epoch_start", "activity", "speed", "confidence", "wear_back", "wear_thigh", "cadence",
    "centimeters_per_second",
]  # fmt: skip

# lying, sitting, standing, slow, moderate, brisk, walking, running, cycling
WALKED = [30_000, 36_400, 13_000, 4_000, 1_500, 500, 6_000, 400, 600]
RODE = [31_005, 38_315, 12_080, 2_005, 1_495, 0, 3_500, 0, 1_500]
DETACHED = [86_400, 0, 0, 0, 0, 0, 0, 0, 0]


def clean(people: int = 3, epochs: int = 40) -> pd.DataFrame:
    start = pd.date_range("2018-03-01 08:00", periods=epochs, freq="5s")
    parts = [
        pd.DataFrame(
            {"person": f"P{number}", "epoch_start": start.astype("str"), "activity": "walking", "speed": "slow"}
        )
        for number in range(people)
    ]
    return pd.concat(parts, ignore_index=True)


def spoiled(seed: int) -> pd.DataFrame:
    """Clean rows with every kind of fault at random places, alone and together, and some rows out of order."""
    rng = np.random.default_rng(seed)
    frame = clean()

    def some(count: int) -> np.ndarray:
        return rng.choice(len(frame), count, replace=False)

    frame.loc[some(5), "epoch_start"] = frame["epoch_start"].to_numpy()[some(5)]
    frame.loc[some(4), "person"] = frame["person"].to_numpy()[some(4)]
    frame.loc[some(2), "person"] = None
    frame.loc[some(2), "epoch_start"] = "soon"
    frame.loc[some(3), "activity"] = ["dancing", None, "99"]
    frame.loc[some(2), "speed"] = "swift"
    frame.loc[some(3), "activity"] = [" 8 ", "08", "8.0"]
    # A second copy of some rows, some of them broken: their place in the file decides which is kept.
    frame = pd.concat([frame, frame.iloc[some(12)]], ignore_index=True)
    return frame if seed % 2 else frame.sample(frac=1.0, random_state=seed, ignore_index=True)


def deliver(folder: Path, frame: pd.DataFrame) -> Path:
    file = folder / "epochs.parquet"
    frame.to_parquet(file)
    return file


def shard_of(folder: Path, file: Path, people: list[str] | None = None) -> pd.DataFrame:
    with opened(file) as found:
        chosen = found.people["person"].tolist() if people is None else people
        return read_epochs(found.bouts.write_shard(EpochLake(folder / "lake", "b"), "shard", chosen)).to_pandas()


@pytest.mark.parametrize("seed", range(8))
def test_the_rows_in_quarantine_are_those_of_the_contract_in_memory(tmp_path: Path, seed: int) -> None:
    frame = spoiled(seed)
    file = deliver(tmp_path, frame)
    expected = apply_contract(pd.read_parquet(file), LAYOUT, "epochs.parquet")
    with opened(file) as found:
        problems, people = found.problems, found.people.set_index("person")
        assert found.rows == len(frame)
    assert set(problems["rule"]) >= {"blank", "wrong_type", "unknown_code", "duplicate"}
    # The contract in memory lists every breach of a row, the stream the first.
    listed = expected.problems.drop_duplicates("row").sort_values("row")
    assert problems["row"].tolist() == listed["row"].tolist()
    per_person = expected.frame.groupby("person")["epoch_start"]
    assert (people["hours"] == per_person.size() * 5 / 3600).all()
    assert (people["start"] == per_person.min()).all()


@pytest.mark.parametrize("seed", range(2))
def test_the_shard_has_the_other_rows_by_person_and_time(tmp_path: Path, seed: int) -> None:
    file = deliver(tmp_path, spoiled(seed))
    expected = apply_contract(pd.read_parquet(file), LAYOUT, "epochs.parquet").frame
    expected = expected.sort_values(["person", "epoch_start"], ignore_index=True)
    shard = shard_of(tmp_path, file)
    assert shard.columns.tolist() == SHARD_COLUMNS
    assert (shard["person"] == expected["person"]).all()
    assert (shard["epoch_start"] == expected["epoch_start"]).all()


def test_a_file_of_many_rows_is_stored_in_its_order(tmp_path: Path) -> None:
    """It is streamed as it is; rows that several threads read come out of order."""
    rows = clean(people=1, epochs=250_000)
    rows["activity"] = np.array(["lying", "sitting", "standing"])[np.arange(len(rows)) // 97 % 3]
    frame = pd.concat([rows.assign(person=f"P{number}") for number in range(4)], ignore_index=True)
    file = tmp_path / "epochs.parquet"
    frame.to_parquet(file, row_group_size=60_000)
    with opened(file) as found:
        shard = found.bouts.write_shard(EpochLake(tmp_path / "lake", "b"), "shard", sorted(set(frame["person"])))
    back = read_epochs(shard)
    assert back["epoch_start"].to_pandas().equals(frame["epoch_start"].astype("datetime64[ms]"))
    assert back["person"].to_pandas().equals(frame["person"])
    assert pq.read_metadata(shard).num_rows == sum(part.num_rows for part in bouts_of([back], 5))


def test_only_the_people_asked_for_are_in_the_shard(tmp_path: Path) -> None:
    shard = shard_of(tmp_path, deliver(tmp_path, clean()), ["P0", "P2"])
    assert shard["person"].unique().tolist() == ["P0", "P2"]
    assert len(shard) == 80


@pytest.mark.parametrize(
    ("name", "order"),
    [("people", [1, 0]), ("time", [0, 1])],
)
def test_rows_out_of_order_are_sorted(tmp_path: Path, name: str, order: list[int]) -> None:
    frame = clean(people=2, epochs=10)
    if name == "people":
        frame = pd.concat([frame.iloc[10 * place : 10 * place + 10] for place in order], ignore_index=True)
    else:
        frame = pd.concat([frame.iloc[5:10], frame.iloc[:5], frame.iloc[10:]], ignore_index=True)
    shard = shard_of(tmp_path, deliver(tmp_path, frame))
    assert shard["person"].is_monotonic_increasing
    assert all(mine["epoch_start"].is_monotonic_increasing for _, mine in shard.groupby("person"))


def test_pauses_and_recordings_side_by_side_are_no_duplicates(tmp_path: Path) -> None:
    frame = clean(people=2, epochs=40).drop(index=range(10, 20))
    # Rows of two people in turns, each with a pause: nothing of it repeats.
    file = deliver(tmp_path, frame.sort_values(["epoch_start", "person"], ignore_index=True))
    with opened(file) as found:
        assert found.problems.empty
        assert found.people["hours"].tolist() == [30 * 5 / 3600, 40 * 5 / 3600]


@pytest.mark.parametrize("everybody", [True, False])
def test_an_epoch_that_comes_back_much_later_is_found(tmp_path: Path, everybody: bool) -> None:
    frame = clean(people=3, epochs=40)
    again = frame if everybody else frame.iloc[[55]]
    with opened(deliver(tmp_path, pd.concat([frame, again]))) as found:
        problems = found.problems
    assert set(problems["rule"]) == {"duplicate"}
    assert problems["row"].tolist() == list(range(122, 122 + len(again)))


def test_seconds_of_each_day_are_those_the_epochs_were_made_from(tmp_path: Path) -> None:
    """From the delivered file to daily_exposures.sql, with a day of non-wear and a day of a detached sensor."""
    model = parameters().epochs
    half_the_days = (model.wear_gaps[0].model_copy(update={"days": 0.5}),)
    often_off = model.model_copy(update={"wear_gaps": half_the_days, "partial_recordings": 0.0})
    people = np.array(["P0", "P1", "P2"])
    seconds = np.array([[WALKED, RODE, WALKED], [RODE, WALKED, DETACHED], [RODE, [np.nan] * 9, [np.nan] * 9]])
    first = np.array(["2018-03-01", "2018-03-02", "2018-03-03"], dtype="datetime64[D]")
    worn = wear(people, first, seconds, 3, often_off, PROTOCOL)
    assert 0 < (worn.counts[..., NONWEAR] > 0).sum() < 7
    file = tmp_path / "epochs.parquet"
    pq.write_table(pa.concat_tables(delivered_tables(worn, 3, often_off)), file, store_schema=False)
    lake = EpochLake(tmp_path / "lake", "b")
    with opened(file) as found:
        assert found.problems.empty
        shard = found.bouts.write_shard(lake, "shard", people.tolist())

    days = daily_exposures(shard)
    names = [f"walking_{speed}" if speed else activity for activity, speed, _ in KINDS[:NONWEAR]]
    recorded = worn.counts.sum(axis=2) > 0
    assert (days[names].to_numpy() == 5 * worn.counts[recorded][:, :NONWEAR]).all()
    assert (days["walking"] == days[names[3:6]].sum(axis=1)).all()
    off = 5 * worn.counts[recorded][:, NONWEAR]
    assert (days[[*names[:3], "walking", "running", "cycling"]].sum(axis=1) + off == 86_400).all()
    # All but the time off comes from the totals as they were given.
    places = [place for _, _, place in KINDS[:NONWEAR]]
    difference = seconds[recorded][:, places] - days[names].to_numpy()
    assert (difference[:, names.index("sitting")] == off).all()
    assert (np.delete(difference, names.index("sitting"), axis=1) == 0).all()
    assert days["valid"].tolist() == [True] * 5 + [False, True]

    written = lake.write_bouts("generated", lake_tables(worn, 3, often_off))
    pd.testing.assert_frame_equal(pd.read_parquet(written), pd.read_parquet(shard))


def daily_exposures(shard: Path) -> pd.DataFrame:
    with duckdb.connect(config={"threads": 1}) as connection:
        for name in ("days.must_be_positive", "days.seconds_per_day",
                     "days.speed_sum_tolerance_seconds"):  # fmt: skip
            connection.execute(f'set variable "{name}" = ?', [CONTRACT.protocol.value(name)])
        connection.execute("set variable batch = 'b'")
        create_views(connection, [shard], CONTRACT.protocol.epochs.seconds)
        columns = "lying, sitting, standing, walking_slow, walking_moderate, walking_brisk, walking, running, cycling"
        connection.execute(
            "create table delivered_days (batch varchar, person varchar, day bigint, "
            + ", ".join(f"{name.strip()} double" for name in columns.split(","))
            + ")"
        )
        return connection.execute(f"select * from ({sql_text('daily_exposures')}) order by person, day").df()
