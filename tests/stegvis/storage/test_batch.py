"""The recordings of a batch: each classified once, devices calibrated by all of their recordings."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stegvis.storage import batch as batch_module
from stegvis.storage.batch import Outcome, RecordingBatch, Source, _duration
from stegvis.storage.lake import EpochLake
from stegvis.storage.landing import LandedFile
from stegvis.storage.recording_records import RecordingRecords
from stegvis.storage.tasks import SCHEDULER_VARIABLE
from stegvis.twin.cwa import Device, write_cwa
from tests.study import CODEBOOK, PROTOCOL

SIGNAL = CODEBOOK["signal"]


@pytest.fixture(autouse=True)
def no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SCHEDULER_VARIABLE, raising=False)


class Batch:
    """A batch in a folder; what it reported, and what its names were made from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.named: dict[str, tuple[str, dict[str, str]]] = {}
        self.records = RecordingRecords(folder / "lake", "north")
        self.lake = EpochLake(folder / "lake", "north")

    def name(self, kind: str, parts: Mapping[str, str]) -> str:
        name = hashlib.sha256(repr((kind, sorted(parts.items()))).encode()).hexdigest()[:16]
        self.named[name] = (kind, dict(parts))
        return name

    def classify(self, *sources: Source) -> list[Outcome]:
        self.said.clear()
        recordings = RecordingBatch(self.lake, self.records, self.name, self.said.append, PROTOCOL, SIGNAL)
        found = recordings.classify(sources)
        assert {outcome.shard for outcome in found} <= recordings.used_records <= self.named.keys()
        return found


def landed(file: Path) -> LandedFile:
    return LandedFile(file.name, file, file.stat().st_size, hashlib.sha256(file.read_bytes()).hexdigest())


def signal(file: Path, **cells: object) -> Source:
    """A minute of stationary sensors, as the signal of the person that the file is named after."""
    stamps = pd.Timestamp("2018-03-01") + pd.to_timedelta(np.arange(3000) / 50, unit="s")
    axes = {f"{place}_{axis}": -1.0 if axis == "x" else 0.0 for place in ("back", "thigh") for axis in "xyz"}
    pd.DataFrame({"timestamp": stamps, **axes, **cells}).to_csv(file, index=False)
    return Source(file.stem, "signal", (landed(file),))


def test_a_recording_is_classified_once(tmp_path: Path) -> None:
    batch = Batch(tmp_path)
    good, far = signal(tmp_path / "good.csv"), signal(tmp_path / "far.csv", back_y=99.0)
    first = batch.classify(good, far)
    assert [outcome.record["rule"] for outcome in first] == [None, "out_of_range"]
    assert [batch.named[outcome.shard][1]["person"] for outcome in first] == ["good", "far"]
    assert re.fullmatch(r"2 of 2 recordings classified, [\d,]+ epochs per second", batch.said[-1])
    assert batch.lake.shard(first[0].shard) is not None
    for source in (good, far):
        source.files[0].path.unlink()
    assert batch.classify(far, good) == first[::-1], "without the files"
    assert batch.said == []


def test_a_recording_without_its_shard_is_classified_again(tmp_path: Path) -> None:
    batch = Batch(tmp_path)
    good = signal(tmp_path / "good.csv")
    (first,) = batch.classify(good)
    shard = batch.lake.shard(first.shard)
    assert shard is not None
    shard.unlink()
    assert batch.classify(good) == [first]
    assert batch.lake.shard(first.shard) is not None


def test_a_recording_gets_a_pseudonym_without_being_classified_again(tmp_path: Path) -> None:
    batch = Batch(tmp_path)
    known = [signal(tmp_path / "good.csv"), signal(tmp_path / "far.csv", back_y=99.0)]
    before = batch.classify(*known)
    named = [replace(source, person=f"p{source.person}", delivered_as=source.person) for source in known]
    taken_over = batch.classify(*named)
    assert batch.said == [], "nothing was classified"
    assert [outcome.record for outcome in taken_over] == [outcome.record for outcome in before]
    shard = batch.lake.shard(taken_over[0].shard)
    fresh = Batch(tmp_path / "fresh")
    (anew,) = fresh.classify(named[0])
    assert shard is not None
    assert shard.read_bytes() == fresh.lake.shard(anew.shard).read_bytes()
    # Others are classified as ever.
    (new,) = batch.classify(replace(signal(tmp_path / "new.csv"), person="pnew", delivered_as="new"))
    assert new.record["rule"] is None
    assert batch.said != []


