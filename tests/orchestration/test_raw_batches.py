"""Batches of raw pairs through a real refresh: bad input, killed workers, a cluster, devices worn by several people."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import threading
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from stegvis.orchestration.instance import open_instance
from stegvis.orchestration.refresh import Refresh, refresh
from stegvis.orchestration.wear import of_batch
from stegvis.storage.tasks import SCHEDULER_VARIABLE
from stegvis.twin.gait_parameters import gait_parameters
from stegvis.twin.raw import Worn, write_raw_pair
from tests.orchestration.raw_pairs import copies, empty_home, recorded_again, spoiled
from tests.orchestration.story import Story, complete
from tests.stegvis.storage.clusters import two_workers
from tests.study import PROTOCOL

pytestmark = pytest.mark.slow

PEOPLE = ["P1", "P2", "P3", "P4", "P5", "P6"]


@pytest.fixture(autouse=True)
def no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SCHEDULER_VARIABLE, raising=False)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good pair of a day."""
    folder = tmp_path_factory.mktemp("pair")
    write_raw_pair(folder, "P", 1, seed=19, protocol=PROTOCOL)
    return folder


def nothing_failed(done: Refresh) -> bool:
    """Nothing but the baseline, of which nothing was delivered."""
    return {asset for asset, _, _ in done.failed} == {"baseline_questionnaire"}


def recordings(story: Story) -> pd.DataFrame:
    return story.table("select * from recordings order by batch, person").set_index("person")


def test_each_kind_of_bad_pair_is_refused_with_its_rule_and_the_batch_goes_on(pair: Path, tmp_path: Path) -> None:
    story = empty_home(tmp_path / "home")
    back, thigh = ((pair / f"P_{half}.cwa").read_bytes() for half in ("back", "thigh"))
    folder = story.home.landing / "recordings" / "bad"
    folder.mkdir(parents=True)
    bad = spoiled(back, thigh, tmp_path)
    assert len(bad) == 8
    for person, (spoiled_back, spoiled_thigh, _, _) in {**bad, "good": (back, thigh, "", "")}.items():
        (folder / f"{person}_back.cwa").write_bytes(spoiled_back)
        (folder / f"{person}_thigh.cwa").write_bytes(spoiled_thigh)
    complete(folder)
    assert nothing_failed(story.refresh())
    found = recordings(story)
    quarantined = story.table("select file, rule, message from quarantine").set_index("file")
    for person, (_, _, rule, words) in bad.items():
        row = found.loc[person]
        assert (row["status"], row["rule"]) == ("refused", rule), person
        assert words in row["reason"], person
        file = f"bad/{person}_back.cwa + {person}_thigh.cwa"
        assert tuple(quarantined.loc[file]) == (rule, row["reason"])
    assert found.loc["good", "status"] == "accepted"
    assert {each.rule for each in of_batch(story.home, "bad")} == {rule for *_, rule, _ in bad.values()} | {""}
    assert len(found) == len(bad) + 1, "nothing is lost"
    assert story.table("select person, status from epoch_classification").to_dict("records") == [
        {"person": "good", "status": "classified"}
    ]
    assert set(story.table("select person from daily_exposures")["person"]) == {"good"}


def test_a_thigh_alone_and_a_pair_with_an_unusable_back_are_used_and_say_so(pair: Path, tmp_path: Path) -> None:
    story = empty_home(tmp_path / "home")
    folder = story.home.landing / "recordings" / "thighs"
    folder.mkdir(parents=True)
    back, thigh = ((pair / f"P_{half}.cwa").read_bytes() for half in ("back", "thigh"))
    for name, content in {
        "P1_back.cwa": back, "P1_thigh.cwa": thigh, "P2_THIGH.CWA": thigh, "P3_back.cwa": b"", "P3_thigh.cwa": thigh,
        "P4_thigh.cwa": back, "P5_back.cwa": back,
    }.items():  # fmt: skip
        (folder / name).write_bytes(content)
    complete(folder)
    assert nothing_failed(story.refresh())
    found = recordings(story)
    assert found["status"].to_dict() == {
        "P1": "accepted", "P2": "accepted", "P3": "accepted", "P4": "refused", "P5": "refused",
    }  # fmt: skip
    assert found["rule"].dropna().to_dict() == {"P4": "not_on_thigh", "P5": "half_missing"}
    assert found["problems"].to_dict() | {"P4": "", "P5": ""} == {
        "P1": "", "P2": "thigh_alone", "P3": "back_unusable, thigh_alone", "P4": "", "P5": "",
    }  # fmt: skip
    assert found.loc["P2", ["back_device_id", "synchronization"]].isna().all()
    assert json.loads(found.loc["P2", "quality"])["sensors"] == "thigh"
    days = story.table("select * from daily_exposures where wear_thigh > 80000 order by person").set_index("person")
    assert days.index.tolist() == ["P1", "P2", "P3"]
    assert days["valid"].all()
    assert days["lying"].isna().tolist() == [False, True, True]
    assert days.loc["P2", "sitting"] == pytest.approx(days.loc["P1", ["lying", "sitting"]].sum(), rel=0.03)
    assert days.loc["P2", "walking"] == pytest.approx(days.loc["P1", "walking"], rel=0.05)
    # Without lying the activities of 24 hours are not known, which only the analyses of 24 hours need.
    assert days["whole_day"].isna().tolist() == [False, True, True]
    assert (
        story.table("select walking_minutes from walking_exposures")["walking_minutes"].notna().tolist() == [True] * 3
    )


