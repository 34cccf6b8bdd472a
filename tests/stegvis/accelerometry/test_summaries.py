"""Ten-second windows: their content, and that none spans a gap."""

import numpy as np
import pytest

from stegvis.accelerometry.cwa import read_cwa
from stegvis.accelerometry.cwa_format import HEADER_BYTES, SECTOR_BYTES
from stegvis.accelerometry.resampling import raw_signal
from stegvis.accelerometry.summaries import summarize
from stegvis.twin.cwa import Device, write_cwa
from tests.stegvis.accelerometry.settings import EPOCHS
from tests.stegvis.accelerometry.simulated_pairs import ORIGIN, START

RATE = 49.5


@pytest.fixture
def file(tmp_path):
    """Ten minutes: still, then from minute five on moving by 0.1 g along z; temperature 20 degrees and rising."""
    seconds = np.arange(int(600 * RATE)) / RATE
    samples = np.zeros((len(seconds), 3), dtype=np.float32)
    samples[:, 0] = -1
    samples[:, 2] = np.where(seconds < 300, 0, 0.1 * np.sqrt(2) * np.sin(2 * np.pi * seconds))
    sectors = -(-len(samples) // 80)
    path = tmp_path / "a.cwa"
    write_cwa(path, samples, START, Device(1, 1, RATE, packed=False), np.linspace(20, 30, sectors))
    return path


def summary_of(path):
    recording = read_cwa(path)
    signal = raw_signal(recording, ORIGIN, EPOCHS)
    return summarize(signal, recording, ORIGIN), signal


def test_windows_have_mean_sd_and_temperature(file):
    summary, _ = summary_of(file)
    minute = (summary.start - summary.start[0]) / 60
    assert summary.seconds == pytest.approx(10, abs=0.01)
    assert np.diff(summary.start) == pytest.approx(summary.seconds, abs=1e-3)
    assert summary.mean[:, 0] == pytest.approx(-1)
    assert summary.sd[minute < 4.8].max() == 0
    assert summary.sd[minute > 5.1, 2] == pytest.approx(0.1, abs=0.002)
    assert summary.activity[minute > 5.1] == pytest.approx(0.1 / 3, abs=0.001)
    assert summary.temperature == pytest.approx(20 + minute + 1 / 12, abs=0.2)


def test_no_window_spans_a_damaged_sector(file):
    content = bytearray(file.read_bytes())
    content[HEADER_BYTES + 100 * SECTOR_BYTES + 60] ^= 255
    file.write_bytes(content)
    summary, signal = summary_of(file)
    gap = signal.timeline.run_end[0], signal.timeline.run_start[1]
    assert gap[1] - gap[0] == pytest.approx(80 / RATE, abs=0.01)
    assert ((summary.end <= gap[0] + 1e-6) | (summary.start >= gap[1] - 1e-6)).all()
    assert (np.diff(summary.start) > 0).all()
