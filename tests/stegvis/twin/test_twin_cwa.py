"""The writer: bytes as an AX3 writes them, read back by an independent reader too."""

import numpy as np
import pytest

from stegvis.accelerometry.cwa import read_cwa
from stegvis.accelerometry.cwa_format import HEADER_BYTES, SECTOR, SECTOR_BYTES, decode_stamps
from stegvis.twin.cwa import Device, encode_stamps, write_cwa

START = np.datetime64("2017-12-31T23:59:50.250000", "us")
DEVICE = Device(51_888, 1_020_030_004, 49.4, clock_drift_seconds_per_day=-1.5, annotations={"_sc": "P1"})


def walk(samples: int) -> np.ndarray:
    return np.random.default_rng(3).normal(0, 0.8, (samples, 3)).astype(np.float32)


def written(folder, samples=12_000, device=DEVICE, **more):
    path = folder / "x.cwa"
    write_cwa(path, walk(samples), START, device, **more)
    return path, np.frombuffer(path.read_bytes()[HEADER_BYTES:], SECTOR)


def test_a_week_packed_has_the_size_of_a_device_file(tmp_path):
    path, sectors = written(tmp_path, 12_000)
    assert path.stat().st_size == HEADER_BYTES + 100 * SECTOR_BYTES
    assert len(sectors) == 100


def test_all_words_of_a_sector_add_up_to_zero(tmp_path):
    path, sectors = written(tmp_path)
    words = np.frombuffer(path.read_bytes()[HEADER_BYTES:], "<u2").reshape(len(sectors), 256)
    assert (words.sum(axis=1) % 65536 == 0).all()


def test_a_packed_word_holds_ten_bits_an_axis_and_the_exponent(tmp_path):
    path = tmp_path / "x.cwa"
    write_cwa(path, np.array([[0.25, -0.5, 1.0]] * 240, np.float32), START, DEVICE)
    first = int.from_bytes(path.read_bytes()[HEADER_BYTES + 30 : HEADER_BYTES + 34], "little")
    assert [first & 1023, (first >> 10) & 1023, (first >> 20) & 1023, first >> 30] == [16, 1024 - 32, 64, 2]


def test_stamps_are_those_of_the_moment_the_buffer_is_read(tmp_path):
    _, sectors = written(tmp_path)
    fraction = (sectors["fraction"].astype(int) & 0x7FFF) << 1
    index = sectors["stamp_index"] + ((fraction * 50) >> 16)
    # As in files of real devices.
    assert index[:10].tolist() == [125, 130, 135, 140, 120, 125, 130, 135, 140, 120]
    clock = decode_stamps(sectors["stamp"]) + (fraction / 65536 * 1e6).astype("timedelta64[us]")
    elapsed = (np.arange(len(sectors)) * 120 + index) * DEVICE.clock_seconds_per_sample
    assert np.abs((clock - START) / np.timedelta64(1, "s") - elapsed).max() < 1e-4


def test_sequence_temperature_and_voltage(tmp_path):
    celsius = np.linspace(21, 34, 100)
    _, sectors = written(tmp_path, temperature_c=celsius, first_sequence=77)
    assert sectors["sequence"].tolist() == list(range(77, 177))
    assert (sectors["temperature"] & 1023) * 75 / 256 - 50 == pytest.approx(celsius, abs=0.15)
    assert (sectors["battery"].astype(float) + 512) * 6 / 1024 == pytest.approx(4.15, abs=0.01)


def test_the_voltage_falls(tmp_path):
    tired = Device(1, 1, 50, battery_volt_per_day=500.0)
    _, sectors = written(tmp_path, device=tired)
    assert sectors["battery"][-1] < sectors["battery"][0]


@pytest.mark.parametrize("true_rate", [49.25, 50.0, 50.75])
@pytest.mark.parametrize("packed", [True, False])
def test_an_independent_reader_reads_the_same(tmp_path, packed, true_rate):
    peer = pytest.importorskip("cwa_reader_rs")
    device = Device(123_456, 5, true_rate, packed=packed, annotations={"_p": "back", "_sc": "P1"})
    path, _ = written(tmp_path, 24_000, device)
    table, recording = peer.read_cwa_file(str(path)), read_cwa(path)
    np.testing.assert_array_equal(table[["acc_x", "acc_y", "acc_z"]].to_numpy(), recording.acceleration())
    np.testing.assert_allclose(table["temperature"].iloc[0], recording.blocks["temperature_c"][0], atol=1e-4)
    # It counts back from a stamp at the nominal rate, and without rounding the shift of the stamp down to a sample.
    tolerance = (1 + 140 * abs(50 / true_rate - 1)) / 50
    assert np.abs((table.index.to_numpy() - recording.times) / np.timedelta64(1, "s")).max() < tolerance + 0.002
    header = peer.read_metadata(str(path))
    assert (header["device_id"], header["session_id"], header["sample_rate_hz"]) == (123_456, 5, 50)
    assert header["accel_range"] == 8
    assert header["annotation"].strip() == "_p=back&_sc=P1"


def test_chunks_make_the_same_file(tmp_path):
    whole, _ = written(tmp_path, 1_000)
    g = walk(1_000)
    count = write_cwa(tmp_path / "y.cwa", iter([g[:480], g[480:960], g[960:]]), START, DEVICE)
    assert count == 1_000
    assert (tmp_path / "y.cwa").read_bytes() == whole.read_bytes()


def test_a_chunk_must_not_end_within_a_sector(tmp_path):
    with pytest.raises(ValueError, match="within a sector"):
        write_cwa(tmp_path / "y.cwa", iter([walk(100), walk(100)]), START, DEVICE)


@pytest.mark.parametrize("device", [Device(1, 1, 60, nominal_rate_hz=60), Device(1, 1, 50, largest_g=3)])
def test_configurations_no_device_has(tmp_path, device):
    with pytest.raises(ValueError, match="no such"):
        written(tmp_path, device=device)


def test_annotations_that_do_not_fit(tmp_path):
    with pytest.raises(ValueError, match="do not fit"):
        written(tmp_path, device=Device(1, 1, 50, annotations={"_n": "x" * 500}))


def test_stamps_at_the_turn_of_a_year():
    times = np.array(["2017-12-31T23:59:59", "2018-01-01T00:00:00", "2020-02-29T12:34:56"], "datetime64[s]")
    packed = encode_stamps(times)
    assert (decode_stamps(packed) == times).all()
    assert packed[1] == (18 << 26) | (1 << 22) | (1 << 17)