def test_a_recording_whose_task_failed_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = Batch(tmp_path)
    good = signal(tmp_path / "good.csv")

    def fails(_task: object) -> dict[str, Any]:
        raise RuntimeError("a value of a person")

    with monkeypatch.context() as patched:
        patched.setattr(batch_module, "classify_recording", fails)
        (lost,) = batch.classify(good)
    assert (lost.record["rule"], lost.record["reason"]) == ("lost", "unexpected RuntimeError")
    assert batch.records.read(lost.shard) is None
    (found,) = batch.classify(good)
    assert (found.shard, found.record["rule"]) == (lost.shard, None)


# ---- devices that several people wore ----

GAIN, OFFSET = np.array([1.02, 0.97, 1.03]), np.array([0.03, -0.04, 0.02])
SECONDS = 24


def recorded(file: Path, device: int, directions: np.ndarray) -> LandedFile:
    """A device of that gain and offset, stationary for a while in each direction (k, 3)."""
    noise = np.random.default_rng(1).normal(0, 0.002, (len(directions) * SECONDS * 50, 3))
    samples = np.repeat(directions, SECONDS * 50, axis=0) * GAIN + OFFSET + noise
    write_cwa(file, samples, np.datetime64("2018-05-02"), Device(device, 1, 50.0))
    return landed(file)


def pair(folder: Path, person: str, device: int, directions: np.ndarray) -> Source:
    """A person's raw pair; too short to be classified, which is not what is tested here."""
    back = recorded(folder / f"{person}_back.cwa", device, directions)
    thigh = folder / f"{person}_thigh.cwa"
    thigh.write_bytes(f"damaged, {person}".encode())
    return Source(person, "raw", (back, landed(thigh)))


def test_a_device_is_calibrated_by_all_its_recordings_of_the_batch(tmp_path: Path) -> None:
    directions = np.random.default_rng(2).normal(size=(160, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    up = directions[:, 0] > 0
    one, other = pair(tmp_path, "A", 4711, directions[up]), pair(tmp_path, "B", 4711, directions[~up])
    alone = pair(tmp_path, "C", 4712, directions[up])
    batch = Batch(tmp_path)
    together = batch.classify(one, other, alone)
    assert {outcome.record["rule"] for outcome in together} == {"unreadable"}
    parts = [batch.named[outcome.shard][1] for outcome in together]
    assert parts[0]["device 4711"] == parts[1]["device 4711"], "one calibration for both"
    assert not any(part.startswith("device") for part in parts[2])
    offset_and_gain = np.array([float(text) for text in re.findall(r"-?[\d.e-]+", parts[0]["device 4711"])])
    assert offset_and_gain[:3] == pytest.approx(-OFFSET / GAIN, abs=0.01)
    assert offset_and_gain[3:] == pytest.approx(1 / GAIN, abs=0.01)
    # The directions are stored: reading them again would take most of the time.
    still = {name for name, (kind, _) in batch.named.items() if kind == "still"}
    assert len(still) == 2
    assert all(batch.records.read(name)["device"] == 4711 for name in still)
    assert batch.classify(one, other, alone) == together
    assert batch.said == []
    # Without the other's directions the device's calibration is unknown, so this is another record.
    (without,) = batch.classify(one)
    assert without.shard != together[0].shard
    assert not any(part.startswith("device") for part in batch.named[without.shard][1])


@pytest.mark.parametrize(("seconds", "text"), [(5, "5 s"), (89.6, "90 s"), (600, "10 min"), (9000, "2.5 h")])
def test_the_time_that_is_left_is_readable(seconds: float, text: str) -> None:
    assert _duration(seconds) == text
