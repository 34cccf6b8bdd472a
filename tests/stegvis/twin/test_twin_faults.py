"""Planted faults: beside the good deliveries, where ``truth.json`` says, without naming a person."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stegvis.accelerometry.cwa import CwaRecording, read_cwa
from stegvis.deliveries.contract import apply_contract, contract_days
from stegvis.twin import TooFewPeopleError, write_twin
from stegvis.twin.faults import CORRUPT_SINGLES, CORRUPT_STRETCH, OFF_AT_NIGHT, RAW_FAULTS, RESET_CLOCK
from tests.study import CODEBOOK, PROTOCOL

PEOPLE, SEED = 300, 5
ASKED_FOR = {
    "wrong_column", "wrong_type", "unknown_code", "duplicate_person", "duplicated_people", "day_over_24_hours",
    "activity_over_24_hours", "truncated_parquet", "no_drop_json", "hash_does_not_match", "empty_wave",
    "people_not_in_the_cohort", "impossible_age", "impossible_depression_score", "low_back_box_against_screen",
}  # fmt: skip


def files_of(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != "truth.json"
    }


def truth_of(folder: Path) -> dict:
    return json.loads((folder / "truth.json").read_text())


@pytest.fixture(scope="module")
def twin(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("faults") / "landing"
    write_twin(out, PROTOCOL, CODEBOOK, people=PEOPLE, waves=2, seed=SEED, faults=True)
    return out


def test_the_truth_lists_each_fault_and_no_person(twin):
    text = (twin / "truth.json").read_text()
    faults = json.loads(text)["faults"]
    assert {fault["fault"] for fault in faults} == ASKED_FOR
    for fault in faults:
        assert set(fault) == {"fault", "delivery", "file", "row", "rule"}
        assert (twin / fault["delivery"]).is_dir()
        assert (twin / fault["delivery"] / fault["file"]).exists() == (fault["fault"] != "no_drop_json")
    people = pd.read_csv(next((twin / "baseline").glob("*/participants.csv")))["person"]
    assert not any(person in text for person in people)


def test_the_good_deliveries_are_those_of_the_twin_without_faults(twin, tmp_path):
    write_twin(tmp_path / "good", PROTOCOL, CODEBOOK, people=PEOPLE, waves=2, seed=SEED)
    assert truth_of(tmp_path / "good")["faults"] == []
    faulty = {fault["delivery"] for fault in truth_of(twin)["faults"]}
    left = {name: digest for name, digest in files_of(twin).items() if name.rsplit("/", 1)[0] not in faulty}
    assert left == files_of(tmp_path / "good")


def test_the_same_seed_plants_the_same_bytes(twin, tmp_path):
    write_twin(tmp_path / "again", PROTOCOL, CODEBOOK, people=PEOPLE, waves=2, seed=SEED, faults=True)
    assert files_of(tmp_path / "again") == files_of(twin)


@pytest.mark.parametrize(
    ("kind", "layout"), [("baseline", "participants"), ("followup", "questionnaire"), ("recordings", "days")]
)
def test_the_contract_finds_the_rows_and_no_others(twin, kind, layout):
    faults = [f for f in truth_of(twin)["faults"] if f["row"] and f["delivery"].startswith(kind)]
    (delivery,) = {f["delivery"] for f in faults}
    raw = pd.read_csv(twin / delivery / f"{layout}.csv", dtype=str)
    rules = (PROTOCOL.days,) if layout == "days" else ()
    contract = contract_days if layout == "days" else apply_contract
    found = contract(raw, CODEBOOK[layout], f"{layout}.csv", *rules).problems
    expected = [(f["row"], f["rule"]) for f in faults if f["rule"] != "box_against_screen"]
    assert sorted(zip(found["row"], found["rule"], strict=True)) == sorted(expected)


def test_the_box_that_contradicts_the_screen_is_of_someone_without_a_recording(twin):
    (fault,) = [f for f in truth_of(twin)["faults"] if f["rule"] == "box_against_screen"]
    row = pd.read_csv(twin / fault["delivery"] / fault["file"]).iloc[fault["row"] - 2]
    assert (row["MSPaLY_NT4BLQ2"], row["MSPaLum_NT4BLQ2"]) == (0, 1)
    days = (pd.read_csv(file)["person"] for file in (twin / "recordings").glob("*/days.csv"))
    assert row["person"] not in set(pd.concat(days))


def test_too_small_a_twin_is_refused(tmp_path):
    with pytest.raises(TooFewPeopleError, match="too few people"):
        write_twin(tmp_path / "few", PROTOCOL, CODEBOOK, people=12, waves=1, faults=True)
    with pytest.raises(ValueError, match="waves"):
        write_twin(tmp_path / "none", PROTOCOL, CODEBOOK, people=PEOPLE, waves=0, faults=True)


# --- raw pairs: what each file shows by itself ---


@pytest.fixture(scope="module")
def raw_twin(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("raw faults") / "landing"
    write_twin(out, PROTOCOL, CODEBOOK, people=PEOPLE, waves=1, seed=SEED, raw=1, faults=True)
    return out


@pytest.fixture(scope="module")
def pairs(raw_twin) -> dict[str, tuple[CwaRecording, CwaRecording]]:
    """Back and thigh file by fault, and of the good pair."""
    batches = {f["fault"]: f["delivery"] for f in truth_of(raw_twin)["faults"] if f["fault"] in RAW_FAULTS}
    folders = {fault: raw_twin / delivery for fault, delivery in batches.items()} | {
        "good": raw_twin / "recordings" / "raw"
    }
    return {
        fault: (read_cwa(next(folder.glob("*_back.cwa"))), read_cwa(next(folder.glob("*_thigh.cwa"))))
        for fault, folder in folders.items()
    }


def midnight(recording: CwaRecording) -> np.datetime64:
    """Of the day recorded; a sensor's first sample may be a moment earlier."""
    return recording.times[len(recording.times) // 2].astype("datetime64[D]")


def upright(recording: CwaRecording) -> float:
    """Mean of the long axis over the daytime, g: near -1 for a sensor worn as prescribed on someone upright."""
    hour = (recording.times - midnight(recording)) / np.timedelta64(1, "h")
    return float(recording.acceleration()[(hour > 9) & (hour < 20), 0].mean())


@pytest.mark.slow
def test_each_raw_fault_has_a_pair_of_its_own_named_without_its_person(raw_twin):
    planted = [f for f in truth_of(raw_twin)["faults"] if f["fault"] in RAW_FAULTS]
    assert [(f["fault"], f["file"], f["rule"]) for f in planted] == [(n, *r[:2]) for n, r in RAW_FAULTS.items()]
    good_days = (pd.read_csv(f)["person"] for f in (raw_twin / "recordings").glob("*/days.csv"))
    people = [{f.name.split("_")[0] for f in (raw_twin / p["delivery"]).glob(p["file"])} for p in planted]
    assert all(len(who) == 1 for who in people)
    assert len(set().union(*people)) == len(RAW_FAULTS)
    assert not any(person in (raw_twin / "truth.json").read_text() for person in set().union(*people))
    assert sum(map(len, good_days)) > 0


@pytest.mark.slow
def test_the_good_pair_is_intact_and_listed_by_number(raw_twin, pairs):
    (truth,) = truth_of(raw_twin)["raw"]
    assert truth["pair"] == 1
    minutes = sum(value for name, value in truth.items() if name.endswith("_minutes"))
    assert minutes == pytest.approx(24 * 60)
    back, thigh = pairs["good"]
    assert back.masked_blocks == thigh.masked_blocks == {}
    assert not back.clock_goes_back
    assert not thigh.clock_goes_back
    assert upright(back) < -0.5


@pytest.mark.slow
def test_corrupt_blocks_are_masked_one_by_one(pairs):
    back, thigh = pairs["corrupt_blocks"]
    assert back.masked_blocks == {"checksum": CORRUPT_STRETCH + CORRUPT_SINGLES}
    assert thigh.masked_blocks == {}


@pytest.mark.slow
def test_swapped_files_name_each_others_body_location(pairs):
    places = {
        fault: tuple(file.header.annotations["_p"] for file in pair)
        for fault, pair in pairs.items()
        if fault in ("good", "swapped_files")
    }
    assert places == {"good": ("lower back", "right thigh"), "swapped_files": ("right thigh", "lower back")}


@pytest.mark.slow
def test_an_upside_down_sensor_measures_gravity_with_the_opposite_sign(pairs):
    assert upright(pairs["upside_down"][0]) > 0.5
    assert all(upright(back) < -0.5 for fault, (back, _) in pairs.items() if fault == "corrupt_blocks")


@pytest.mark.slow
def test_a_sensor_taken_off_at_night_is_stationary_and_cools(pairs):
    def shown(recording: CwaRecording) -> tuple[float, float]:
        second = (recording.times - midnight(recording)) / np.timedelta64(1, "s")
        # An hour in, both stillness and room temperature have come; clocks may be seconds apart.
        off = (second > OFF_AT_NIGHT[0] + 3600) & (second < OFF_AT_NIGHT[1] - 60)
        blocks = recording.blocks
        begins = (blocks["start"].to_numpy() - midnight(recording)) / np.timedelta64(1, "s")
        cool = blocks["temperature_c"][(begins > OFF_AT_NIGHT[0] + 3600) & (begins < OFF_AT_NIGHT[1])].mean()
        return float(recording.acceleration()[off].std(axis=0).max()), float(cool)

    (back_moves, back_warm), (thigh_moves, thigh_warm) = map(shown, pairs["off_at_night"])
    assert thigh_moves < 0.02 < back_moves
    assert thigh_warm < back_warm - 5


@pytest.mark.slow
def test_a_clock_reset_goes_back_and_no_sample_is_missing(pairs):
    back, thigh = pairs["clock_reset"]
    assert thigh.clock_goes_back
    assert not back.clock_goes_back
    assert thigh.masked_blocks == {}
    assert len(thigh.segments) == 2
    assert abs(thigh.segments[1].start - RESET_CLOCK) < np.timedelta64(10, "s")
