"""Participant-level rows are exported only with a permission, without identifiers, and are registered."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pandas as pd
import pytest

from stegvis.orchestration.export import REGISTER, ExportError, export, export_epochs
from stegvis.storage.home import Home
from stegvis.storage.lake import EpochLake
from tests.orchestration.story import Story
from tests.stegvis.storage.random_epochs import Epoch, as_frame, random_epochs
from tests.study import PROTOCOL

WAVE = "2021-2023"


def test_without_a_permission_nothing_is_exported_and_the_reason_is_given(story: Story, tmp_path) -> None:
    with pytest.raises(ExportError, match="a row for each person"):
        export(story.home, WAVE, tmp_path / "out", "  ", PROTOCOL)
    assert not (tmp_path / "out").exists()
    assert not (story.home.root / REGISTER).exists()


def test_an_export_holds_the_analyzed_without_their_identifiers(story: Story, tmp_path) -> None:
    rows = export(story.home, WAVE, tmp_path / "out", "REC 1", PROTOCOL)
    people = pd.read_csv(tmp_path / "out" / "analysis_set.csv")
    eligible = pd.read_csv(tmp_path / "out" / "eligible_people.csv")
    known = story.table("select * from analysis_set order by person")
    assert rows["analysis_set"] == len(people) == len(known)
    assert people["low_back_pain"].sum() == known["low_back_pain"].sum()
    text = "".join(file.read_text() for file in (tmp_path / "out").iterdir())
    assert not any(person in text for person in known["person"])
    # A participant has the same number in every file.
    both = people.merge(eligible, on="person", suffixes=("", "_eligible"))
    assert len(both) == len(people)
    assert both["age"].equals(both["age_eligible"])


def test_the_tables_across_waves_hold_every_response_without_identifiers(story: Story, tmp_path) -> None:
    rows = export(story.home, "all", tmp_path / "out", "REC 1", PROTOCOL)
    known = story.table("select * from analysis_set order by wave, person")
    answers, histories = (pd.read_csv(tmp_path / "out" / f"{name}.csv") for name in ("answers", "histories"))
    assert rows == {"answers": len(known), "histories": len(histories)}
    assert answers.groupby("wave").size().to_dict() == known.groupby("wave").size().to_dict()
    assert len(histories) > len(answers)
    # What the commands of both adjust for.
    assert set(PROTOCOL.models.adjusted) <= set(histories) & set(answers)
    # Who was analyzed has the same number, and the same categories, in both.
    both = answers.merge(histories, on=["wave", "person"], suffixes=("", "_history"))
    assert len(both) == len(answers)
    assert both["walking_met_category"].equals(both["walking_met_category_history"])
    text = "".join(file.read_text() for file in (tmp_path / "out").iterdir())
    assert not any(person in text for person in known["person"])


def test_each_export_is_registered_in_a_hash_chain(story: Story, tmp_path) -> None:
    export(story.home, WAVE, tmp_path / "one", "REC 1", PROTOCOL)
    export(story.home, WAVE, tmp_path / "two", "REC 2", PROTOCOL)
    first, second = (story.home.root / REGISTER).read_text().splitlines()
    assert json.loads(first)["permission"] == "REC 1"
    assert json.loads(second)["before"] == hashlib.sha256(first.encode()).hexdigest()


def test_an_unknown_wave_and_a_full_folder_are_refused(story: Story, tmp_path) -> None:
    with pytest.raises(ExportError, match="no analyzed wave 1999"):
        export(story.home, "1999", tmp_path / "out", "REC 1", PROTOCOL)
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="not an empty folder"):
        export(story.home, WAVE, tmp_path, "REC 1", PROTOCOL)


def of_four_people_without_repeated_epochs(drawn: tuple[list[Epoch], int]) -> bool:
    epochs, seconds = drawn
    moments = {(epoch.person, epoch.epoch_start) for epoch in epochs}
    people = {epoch.person for epoch in epochs}
    return seconds == PROTOCOL.epochs.seconds and len(people) == 4 and len(moments) == len(epochs)


def test_a_batch_of_epochs_is_exported_as_rows_without_identifiers(tmp_path) -> None:
    epochs, seconds = next(filter(of_four_people_without_repeated_epochs, map(random_epochs, range(999))))
    home, frame = Home(tmp_path / "home", tmp_path / "landing").create(), as_frame(epochs)
    lake = EpochLake(home.lake, "b")
    people = sorted(set(frame["person"]))
    for number, who in enumerate((people[:2], people[2:])):
        lake.write(f"shard-{number}", frame[frame["person"].isin(who)], seconds)
    lake.publish(["shard-0", "shard-1"])
    with pytest.raises(ExportError, match="--batch b"):
        export_epochs(home, "b", tmp_path / "out", " ", PROTOCOL)
    with pytest.raises(ExportError, match="no epochs of a batch c"):
        export_epochs(home, "c", tmp_path / "out", "REC 1", PROTOCOL)
    assert export_epochs(home, "b", tmp_path / "out", "REC 1", PROTOCOL) == {"epochs": len(frame)}
    rows = pd.read_parquet(tmp_path / "out" / "epochs.parquet")
    assert rows["person"].is_monotonic_increasing
    assert set(rows["person"]) == {1, 2, 3, 4}
    # Each number is one participant: the same moments with the same confidence.
    facts = ["epoch_start", "confidence"]
    before = {tuple(mine[facts].itertuples(index=False, name=None)) for _, mine in frame.groupby("person")}
    after = {tuple(mine[facts].itertuples(index=False, name=None)) for _, mine in rows.groupby("person")}
    assert after == before
    (entry,) = map(json.loads, (home.root / REGISTER).read_text().splitlines())
    content = (tmp_path / "out" / "epochs.parquet").read_bytes()
    assert (entry["batch"], entry["rows"]) == ("b", {"epochs": len(frame)})
    assert entry["sha256"] == {"epochs.parquet": hashlib.sha256(content).hexdigest()}


def test_an_epoch_by_the_second_is_exported_as_one_in_its_place(tmp_path) -> None:
    home = Home(tmp_path / "home", tmp_path / "landing").create()
    lengths = np.array([5, 1, 1, 1, 1, 1, 5] * 2, dtype=np.int32)
    start = pd.Timestamp("2018-03-01 08:00") + pd.to_timedelta((np.cumsum(lengths) - lengths) % 15, unit="s")
    activity = np.array([4, 4, 4, 4, 3, 3, 3] * 2, dtype=np.uint8)
    frame = pd.DataFrame({"person": ["P1"] * 7 + ["P2"] * 7, "epoch_start": start.astype("datetime64[ms]")})
    frame = frame.assign(seconds=lengths, activity=activity, speed=np.where(activity == 4, 2, 0), confidence=250)
    lake = EpochLake(home.lake, "b")
    lake.write("shard", frame, 5)
    lake.publish(["shard"])
    assert export_epochs(home, "b", tmp_path / "out", "REC 1", PROTOCOL) == {"epochs": 6}
    rows = pd.read_parquet(tmp_path / "out" / "epochs.parquet")
    assert rows["person"].tolist() == [1, 1, 1, 2, 2, 2]
    assert rows["epoch_start"].dt.second.tolist() == [0, 5, 10] * 2
    assert rows["activity"].tolist() == ["walking", "walking", "standing"] * 2
