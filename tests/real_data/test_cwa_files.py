"""The CWA reader on files of real AX3 and AX6 devices, compared with known facts and an independent reader."""

import numpy as np
import pytest

from stegvis.accelerometry.cwa import read_cwa
from stegvis.accelerometry.cwa_format import HEADER_BYTES, SECTOR_BYTES

pytestmark = pytest.mark.real_data

INTACT = {
    "ax3_testfile.cwa": (145, 17_400, 98.86),
    "ax6_testfile.cwa": (283, 11_320, 99.04),
    "example-610-steps.cwa": (595, 71_400, 98.52),
    "skdh_ax3_200hz.cwa": (490, 58_800, 197.24),
}
CORRUPT = "ax3_testfile_corrupt_blocks_0_13_14_142_143_144.cwa"
MILLISECOND = np.timedelta64(1000, "us")


@pytest.fixture(scope="module")
def folder(real_data):
    folder = real_data / "cwa"
    if not folder.is_dir():
        pytest.skip("no real CWA files in the folder of real data")
    return folder


@pytest.mark.parametrize("name", INTACT)
def test_every_sector_is_read_at_the_true_rate(folder, name):
    sectors, samples, true_rate = INTACT[name]
    recording = read_cwa(folder / name)
    assert recording.masked_blocks == {}
    assert len(recording.blocks) == sectors
    assert len(recording.samples) == len(recording.times) == samples
    (segment,) = recording.segments
    assert segment.rate_hz == pytest.approx(true_rate, abs=0.02)
    assert (np.diff(recording.times) > np.timedelta64(0)).all()


@pytest.mark.parametrize("name", INTACT)
def test_it_equals_an_independent_reader(folder, name):
    peer = pytest.importorskip("cwa_reader_rs")
    table = peer.read_cwa_file(str(folder / name))
    recording = read_cwa(folder / name)
    np.testing.assert_array_equal(table[["acc_x", "acc_y", "acc_z"]].to_numpy(), recording.acceleration())
    assert np.abs(table.index.to_numpy() - recording.times).max() < 17 * MILLISECOND
    per_sample = recording.blocks.loc[recording.blocks.index.repeat(recording.blocks["samples"])]
    np.testing.assert_allclose(table["temperature"], per_sample["temperature_c"], atol=1e-5)
    np.testing.assert_allclose(table["battery"], per_sample["battery_volt"], atol=1e-5)
    if recording.gyroscope is not None:
        turning = recording.gyroscope * recording.degrees_per_second_per_count
        np.testing.assert_allclose(table[["gyro_x", "gyro_y", "gyro_z"]].to_numpy(), turning, atol=1e-4)


def test_the_pinned_facts_of_the_ax3_file(folder):
    recording = read_cwa(folder / "ax3_testfile.cwa")
    g = recording.acceleration().astype(float)
    assert np.abs(g).sum() == pytest.approx(25160.17, abs=0.01)
    assert np.linalg.norm(g, axis=1).sum() == pytest.approx(17080.55, abs=0.01)
    assert np.abs(recording.times[5] - np.datetime64("2019-02-26T10:55:06.040")) < 17 * MILLISECOND
    assert recording.blocks["temperature_c"].min() == pytest.approx(25.586, abs=0.001)
    assert recording.blocks["temperature_c"].max() == pytest.approx(26.465, abs=0.001)
    assert recording.header.device_id == 39434
    assert recording.header.annotations["_p"] == "right wrist"


def test_the_ax6_file_has_a_gyroscope_and_finer_counts(folder):
    recording = read_cwa(folder / "ax6_testfile.cwa")
    assert (recording.header.hardware, recording.header.range_g) == ("AX6", 16)
    assert recording.g_per_count == 1 / 2048
    assert recording.gyroscope.shape == recording.samples.shape


def test_six_corrupt_blocks_are_masked_and_the_others_keep_samples_and_times(folder):
    clean, recording = read_cwa(folder / "ax3_testfile.cwa"), read_cwa(folder / CORRUPT)
    damaged = [0, 13, 14, 142, 143, 144]
    assert recording.masked_blocks == {"checksum": 6}
    assert np.flatnonzero(recording.blocks["status"] == "checksum").tolist() == damaged
    kept = ~np.isin(np.arange(17_400) // 120, damaged)
    np.testing.assert_array_equal(recording.samples, clean.samples[kept])
    assert np.abs(recording.times - clean.times[kept]).max() < 2 * MILLISECOND
    assert len(recording.segments) == 1


def test_what_is_left_of_the_corrupt_file_equals_an_independent_reader_of_the_intact_one(folder):
    peer = pytest.importorskip("cwa_reader_rs")  # which refuses the corrupt file
    table = peer.read_cwa_file(str(folder / "ax3_testfile.cwa"))
    recording = read_cwa(folder / CORRUPT)
    kept = np.repeat(recording.blocks["status"] == "good", 120).to_numpy()
    assert kept.sum() == 17_400 - 6 * 120
    np.testing.assert_array_equal(table[["acc_x", "acc_y", "acc_z"]].to_numpy()[kept], recording.acceleration())
    assert np.abs(table.index.to_numpy()[kept] - recording.times).max() < 17 * MILLISECOND


def test_missing_sectors_split_a_real_recording(folder, tmp_path):
    content = (folder / "ax3_testfile.cwa").read_bytes()
    missing = slice(HEADER_BYTES + 60 * SECTOR_BYTES, HEADER_BYTES + 70 * SECTOR_BYTES)
    (tmp_path / "x.cwa").write_bytes(content[: missing.start] + content[missing.stop :])
    clean, recording = read_cwa(folder / "ax3_testfile.cwa"), read_cwa(tmp_path / "x.cwa")
    assert recording.masked_blocks == {}
    assert [segment.samples for segment in recording.segments] == [60 * 120, 75 * 120]
    kept = np.r_[: 60 * 120, 70 * 120 : 17_400]
    np.testing.assert_array_equal(recording.samples, clean.samples[kept])
    assert np.abs(recording.times - clean.times[kept]).max() < 17 * MILLISECOND
    assert not recording.clock_goes_back


def test_a_restart_splits_a_real_recording_and_nothing_is_read_into_the_gap(folder, tmp_path):
    """Two recordings of one rate and range, one after the other: another session, another sequence."""
    first, second = (read_cwa(folder / name) for name in ("ax3_testfile.cwa", "example-610-steps.cwa"))
    sectors = (folder / "example-610-steps.cwa").read_bytes()[HEADER_BYTES:]
    (tmp_path / "x.cwa").write_bytes((folder / "ax3_testfile.cwa").read_bytes() + sectors)
    recording = read_cwa(tmp_path / "x.cwa")
    assert [segment.samples for segment in recording.segments] == [17_400, 71_400]
    for segment, alone in zip(recording.segments, (first, second), strict=True):
        times = recording.times[segment.first_sample : segment.first_sample + segment.samples]
        assert np.abs(times - alone.times).max() < 17 * MILLISECOND
    assert recording.clock_goes_back == (second.times[0] < first.times[-1])
