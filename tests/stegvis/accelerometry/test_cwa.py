"""Reading CWA files: samples, clocks, damage."""

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stegvis.accelerometry.cwa import read_cwa
from stegvis.accelerometry.cwa_format import (
    HEADER_BYTES,
    SECTOR,
    SECTOR_BYTES,
    CwaError,
    decode_stamps,
    range_g,
    rate_hz,
)
from stegvis.twin.cwa import Device, encode_stamps, with_checksums, write_cwa

START = np.datetime64("2018-02-28T23:59:30.500000", "us")
MILLISECOND = np.timedelta64(1000, "us")
DEVICE = Device(device_id=123_456, recording_id=7, true_rate_hz=49.3, clock_drift_seconds_per_day=2.0)
SECTORS = 24


def samples(count: int = SECTORS * 120, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (count, 3)).astype(np.float32)


def true_times(count: int, device: Device = DEVICE) -> np.ndarray:
    return START + np.round(np.arange(count) * device.clock_seconds_per_sample * 1e6).astype("timedelta64[us]")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "recording.cwa"
    write_cwa(path, samples(), START, DEVICE)
    return path


def change(path: Path, which, repair: bool = True, **fields) -> None:
    """Set fields of some sectors and, unless ``repair`` is false, correct their checksums."""
    content = np.fromfile(path, np.uint8)
    sectors = content[HEADER_BYTES:].view(SECTOR)
    chosen = sectors[which]
    for name, value in fields.items():
        chosen[name] = value
    sectors[which] = with_checksums(np.atleast_1d(chosen).copy()) if repair else chosen
    content.tofile(path)


def sectors_of(path: Path) -> np.ndarray:
    return np.fromfile(path, np.uint8)[HEADER_BYTES:].view(SECTOR)


def rewrite(path: Path, sectors: np.ndarray) -> None:
    header = np.fromfile(path, np.uint8)[:HEADER_BYTES]
    path.write_bytes(header.tobytes() + sectors.tobytes())


# --- intact files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("largest_g", [2, 4, 8, 16])
@pytest.mark.parametrize("packed", [True, False])
def test_samples_are_read_in_the_resolution_of_the_range(tmp_path, packed, largest_g):
    device = Device(1, 1, 50.2, largest_g=largest_g, packed=packed)
    g = 3 * samples(1000)
    write_cwa(tmp_path / "x.cwa", g, START, device)
    recording = read_cwa(tmp_path / "x.cwa")
    steps_per_g = 512 / largest_g if packed else 256
    lowest, highest = -largest_g, largest_g - 1 / steps_per_g
    expected = np.clip(np.rint(g * steps_per_g) / steps_per_g, lowest, highest)
    assert recording.masked_blocks == {}
    np.testing.assert_array_equal(recording.acceleration(), expected.astype(np.float32))


@pytest.mark.parametrize("true_rate", [49.25, 50.0, 50.75])
@pytest.mark.parametrize("packed", [True, False])
def test_times_follow_the_clock_and_not_the_nominal_rate(tmp_path, packed, true_rate):
    device = Device(1, 1, true_rate, clock_drift_seconds_per_day=-3.0, packed=packed)
    write_cwa(tmp_path / "x.cwa", samples(100_001), START, device)
    recording = read_cwa(tmp_path / "x.cwa")
    assert len(recording.times) == 100_001
    # The first stamp is more than a sector after the first sample.
    assert np.abs(recording.times - true_times(100_001, device)).max() < MILLISECOND
    (segment,) = recording.segments
    assert segment.rate_hz == pytest.approx(1 / device.clock_seconds_per_sample, rel=1e-5)
    assert (np.diff(recording.times) > np.timedelta64(0)).all()


def test_the_header_is_read(tmp_path):
    device = Device(6_011_834, 993, 50, annotations={"_sc": "P 1", "_p": "lower back"}, nominal_rate_hz=50, firmware=45)
    write_cwa(tmp_path / "x.cwa", samples(1200), START, device)
    header = read_cwa(tmp_path / "x.cwa").header
    assert (header.hardware, header.device_id, header.recording_id, header.firmware) == ("AX3", 6_011_834, 993, 45)
    assert (header.rate_hz, header.range_g) == (50, 8)
    assert header.annotations == {"_sc": "P 1", "_p": "lower back"}
    assert header.logging_start == START.astype("datetime64[s]")
    assert header.logging_end is None


