"""Raw pairs through the whole path: classified, faults found and reported, nothing else blamed."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from stegvis.orchestration.refresh import refresh
from stegvis.storage.home import Home
from stegvis.storage.warehouse import Warehouse
from stegvis.twin import write_twin
from tests.study import CODEBOOK, PROTOCOL, home_with_study

pytestmark = pytest.mark.slow

# What the pipeline says of each planted fault of a raw pair: refused with a reason, or classified with a problem.
FOUND = {
    "corrupt_blocks": "damaged",
    "swapped_files": "swapped",
    "upside_down": "upside_down",
    "clock_reset": "its clock was set back",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    root = tmp_path_factory.mktemp("raw") / "home"
    home = home_with_study(root)
    write_twin(home.landing, PROTOCOL, CODEBOOK, people=400, waves=1, raw=2, faults=True, seed=3)
    refresh(home)
    return home


@pytest.fixture(scope="module")
def pairs(home: Home) -> pd.DataFrame:
    with Warehouse(home).session("test") as connection:
        return connection.execute(
            """
            select r.*, d.walking / 60 as walking_minutes, d.wear_thigh / 3600 as thigh_hours_of_the_day
            from recordings as r
            left join daily_exposures as d on d.batch = r.batch and d.person = r.person and d.day = 1
            where r.level = 'raw'
            """
        ).df()


def truth(home: Home) -> dict:
    return json.loads((home.landing / "truth.json").read_text())


def test_every_planted_fault_of_a_raw_pair_is_found(home: Home, pairs: pd.DataFrame) -> None:
    planted = {f["fault"]: f["delivery"].removeprefix("recordings/") for f in truth(home)["faults"]}
    for fault, said in FOUND.items():
        (pair,) = pairs[pairs["batch"] == planted[fault]].to_dict("records")
        assert said in f"{pair['problems']} {pair['reason']}", fault
    (off,) = pairs[pairs["batch"] == planted["off_at_night"]].to_dict("records")
    assert off["thigh_wear_hours"] == pytest.approx(20, abs=0.5)
    assert off["thigh_hours_of_the_day"] == pytest.approx(20, abs=0.5)
    assert off["back_wear_hours"] > 23


def test_good_pairs_are_blamed_for_nothing_and_their_walking_is_right(home: Home, pairs: pd.DataFrame) -> None:
    good = pairs[pairs["batch"] == "raw"]
    assert good["problems"].to_list() == ["", ""]
    assert set(good["status"]) == {"accepted"}
    expected = sorted(pair["walking_minutes"] for pair in truth(home)["raw"])
    assert sorted(good["walking_minutes"]) == pytest.approx(expected, rel=0.05)
    for column, within in (("offset_seconds", 0.1), ("drift_seconds_per_day", 0.3)):
        planted = sorted(pair[column] for pair in truth(home)["raw"])
        assert sorted(good[column]) == pytest.approx(planted, abs=within)


def test_half_a_pair_is_refused_and_the_batch_goes_on(home: Home, tmp_path: Path) -> None:
    from tests.orchestration.story import Story, complete

    whole = home.landing / "recordings" / "raw"
    folder = home.landing / "recordings" / "2017-half"
    folder.mkdir()
    backs = sorted(whole.glob("*_back.cwa"))
    for file in (backs[0], *whole.glob(f"{backs[1].name.removesuffix('_back.cwa')}_*.cwa")):
        (folder / file.name).write_bytes(file.read_bytes())
    complete(folder)
    refresh(home)
    found = Story(home).table("select status, reason from recordings where batch = '2017-half' order by status")
    assert found["status"].to_list() == ["accepted", "refused"]
    assert "the thigh's recording is missing" in found["reason"].iloc[1]
