"""One thigh sensor on the twin's day: alone, slow, on the side, as the rest of a pair, and files that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import stegvis.sql
from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.cwa import read_cwa
from stegvis.accelerometry.pair_classification import PairResult
from stegvis.accelerometry.pair_problems import PairError
from stegvis.accelerometry.thigh_classification import SLOW_SENSOR, THIGH_ALONE, classify_recording, classify_thigh
from stegvis.orchestration.classify import days_of, in_words
from stegvis.storage.day_sums import day_table
from stegvis.twin.cwa import Device, write_cwa
from tests.stegvis.accelerometry.raw_pairs import WALKING
from tests.stegvis.accelerometry.settings import METHOD, PROTOCOL

DAILY_EXPOSURES = Path(stegvis.sql.__file__).with_name("daily_exposures.sql").read_text(encoding="utf-8")
RECLINING = (ActivityCode.LYING, ActivityCode.SITTING)
TURN = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=np.float32)


def rewritten(file: Path, into: Path, every: int = 1, turn: np.ndarray | None = None, later: int = 0) -> Path:
    """The recording of a device that kept the mean of so many samples, turned about the thigh, begun hours later."""
    recording = read_cwa(file)
    samples, rate = recording.acceleration(), recording.header.rate_hz
    kept = len(samples) // every
    samples = samples[: kept * every].reshape(kept, every, 3).mean(axis=1)
    if turn is not None:
        samples = samples @ turn
    true = recording.segments[0].rate_hz / every
    start = recording.segments[0].start + np.timedelta64(later, "h")
    write_cwa(into, samples, start, Device(5, 1, true, nominal_rate_hz=rate / every), 33.0)
    return into


def still(into: Path) -> Path:
    """A day of a sensor in a drawer."""
    samples = np.random.default_rng(1).normal((0, 0, 1), 0.003, (24 * 3600 * 50 + 3000, 3))
    write_cwa(into, samples, np.datetime64("2018-05-02T00:00:00"), Device(7, 1, 50.0), 21.0)
    return into


def agrees(result: PairResult, truth) -> None:
    """Walking minutes and activities, sitting and lying together, are right, and lying is where it is reported."""
    # The thigh's clock, of which the truth knows the back's.
    own = result.epochs["epoch_start"].to_numpy() - np.timedelta64(round(1000 * truth.offset_seconds), "ms")
    true, found = truth.activity_of(own, METHOD.epochs.seconds), result.epochs["activity"].to_numpy()
    merged = [np.where(np.isin(each, RECLINING), ActivityCode.SITTING, each) for each in (true, found)]
    assert (merged[0] == merged[1]).mean() > 0.95
    minutes = [(each == WALKING).sum() / 12 for each in (true, found)]
    assert minutes[1] == pytest.approx(minutes[0], rel=0.05)
    lying = found == ActivityCode.LYING
    assert lying.any()
    assert (true[lying] == ActivityCode.LYING).mean() > 0.99


@pytest.fixture(scope="module")
def alone(day) -> PairResult:
    return classify_thigh(day[0] / "P_thigh.cwa", METHOD)


def test_a_thigh_alone_is_classified_and_says_so(day, alone):
    agrees(alone, day[1])
    assert alone.problems == (THIGH_ALONE,)
    assert "wear_back" not in alone.epochs
    assert alone.epochs["wear_thigh"].all()
    assert alone.quality["thigh_mounted"] == "front"
    assert alone.quality["thigh_worn_as"] == "as_prescribed"
    assert {type(value) for value in alone.quality.values()} <= {float, int, str, bool}
    assert not any(name.startswith("back") for name in alone.quality)
    assert set(alone.still_directions) == {day[1].thigh.device_id}


def test_its_days_are_valid_and_do_not_know_lying(alone):
    days = day_table(alone.epochs, PROTOCOL, DAILY_EXPOSURES)
    assert days["lying"].isna().all()
    assert days["wear_back"].isna().all()
    seated = alone.epochs["activity"].isin(RECLINING)
    assert days["sitting"].sum() == 5 * seated.sum()
    whole = days.iloc[days["wear_thigh"].argmax()]
    assert whole["valid"]
    assert whole["as_published"]
    certain = days_of(alone, PROTOCOL)["certain_lying"]
    assert certain.sum() == 5 * (alone.epochs["activity"] == ActivityCode.LYING).sum() > 0
    assert {"sitting", "lying"} <= set(in_words(alone.epochs, None)["activity"])


@pytest.mark.slow
@pytest.mark.parametrize(("every", "rate"), [(4, 12.5), (2, 25.0)])
def test_slow_sensors_give_the_same_walking_and_speed(day, alone, tmp_path, every, rate):
    folder, truth, _ = day
    found = classify_thigh(rewritten(folder / "P_thigh.cwa", tmp_path / "slow.cwa", every), METHOD)
    assert found.quality["thigh_rate_hz"] == pytest.approx(rate, rel=0.02)
    assert (SLOW_SENSOR in found.problems) == (rate == 12.5)
    speeds = [each.epochs["speed_km_per_hour"] for each in (found, alone)]
    assert (speeds[0] / speeds[1]).median() == pytest.approx(1, abs=0.05)
    both = speeds[0].notna() & speeds[1].notna()
    assert (found.epochs["speed"] == alone.epochs["speed"])[both].mean() > 0.85
    assert ((found.epochs["speed"] > 0) == (found.epochs["activity"] == WALKING)).all()
    agrees(found, truth)


@pytest.mark.parametrize("turn", [TURN, pytest.param(TURN.T, marks=pytest.mark.slow)])
def test_a_sensor_on_the_side_is_found_and_gives_the_same_epochs(day, alone, tmp_path, turn):
    found = classify_thigh(rewritten(day[0] / "P_thigh.cwa", tmp_path / "side.cwa", turn=turn), METHOD)
    assert found.quality["thigh_mounted"] == "side"
    assert [problem.rule for problem in found.problems if problem != THIGH_ALONE] == ["on_the_side"]
    assert (found.epochs["activity"] == alone.epochs["activity"]).mean() > 0.995


def refused(files: list[Path]) -> tuple[str, str]:
    with pytest.raises(PairError) as caught:
        classify_recording(files, METHOD)
    return caught.value.rule, str(caught.value)


def test_files_that_are_no_recording_of_a_thigh(day, tmp_path):
    folder = day[0]
    (tmp_path / "text.cwa").write_text("nothing")
    slowest = rewritten(folder / "P_thigh.cwa", tmp_path / "slowest.cwa", 8)
    for file, rule, words in (
        (folder / "P_back.cwa", "not_on_thigh", "like one of the back"),
        (still(tmp_path / "drawer.cwa"), "not_worn", "as in a drawer"),
        (tmp_path / "text.cwa", "unreadable", "the thigh recording cannot be read: not a CWA file"),
        (tmp_path / "absent.cwa", "unreadable", "the thigh recording cannot be read"),
        (slowest, "too_slow", "the thigh sensor was set to 6.25 samples per second"),
    ):
        found, message = refused([file])
        assert (found, words in message) == (rule, True), message
        assert file.name not in message


@pytest.mark.slow
def test_a_pair_whose_back_is_unusable_is_classified_by_its_thigh(day, alone, tmp_path):
    thigh = day[0] / "P_thigh.cwa"
    (tmp_path / "empty.cwa").touch()
    for back, why in (
        (tmp_path / "empty.cwa", "the file is empty"),
        (still(tmp_path / "drawer.cwa"), "the back sensor was not worn"),
        (rewritten(day[0] / "P_back.cwa", tmp_path / "slow.cwa", 4), "set to 12.5 samples per second"),
    ):
        found = classify_recording([back, thigh], METHOD)
        assert [problem.rule for problem in found.problems] == ["back_unusable", "thigh_alone"]
        assert why in found.problems[0].message
        assert found.epochs.equals(alone.epochs)
        assert found.quality == alone.quality


def test_a_pair_is_not_classified_by_its_thigh_if_that_is_unusable_or_whose_it_is_uncertain(day, tmp_path):
    back, thigh = (day[0] / f"P_{half}.cwa" for half in ("back", "thigh"))
    (tmp_path / "empty.cwa").touch()
    assert refused([back, tmp_path / "empty.cwa"])[0] == "unreadable"
    assert refused([thigh, thigh])[0] == "same_recording"
    # Each has a day, but they have half of it in common.
    assert refused([rewritten(back, tmp_path / "noon.cwa", later=12), thigh])[0] == "short_overlap"
    # Neither can be used, and what was on the back is no thigh: the reason is that of the pair.
    assert "the back recording cannot be read" in refused([tmp_path / "empty.cwa", back])[1]