def test_blocks_have_temperature_voltage_and_the_position_of_samples(file):
    recording = read_cwa(file)
    blocks = recording.blocks
    assert (blocks["status"] == "good").all()
    assert blocks["temperature_c"].to_numpy() == pytest.approx(30, abs=0.15)
    assert blocks["battery_volt"].to_numpy() == pytest.approx(4.15, abs=0.006)
    assert blocks["sequence"].tolist() == list(range(SECTORS))
    assert blocks["first_sample"].tolist() == [120 * number for number in range(SECTORS)]
    assert (blocks["start"].to_numpy() == recording.times[::120]).all()


def test_a_short_last_sector_and_trailing_bytes(tmp_path):
    path = tmp_path / "x.cwa"
    write_cwa(path, samples(1207), START, DEVICE)
    with path.open("ab") as file:
        file.write(b"\xff" * 100)
    recording = read_cwa(path)
    assert len(recording.samples) == len(recording.times) == 1207
    assert np.abs(recording.times - true_times(1207)).max() < MILLISECOND
    assert recording.trailing_bytes == 100


def test_an_ax6_with_gyroscope(tmp_path):
    path = tmp_path / "x.cwa"
    write_cwa(path, samples(), START, DEVICE)
    sectors = sectors_of(path)
    motion = np.random.default_rng(2).integers(-(2**15), 2**15, (SECTORS, 40, 6)).astype("<i2")
    sectors["axes"], sectors["count"] = 0x62, 40
    sectors["light_scale"] = (3 << 13) | (5 << 10) | 77  # 1/2048 g, 250 degrees per second
    raw = np.ndarray((SECTORS, 480), np.uint8, sectors.data, SECTOR.fields["data"][1], (SECTOR_BYTES, 1))
    raw[:] = motion.reshape(SECTORS, -1).view(np.uint8)
    # Forty samples at 50 Hz last 0.8 s.
    elapsed = np.arange(SECTORS) * 0.8
    sectors["stamp"] = encode_stamps(START.astype("datetime64[s]") + elapsed.astype("timedelta64[s]"))
    fraction = ((elapsed % 1) * 32768).astype(int)
    sectors["fraction"], sectors["stamp_index"] = 0x8000 | fraction, -((2 * fraction * 50) >> 16)
    rewrite(path, with_checksums(sectors))
    recording = read_cwa(path)
    np.testing.assert_array_equal(recording.gyroscope, motion.reshape(-1, 6)[:, :3])
    np.testing.assert_array_equal(recording.samples, motion.reshape(-1, 6)[:, 3:])
    assert recording.g_per_count == 1 / 2048
    assert recording.degrees_per_second_per_count * 32768 == 250
    assert recording.segments[0].rate_hz == pytest.approx(50, rel=0.001)


def test_whole_second_stamps_of_old_firmware(tmp_path):
    path = tmp_path / "x.cwa"
    write_cwa(path, samples(), START, DEVICE)
    sectors = sectors_of(path)
    # Without fractions, a stamp belongs to the sample at which the second began.
    start = START.astype(np.int64) / 1e6
    first = start + 120 * np.arange(SECTORS) * DEVICE.clock_seconds_per_sample
    second = np.ceil(first)
    sectors["stamp"] = encode_stamps(second.astype("datetime64[s]"))
    sectors["fraction"] = 0x0731
    sectors["stamp_index"] = np.round((second - first) / DEVICE.clock_seconds_per_sample)
    rewrite(path, with_checksums(sectors))
    recording = read_cwa(path)
    assert recording.masked_blocks == {}
    assert np.abs(recording.times - true_times(SECTORS * 120)).max() < 15 * MILLISECOND


def test_rates_and_ranges_of_the_code():
    assert [rate_hz(code) for code in (0x06, 0x49, 0x4A, 0x4B, 0x0F)] == [6.25, 50, 100, 200, 3200]
    assert [range_g(code) for code in (0x09, 0x49, 0x89, 0xC9)] == [16, 8, 4, 2]


