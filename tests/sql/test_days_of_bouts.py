"""Days counted from bouts are those that plain Python counts epoch by epoch, whatever the lake stores and in what layout."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from stegvis.accelerometry.activity import ACTIVITIES, SPEEDS
from stegvis.storage.lake import EpochLake, create_views
from tests.sql.tables import database, select_of
from tests.stegvis.storage.random_epochs import Epoch, as_frame, as_table, random_epochs

NO_DAYS = "batch | person"
SEEDS = range(60)
WORDS = {code: name for name, code in ACTIVITIES.items()}
SPEED_WORDS = {code: name for name, code in SPEEDS.items() if code}
SECONDS = ("lying", "sitting", "standing", "walking", "running", "cycling")

Days = dict[tuple[str, dt.date], dict[str, Any]]


def epoch_by_epoch(epochs: list[Epoch], seconds: int) -> Days:
    """Seconds of each person and day, one epoch after the other; no day without any activity."""
    by_day: dict[tuple[str, dt.date], list[Epoch]] = defaultdict(list)
    for epoch in epochs:
        by_day[epoch.person, epoch.epoch_start.date()].append(epoch)
    found: Days = {}
    for key, mine in by_day.items():
        day: dict[str, Any] = dict.fromkeys([*SECONDS, *(f"walking_{word}" for word in SPEED_WORDS.values())], 0)
        recorded = any(WORDS.get(epoch.activity, "nonwear") != "nonwear" for epoch in mine)
        for epoch in mine:
            activity = WORDS.get(epoch.activity)
            if activity in SECONDS:
                day[activity] += seconds
            if activity == "walking" and epoch.speed:
                day[f"walking_{SPEED_WORDS[epoch.speed]}"] += seconds
        if any(WORDS.get(epoch.activity) == "walking" and not epoch.speed for epoch in mine):
            day |= {f"walking_{word}": None for word in SPEED_WORDS.values()}
        for name in ("wear_back", "wear_thigh"):
            known = [getattr(epoch, name) for epoch in mine if getattr(epoch, name) is not None]
            day[name] = seconds * sum(known) if known else None
        if recorded:
            found[key] = day
    return found


def counted(connection: duckdb.DuckDBPyConnection) -> Days:
    """The same from ``sql/daily_exposures.sql``."""
    rows = connection.execute(select_of("daily_exposures"))
    names = [column[0] for column in rows.description]
    days = [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
    wanted = [*SECONDS, *(f"walking_{word}" for word in SPEED_WORDS.values()), "wear_back", "wear_thigh"]
    assert [day["day"] for day in sorted(days, key=lambda day: (day["person"], day["date"]))] == [
        1 + sum(other["person"] == day["person"] and other["date"] < day["date"] for other in days)
        for day in sorted(days, key=lambda day: (day["person"], day["date"]))
    ]
    return {(day["person"], day["date"]): {name: day[name] for name in wanted} for day in days}


@pytest.mark.parametrize("seed", SEEDS)
def test_days_are_those_of_plain_python(tmp_path: Path, seed: int) -> None:
    epochs, seconds = random_epochs(seed)
    expected = epoch_by_epoch(epochs, seconds)
    lake = EpochLake(tmp_path, "b")
    bouts, rows = lake.write("bouts", as_frame(epochs), seconds), tmp_path / "rows.parquet"
    pq.write_table(as_table(epochs), rows, store_schema=False)
    with database("daily_exposures", delivered_days=NO_DAYS) as connection:
        for file in (bouts, rows):
            create_views(connection, [file], seconds)
            assert counted(connection) == expected


def test_a_lake_half_in_the_former_layout_gives_the_same_days(tmp_path: Path) -> None:
    epochs, seconds = next(drawn for drawn in map(random_epochs, SEEDS) if len({e.person for e in drawn[0]}) == 4)
    lake, files = EpochLake(tmp_path, "b"), []
    for number, person in enumerate(sorted({epoch.person for epoch in epochs})):
        mine = [epoch for epoch in epochs if epoch.person == person]
        if number % 2:
            files.append(lake.write(person, as_frame(mine), seconds))
        else:
            files.append(tmp_path / f"{person}.parquet")
            pq.write_table(as_table(mine), files[-1], store_schema=False)
    with database("daily_exposures", delivered_days=NO_DAYS) as connection:
        create_views(connection, files, seconds)
        assert counted(connection) == epoch_by_epoch(epochs, seconds)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_profile_of_a_person_is_that_of_plain_python(tmp_path: Path, seed: int) -> None:
    epochs, seconds = random_epochs(seed)
    expected = {}
    for person in {epoch.person for epoch in epochs}:
        mine = [epoch for epoch in epochs if epoch.person == person]
        moments = [epoch.epoch_start for epoch in mine]
        expected[person] = (
            len(mine), min(moments), max(moments), sum(epoch.activity not in WORDS for epoch in mine),
            len(moments) - len(set(moments)), 0,
            pytest.approx(sum(epoch.confidence for epoch in mine) / len(mine) / 255, abs=0.00051),
        )  # fmt: skip
    columns = (
        "person, epochs, first_epoch, last_epoch, unknown_activities, repeated_epochs, speeds_without_walking, "
        "mean_confidence"
    )
    with database("epoch_classification") as connection:
        connection.execute('set variable "epochs.seconds" = ?', [seconds])
        create_views(connection, [EpochLake(tmp_path, "b").write("one", as_frame(epochs), seconds)], seconds)
        rows = connection.execute(f"select {columns} from ({select_of('epoch_classification')})").fetchall()
    assert {row[0]: row[1:] for row in rows} == expected


def test_an_epoch_by_the_second_counts_as_one_and_each_second_for_its_activity(tmp_path: Path) -> None:
    standing, walking = ACTIVITIES["standing"], ACTIVITIES["walking"]
    lengths = np.array([5, 1, 1, 1, 1, 1, 5], dtype=np.int32)
    start = pd.Timestamp("2018-03-01 08:00") + pd.to_timedelta(np.cumsum(lengths) - lengths, unit="s")
    frame = pd.DataFrame({"person": "P1", "epoch_start": start.astype("datetime64[ms]"), "seconds": lengths})
    frame["activity"] = np.array([walking, walking, walking, walking, standing, standing, standing], dtype=np.uint8)
    frame["speed"] = np.where(frame["activity"] == walking, 2, 0).astype(np.uint8)
    frame["confidence"] = np.array([255, *[51] * 5, 255], dtype=np.uint8)
    with database("epoch_classification", delivered_days=NO_DAYS) as connection:
        create_views(connection, [EpochLake(tmp_path, "b").write("one", frame, 5)], 5)
        profile = connection.execute(select_of("epoch_classification")).df()
        days = connection.execute(select_of("daily_exposures")).df()
    assert profile[["epochs", "repeated_epochs", "speeds_without_walking"]].to_numpy().tolist() == [[3, 0, 0]]
    assert profile["mean_confidence"].tolist() == [round((1 + 0.2 + 1) / 3, 3)]
    assert days[["walking", "walking_moderate", "standing"]].to_numpy().tolist() == [[8, 8, 7]]
