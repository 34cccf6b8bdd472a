"""Pairs that cannot be classified: each is refused with its rule, in a sentence without names."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from stegvis.accelerometry.cwa import CwaRecording, read_cwa
from stegvis.accelerometry.cwa_format import HEADER_BYTES
from stegvis.accelerometry.pair_checks import check_devices
from stegvis.accelerometry.pair_classification import classify_pair
from stegvis.accelerometry.pair_problems import PairError
from stegvis.twin.cwa import Device, write_cwa
from stegvis.twin.raw import write_raw_pair
from tests.stegvis.accelerometry.settings import METHOD, PROTOCOL


@pytest.fixture
def pair(day, tmp_path) -> tuple[Path, Path]:
    """A copy of the day's files, to be damaged."""
    for name in ("P_back.cwa", "P_thigh.cwa"):
        shutil.copy(day[0] / name, tmp_path / name)
    return tmp_path / "P_back.cwa", tmp_path / "P_thigh.cwa"


def refusal(back: Path, thigh: Path) -> tuple[str, str]:
    with pytest.raises(PairError) as error:
        classify_pair(back, thigh, METHOD)
    assert "P_" not in str(error.value)
    return error.value.rule, str(error.value)


def test_files_that_cannot_be_read(pair):
    back, thigh = pair
    content = thigh.read_bytes()
    for damaged, why in (
        (b"", "thigh recording cannot be read: the file is empty"),
        (content[:500], "thigh recording cannot be read: the file is cut off within its header"),
        (content[:HEADER_BYTES], "thigh recording cannot be read: the file has a header and no data"),
        (b"not a recording" * 1000, "thigh recording cannot be read: not a CWA file"),
        (content[:HEADER_BYTES] + np.random.default_rng(1).bytes(1 << 20), "no sector of the file is intact"),
        (content[:36] + b"\x43" + content[37:], "sampling rate is none that a device has"),
    ):
        thigh.write_bytes(damaged)
        rule, message = refusal(back, thigh)
        assert rule == "unreadable"
        assert why in message
    assert refusal(back, thigh.with_name("missing.cwa"))[0] == "unreadable"


def test_a_sampling_rate_too_low_for_walking(pair):
    back, thigh = pair
    still = np.tile(np.array([-1, 0, 0], dtype=np.float32), (20_000, 1))
    write_cwa(thigh, still, np.datetime64("2018-05-02T00:00:00"), Device(7, 1, 12.5, nominal_rate_hz=12.5))
    assert refusal(back, thigh) == ("too_slow", "the thigh sensor was set to 12.5 samples per second")


def test_a_file_cut_off_early_has_too_little_in_common(pair):
    back, thigh = pair
    content = thigh.read_bytes()
    thigh.write_bytes(content[: len(content) // 2])
    rule, message = refusal(back, thigh)
    assert rule == "short_overlap"
    assert "12.0 hours" in message


def test_the_same_recording_twice(pair):
    back, thigh = pair
    assert refusal(back, back)[0] == "same_recording"
    renamed = bytearray(back.read_bytes())
    renamed[5:7] = b"\x01\x02"  # another serial number, the same samples
    thigh.write_bytes(renamed)
    assert refusal(back, thigh)[0] == "same_recording"


def with_serial_number(file: Path, low: bytes, high: bytes) -> CwaRecording:
    content = bytearray(file.read_bytes())
    content[5:7], content[11:13] = low, high
    file.write_bytes(content)
    return read_cwa(file)


def test_two_devices_whose_serial_numbers_were_wiped_are_not_one(pair):
    back, thigh = pair
    for wiped in (b"\x00\x00", b"\xff\xff"):
        check_devices(*(with_serial_number(file, wiped, b"\xff\xff") for file in (back, thigh)))
    with pytest.raises(PairError, match="same device"):
        check_devices(*(with_serial_number(file, b"\x07\x00", b"\xff\xff") for file in (back, thigh)))


def rewritten(file: Path, into: Path, device_id: int, start: np.datetime64 | None = None, **annotations: str) -> None:
    """The same recording by another device: different noise, clock and annotations."""
    recording = read_cwa(file)
    samples = recording.acceleration() + np.random.default_rng(device_id).normal(0, 0.01, recording.samples.shape)
    device = Device(device_id, 1, recording.segments[0].rate_hz, annotations=annotations)
    write_cwa(into, samples, recording.segments[0].start if start is None else start, device)


def test_two_files_of_the_thigh(pair):
    back, thigh = pair
    for words in ({"_p": "left thigh"}, {}):
        rewritten(thigh, back, 99, **words)
        assert refusal(back, thigh) == (
            "same_place",
            "both sensors were on the same part of the body: their postures never differ, and they swing alike",
        )


def test_place_words_of_an_earlier_use_are_noted_and_movement_decides(pair, day):
    back, thigh = pair
    assert "thigh" in read_cwa(thigh).header.annotations["_p"]
    content = bytearray(back.read_bytes())
    content[64:512] = b"_p=thigh".ljust(448)
    back.write_bytes(content)
    found = classify_pair(back, thigh, METHOD)
    assert [problem.rule for problem in found.problems] == ["same_place_annotated"]
    assert found.epochs.equals(day[2].epochs)


def test_recordings_of_different_weeks_and_days(pair, day):
    back, thigh = pair
    rewritten(day[0] / "P_thigh.cwa", thigh, 98, np.datetime64("2018-05-09T00:00:00"))
    assert refusal(back, thigh) == ("different_weeks", "the two recordings have no time in common")
    rewritten(day[0] / "P_thigh.cwa", thigh, 98, np.datetime64("2018-05-02T12:00:00"))
    assert refusal(back, thigh)[0] == "short_overlap"


def test_sensors_of_two_people(pair, tmp_path):
    back, _ = pair
    (tmp_path / "other").mkdir()
    write_raw_pair(tmp_path / "other", "P", 1, seed=17, protocol=PROTOCOL)
    rule, message = refusal(back, tmp_path / "other" / "P_thigh.cwa")
    assert rule == "not_together"
    assert "do not move together" in message


def test_a_pair_that_nobody_wore(pair):
    back, thigh = pair
    lying = np.random.default_rng(1).normal((0, 0, 1), 0.003, (24 * 3600 * 50 + 3000, 3))
    write_cwa(thigh, lying, np.datetime64("2018-05-02T00:00:00"), Device(7, 1, 50.0), 21.0)
    assert refusal(back, thigh) == ("not_worn", "the thigh sensor was not worn")