@given(st.integers(0, 2**31 - 1))
def test_stamps_are_encoded_and_decoded_without_loss(seconds):
    time = np.array(["2000-01-01"], "datetime64[s]") + np.timedelta64(seconds % (63 * 365 * 86400), "s")
    assert decode_stamps(encode_stamps(time)) == time


@pytest.mark.parametrize(
    "stamp", [0, 0xFFFFFFFF, (18 << 26) | (2 << 22) | (30 << 17), (18 << 26) | (13 << 22) | (1 << 17)]
)
def test_impossible_stamps_are_not_a_time(stamp):
    assert np.isnat(decode_stamps(np.array([stamp], np.uint32)))[0]


# --- damage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damaged", [[0], [5], [5, 6, 7], [0, 3, 4, SECTORS - 1]])
def test_corrupt_sectors_are_masked_and_time_continues_across_them(file, damaged):
    clean = read_cwa(file)
    change(file, damaged, repair=False, events=0x5A)
    recording = read_cwa(file)
    assert recording.masked_blocks == {"checksum": len(damaged)}
    assert np.flatnonzero(recording.blocks["status"] == "checksum").tolist() == damaged
    kept = ~np.isin(np.arange(SECTORS * 120) // 120, damaged)
    np.testing.assert_array_equal(recording.samples, clean.samples[kept])
    assert np.abs(recording.times - clean.times[kept]).max() < MILLISECOND
    assert len(recording.segments) == 1
    assert recording.segments[0].rate_hz == pytest.approx(clean.segments[0].rate_hz, rel=1e-5)


def test_a_restart_of_the_sequence_begins_a_segment(tmp_path):
    path, later = tmp_path / "x.cwa", tmp_path / "y.cwa"
    gap = np.timedelta64(243_900_000, "us")
    write_cwa(path, samples(1200), START, DEVICE)
    write_cwa(later, samples(1200), true_times(1201)[-1] + gap, DEVICE)
    rewrite(path, np.concatenate([sectors_of(path), sectors_of(later)]))
    recording = read_cwa(path)
    assert [segment.samples for segment in recording.segments] == [1200, 1200]
    assert [segment.rate_hz for segment in recording.segments] == pytest.approx([49.3, 49.3], rel=1e-4)
    # Nothing is interpolated across the gap.
    assert np.abs(recording.times[1200:] - (true_times(2400)[1200:] + gap)).max() < MILLISECOND
    assert np.abs(recording.times[:1200] - true_times(1200)).max() < MILLISECOND
    assert not recording.clock_goes_back


def test_missing_sectors_are_a_gap(file):
    clean = read_cwa(file)
    rewrite(file, np.delete(sectors_of(file), slice(8, 12)))
    recording = read_cwa(file)
    assert [segment.samples for segment in recording.segments] == [960, 1440]
    expected = np.concatenate([clean.times[:960], clean.times[1440:]])
    assert np.abs(recording.times - expected).max() < MILLISECOND


def test_many_segments_have_the_times_of_one_and_cost_no_loop(tmp_path):
    path, sectors = tmp_path / "x.cwa", 20_000
    write_cwa(path, samples(sectors * 120), START, DEVICE)
    whole = read_cwa(path)
    # Between every two sectors the sequence jumps.
    jumped = sectors_of(path)["sequence"] + np.arange(sectors, dtype=np.uint32) // 2
    change(path, slice(None), sequence=jumped)
    begin = time.process_time()
    found = read_cwa(path)
    seconds = time.process_time() - begin
    assert len(found.segments) == sectors // 2
    np.testing.assert_array_equal(found.samples, whole.samples)
    assert np.abs(found.times - whole.times).max() < MILLISECOND
    # 0.04 s, and 0.4 s more if the times of each segment are found by themselves; generous for a busy machine.
    assert seconds < 0.25


def test_a_clock_set_back_is_reported(file):
    sectors = sectors_of(file)
    late = decode_stamps(sectors["stamp"][12:]) - np.timedelta64(3600, "s")
    change(file, slice(12, None), stamp=encode_stamps(late))
    recording = read_cwa(file)
    assert recording.clock_goes_back
    assert [segment.samples for segment in recording.segments] == [1440, 1440]
    assert recording.segments[1].start < recording.segments[0].start


@pytest.mark.parametrize("seconds", [-86400, -2, 1, 7, 3600])
@pytest.mark.parametrize("sector", [0, 9, SECTORS - 1])
def test_a_wrong_stamp_with_a_correct_checksum_is_ignored(file, sector, seconds):
    clean = read_cwa(file)
    stamp = decode_stamps(sectors_of(file)["stamp"][[sector]]) + np.timedelta64(seconds, "s")
    change(file, [sector], stamp=encode_stamps(stamp))
    recording = read_cwa(file)
    assert recording.masked_blocks == {"clock": 1}
    kept = np.arange(SECTORS * 120) // 120 != sector
    assert np.abs(recording.times - clean.times[kept]).max() < MILLISECOND


def test_a_slightly_wrong_stamp_moves_no_sample(file):
    clean = read_cwa(file)
    index = int(sectors_of(file)["stamp_index"][9])
    change(file, [9], stamp_index=index + 3)  # 60 ms
    recording = read_cwa(file)
    assert np.abs(recording.times - clean.times).max() < MILLISECOND


def test_sectors_of_another_layout_are_masked(file):
    change(file, [4, 5], axes=0x32, count=80)
    assert read_cwa(file).masked_blocks == {"format": 2}


# --- not a recording ------------------------------------------------------------------------------------------------


def test_an_empty_file(tmp_path):
    (tmp_path / "x.cwa").touch()
    with pytest.raises(CwaError, match="empty"):
        read_cwa(tmp_path / "x.cwa")


@pytest.mark.parametrize("size", [1, 3, 4, 64, 1023])
def test_a_file_cut_within_its_header(file, size):
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(CwaError):
        read_cwa(file)


@pytest.mark.parametrize("size", [1024, 1024 + 511])
def test_a_header_without_data(file, size):
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(CwaError, match="no data"):
        read_cwa(file)


def test_random_bytes(tmp_path):
    (tmp_path / "x.cwa").write_bytes(np.random.default_rng(1).bytes(20_000))
    with pytest.raises(CwaError, match="not a CWA file"):
        read_cwa(tmp_path / "x.cwa")


def test_random_bytes_after_a_valid_header(file):
    header = file.read_bytes()[:HEADER_BYTES]
    file.write_bytes(header + np.random.default_rng(1).bytes(512 * 40))
    with pytest.raises(CwaError, match="no sector"):
        read_cwa(file)


@pytest.mark.parametrize(("code", "why"), [(0x00, "none that a device has"), (0x4F, "disagree"), (0x09, "disagree")])
def test_an_absurd_rate_code_in_the_header(file, code, why):
    content = bytearray(file.read_bytes())
    content[36] = code
    file.write_bytes(content)
    with pytest.raises(CwaError, match=why):
        read_cwa(file)


@pytest.mark.parametrize("code", [0x4A, 0x48, 0x4F])
def test_a_rate_code_that_the_clock_contradicts(file, code):
    change(file, slice(None), rate_code=code)
    content = bytearray(file.read_bytes())
    content[36] = code
    file.write_bytes(content)
    with pytest.raises(CwaError, match="clocks that agree"):
        read_cwa(file)


def test_an_absurd_rate_code_in_the_data(file):
    change(file, slice(None), rate_code=0x02)
    with pytest.raises(CwaError, match="no sector"):
        read_cwa(file)


def test_a_single_sector_is_not_a_recording(tmp_path):
    write_cwa(tmp_path / "x.cwa", samples(120), START, DEVICE)
    with pytest.raises(CwaError, match="no two sectors"):
        read_cwa(tmp_path / "x.cwa")


def test_the_message_contains_nothing_of_the_file(tmp_path):
    device = Device(1, 1, 50, annotations={"_sc": "SECRET"})
    write_cwa(tmp_path / "x.cwa", samples(120), START, device)
    with pytest.raises(CwaError) as caught:
        read_cwa(tmp_path / "x.cwa")
    assert "SECRET" not in str(caught.value)