def test_a_refused_pair_leaves_the_same_persons_day_totals_in_use(pair: Path, tmp_path: Path) -> None:
    story = empty_home(tmp_path / "home")
    folder = story.home.landing / "recordings" / "both"
    folder.mkdir(parents=True)
    (folder / "P1_back.cwa").write_bytes((pair / "P_back.cwa").read_bytes())
    (folder / "P1_thigh.cwa").write_bytes(b"")
    names = ("LyTm", "SitTm", "StandTm", "Walk1Tm", "Walk2Tm", "Walk3Tm", "WalkTm", "RunTm", "CyclTm")
    seconds = (30000, 40000, 9000, 2400, 3000, 1000, 6400, 0, 1000)
    days = {f"{name}D{day}": value for day in range(1, 8) for name, value in zip(names, seconds, strict=True)}
    pd.DataFrame([{"person": "P1", **days}]).to_csv(folder / "days.csv", index=False)
    complete(folder)
    assert nothing_failed(story.refresh())
    found = story.table("select level, status from recordings order by level")
    assert list(found.itertuples(index=False, name=None)) == [("days", "accepted"), ("raw", "refused")]
    assert len(story.table("select * from daily_exposures")) == 7


def kill_the_busiest(killed: list[int], ready: Path, among: psutil.Process) -> None:
    """Kill -9 the largest process below ``among`` as soon as there is a file in ``ready``."""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        if any(ready.glob("*.parquet")):
            children = [child for child in among.children(recursive=True) if child.is_running()]
            largest = max(children, key=lambda child: child.memory_info().rss)
            os.kill(largest.pid, signal.SIGKILL)
            killed.append(largest.pid)
            return
        time.sleep(0.05)


def test_a_worker_killed_in_a_refresh_loses_no_recording(pair: Path, tmp_path: Path) -> None:
    story = empty_home(tmp_path / "home")
    copies(pair, story.home.landing / "recordings" / "many", PEOPLE)
    killed: list[int] = []
    staging = story.home.lake / "staging" / "batch=many"
    killer = threading.Thread(target=kill_the_busiest, args=(killed, staging, psutil.Process()), daemon=True)
    killer.start()
    lines: list[str] = []
    done = refresh(story.home, progress=lines.append)
    killer.join()
    assert len(killed) == 1
    assert nothing_failed(done)
    found = recordings(story)
    assert found["status"].to_list() == ["accepted"] * len(PEOPLE)
    one = found.drop(columns=["file", "shard"])
    assert all(one.loc[person].equals(one.iloc[0]) for person in PEOPLE)
    how = of_batch(story.home, "many")
    assert [(each.rule, each.notes, each.valid_days["as_published"]) for each in how] == [("", (), 1)] * len(PEOPLE)
    assert [each.hours["both"] for each in how] == pytest.approx([24] * len(PEOPLE), abs=0.1)
    # Progress stands on the terminal and in the run's log.
    (last,) = [line.strip() for line in lines if "6 of 6" in line]
    assert re.fullmatch(r"6 of 6 recordings classified, [\d,]+ epochs per second", last)
    assert any("left" in line for line in lines)
    with open_instance(story.home) as instance:
        messages = {entry.user_message for run in instance.get_runs() for entry in instance.all_logs(run.run_id)}
    assert last in messages


def test_a_refresh_uses_a_cluster_that_the_environment_names(
    pair: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import Client

    story = empty_home(tmp_path / "home")
    copies(pair, story.home.landing / "recordings" / "many", PEOPLE[:4])
    with two_workers(tmp_path) as address:
        monkeypatch.setenv(SCHEDULER_VARIABLE, address)
        assert nothing_failed(story.refresh())
        with Client(address, timeout="30s") as client:
            workers = client.scheduler_info(n_workers=-1)["workers"]
            classified = client.run(lambda: "stegvis.accelerometry.pair_classification" in __import__("sys").modules)
    assert {worker["host"] for worker in workers.values()} == {"127.0.0.2", "127.0.0.3"}
    assert list(classified.values()) == [True, True]
    assert recordings(story)["status"].to_list() == ["accepted"] * 4


def signals(folder: Path, people: list[str]) -> None:
    """A batch of signals of a minute, each of another slope."""
    folder.mkdir(parents=True)
    stamps = pd.Timestamp("2018-03-01") + pd.to_timedelta(pd.RangeIndex(3000) / 50, unit="s")
    still = {f"{place}_{axis}": -1.0 if axis == "x" else 0.0 for place in ("back", "thigh") for axis in "xyz"}
    for number, person in enumerate(people):
        frame = pd.DataFrame({"timestamp": stamps, **still, "thigh_z": number / 1000})
        frame.to_parquet(folder / f"{person}.parquet", index=False)
    complete(folder)


def test_a_new_batch_costs_only_itself(tmp_path: Path) -> None:
    story = empty_home(tmp_path / "home")
    landing, lake = story.home.landing / "recordings", story.home.lake
    signals(landing / "old", [f"P{number}" for number in range(8)])
    story.refresh()  # a minute is no plausible day, which is no matter here
    before = {file: (file.stat().st_ino, file.stat().st_mtime_ns) for file in lake.rglob("batch=old/*")}
    assert len(before) == 16, "a shard and a record of each"
    for file in (landing / "old").glob("P*.parquet"):
        times = file.stat()
        file.write_bytes(bytes(times.st_size))  # whoever reads it now fails
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    signals(landing / "new", [f"Q{number}" for number in range(3)])
    lines: list[str] = []
    done = refresh(story.home, progress=lines.append)
    classified = [line.strip() for line in lines if "recordings classified" in line]
    assert any(line.startswith("3 of 3 ") for line in classified)
    assert all(re.match(r"\d of 3 ", line) for line in classified)
    batches = {partition for asset, partition in done.materialized if asset == "epoch_classification"}
    assert batches == {"new"}
    assert {file: (file.stat().st_ino, file.stat().st_mtime_ns) for file in lake.rglob("batch=old/*")} == before
    assert recordings(story).groupby("batch")["status"].value_counts().to_dict() == {
        ("new", "accepted"): 3, ("old", "accepted"): 8,
    }  # fmt: skip


# --- devices that several people wore -------------------------------------------------------------------------------

GAIN, OFFSET = (1.02, 0.97, 1.03), (0.03, -0.04, 0.02)


@pytest.fixture(scope="module")
def shared_device(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Two people wore the same back device, one of them upside down; the first also in a batch of their own."""
    root = tmp_path_factory.mktemp("shared")
    # People whose back covers so few directions that it cannot be calibrated alone.
    alike = gait_parameters().with_mess(0)
    perfect = alike.model_copy(update={"sensors": alike.sensors.model_copy(update={"gain_sd": 0.0, "offset_sd": 0.0})})
    story = empty_home(root / "home")
    together, alone = (story.home.landing / "recordings" / name for name in ("together", "alone"))
    together.mkdir(parents=True)
    alone.mkdir(parents=True)
    for person, worn in (("A", Worn()), ("B", Worn(upside_down=True))):
        write_raw_pair(root, person, 1, seed=5, protocol=PROTOCOL, back=worn, parameters=perfect)
        recorded_again(root / f"{person}_back.cwa", together / f"{person}_back.cwa", 4711, GAIN, OFFSET)
        os.link(root / f"{person}_thigh.cwa", together / f"{person}_thigh.cwa")
    for half in ("back", "thigh"):
        os.link(together / f"A_{half}.cwa", alone / f"A_{half}.cwa")
    complete(together)
    # The same files again, beside a note: a delivery of the same contents would be passed over.
    (alone / "note.txt").write_text("one of the two again")
    complete(alone)
    story.refresh()
    return story


def test_a_device_is_calibrated_by_all_its_recordings_of_the_batch(shared_device: Story) -> None:
    rows = shared_device.table("select * from recordings where level = 'raw' order by batch, person")
    rows = rows.set_index(["batch", "person"])
    assert rows["back_calibration"].to_dict() == {
        ("alone", "A"): "sphere_not_covered",
        ("together", "A"): "pooled",
        ("together", "B"): "pooled",
    }
    error = rows["back_calibration_error_after_g"]
    assert error["together", "A"] < 0.010 < error["alone", "A"]
    assert error["together", "A"] < error["alone", "A"] / 2
    before = json.loads(rows.loc[("together", "A"), "quality"])["back_calibration_error_before_g"]
    assert error["together", "A"] < before / 2


def test_nothing_is_read_again_and_a_withdrawal_leaves_the_pool_as_a_rebuild_would(shared_device: Story) -> None:
    landing = shared_device.home.landing / "withdrawals"
    landing.mkdir()

    def withdraw(person: str) -> list[str]:
        (landing / f"{person}.csv").write_text(f"person\n{person}\n")
        digest = hashlib.sha256((landing / f"{person}.csv").read_bytes()).hexdigest()
        (landing / f"{person}.json").write_text(json.dumps({"files": {f"{person}.csv": {"sha256": digest}}}))
        lines: list[str] = []
        refresh(shared_device.home, progress=lines.append)
        return [line.strip().partition(",")[0] for line in lines if "recordings classified" in line]

    assert withdraw("somebody-else") == []
    # Without B's directions A's device is not known any more.
    assert withdraw("B") == ["1 of 1 recordings classified"]
    rows = shared_device.table("select * exclude (batch, delivery) from recordings where level = 'raw' order by batch")
    assert len(rows) == 2
    assert rows.iloc[0].equals(rows.iloc[1])
    notes = list((shared_device.home.lake / "recordings" / "batch=together").glob("*"))
    shards = list((shared_device.home.lake / "epochs" / "batch=together").glob("*"))
    assert (len(notes), len(shards)) == (1, 1), "nothing of B is left"
