"""Resampling to an exact grid for any rate of the sensor, and never across a gap."""

import numpy as np
import pytest

from stegvis.accelerometry.cwa import read_cwa
from stegvis.accelerometry.cwa_format import HEADER_BYTES, SECTOR_BYTES
from stegvis.accelerometry.resampling import ClockError, RawSignal, epoch_positions, raw_signal, resample
from tests.stegvis.accelerometry.settings import EPOCHS
from tests.stegvis.accelerometry.simulated_pairs import ORIGIN, START, write

BEGIN = float((START - ORIGIN) / np.timedelta64(1, "s"))


def wave(seconds: np.ndarray, hertz: float = 1.0) -> np.ndarray:
    """(n, 3) g."""
    phase = 2 * np.pi * hertz * seconds
    return np.stack([np.sin(phase), np.cos(phase), 0.5 * np.sin(phase)], axis=1)


def on_grid(signal: RawSignal, start: np.ndarray, **correction) -> np.ndarray:
    first, last, recorded = epoch_positions(signal.timeline, start, start + 5)
    assert recorded.all()
    return resample(signal, first, last, EPOCHS, **correction)


@pytest.mark.parametrize("rate", [49.25, 50.0, 50.75])
def test_a_wave_is_resampled_to_exact_times_at_any_true_rate(tmp_path, rate):
    samples = wave(np.arange(int(600 * rate)) / rate)
    signal = raw_signal(write(tmp_path / "a.cwa", samples, true_rate_hz=rate, packed=False), ORIGIN, EPOCHS)
    start = BEGIN + np.arange(5, 590, 5.0)
    found = on_grid(signal, start)
    exact = wave((start[:, None] + np.arange(250) / 50 - BEGIN).ravel())
    # A 1 Hz wave of 1 g loses at most 2 mg to straight lines between samples; counts are 4 mg apart.
    assert np.abs(found - exact).max() < 0.02
    assert signal.rate_hz == pytest.approx(rate, rel=1e-4)


def test_a_faster_sensor_is_averaged_to_avoid_aliasing(tmp_path):
    seconds = np.arange(300 * 100) / 100
    # 49 Hz read every 20 ms would look like 1 Hz at full size; averaged in pairs, under a tenth of it is left.
    device = {"true_rate_hz": 100.0, "nominal_rate_hz": 100.0, "packed": False}
    for hertz, lowest, highest in ((1.0, 0.99, 1.01), (49.0, 0.0, 0.1)):
        signal = raw_signal(write(tmp_path / "a.cwa", wave(seconds, hertz), **device), ORIGIN, EPOCHS)
        found = on_grid(signal, BEGIN + np.arange(5, 290, 5.0))
        assert lowest <= np.abs(found[:, :2]).max() <= highest
    exact = wave((np.arange(5, 290, 5.0)[:, None] + np.arange(250) / 50).ravel())
    signal = raw_signal(write(tmp_path / "a.cwa", wave(seconds), **device), ORIGIN, EPOCHS)
    assert np.abs(on_grid(signal, BEGIN + np.arange(5, 290, 5.0)) - exact).max() < 0.02


def test_a_damaged_sector_is_a_gap_and_the_other_epochs_keep_their_time(tmp_path):
    samples = wave(np.arange(300 * 50) / 50)
    write(tmp_path / "a.cwa", samples, packed=False)
    content = bytearray((tmp_path / "a.cwa").read_bytes())
    content[HEADER_BYTES + 50 * SECTOR_BYTES + 100] ^= 255  # samples 4000 to 4079: 80.0 to 81.6 s
    (tmp_path / "a.cwa").write_bytes(content)
    signal = raw_signal(read_cwa(tmp_path / "a.cwa"), ORIGIN, EPOCHS)
    start = BEGIN + np.arange(0.5, 290, 5.0)
    first, last, recorded = epoch_positions(signal.timeline, start, start + 5)
    assert start[~recorded] - BEGIN == pytest.approx([75.5, 80.5])
    found = resample(signal, first[recorded], last[recorded], EPOCHS)
    exact = wave((start[recorded][:, None] + np.arange(250) / 50 - BEGIN).ravel())
    assert np.abs(found - exact).max() < 0.02
    assert signal.timeline.recorded_seconds == pytest.approx(300 - 1.6, abs=0.01)


def appended(tmp_path, minutes_later: float):
    """A recording of two minutes, and another by the same device ``minutes_later`` than the start of the first."""
    samples = wave(np.arange(120 * 50) / 50)
    write(tmp_path / "a.cwa", samples)
    write(tmp_path / "b.cwa", samples, START + np.timedelta64(round(minutes_later * 60), "s"))
    both = (tmp_path / "a.cwa").read_bytes() + (tmp_path / "b.cwa").read_bytes()[HEADER_BYTES:]
    (tmp_path / "c.cwa").write_bytes(both)
    return read_cwa(tmp_path / "c.cwa")


def test_no_epoch_spans_a_restart(tmp_path):
    signal = raw_signal(appended(tmp_path, 5), ORIGIN, EPOCHS)
    start = BEGIN + np.arange(-10, 500, 5.0)
    _, _, recorded = epoch_positions(signal.timeline, start, start + 5)
    seconds = start[recorded] - BEGIN
    assert seconds.tolist() == [*np.arange(0, 115, 5), *np.arange(300, 415, 5)] or seconds.tolist() == [
        *np.arange(0, 120, 5),
        *np.arange(300, 420, 5),
    ]
    assert len(signal.timeline.run_start) == 2


def test_a_clock_that_was_set_back_is_refused(tmp_path):
    with pytest.raises(ClockError, match="set back"):
        raw_signal(appended(tmp_path, -5), ORIGIN, EPOCHS)


def test_scattered_epochs_are_the_same_as_in_a_row(tmp_path):
    rng = np.random.default_rng(3)
    signal = raw_signal(
        write(tmp_path / "a.cwa", rng.normal(0, 0.5, (50 * 3000, 3)), true_rate_hz=49.7), ORIGIN, EPOCHS
    )
    start = BEGIN + np.arange(0, 2990, 5.0)
    whole = on_grid(signal, start).reshape(-1, 250, 3)
    some = np.array([2, 100, 101, 550])
    assert np.array_equal(on_grid(signal, start[some]).reshape(-1, 250, 3), whole[some])


def test_calibration_is_applied_to_g(tmp_path):
    signal = raw_signal(write(tmp_path / "a.cwa", np.full((50 * 60, 3), 0.5)), ORIGIN, EPOCHS)
    gain, offset = np.array([1.0, 2.0, 1.0]), np.array([0.0, 0.0, -0.25])
    found = on_grid(signal, np.array([BEGIN + 10]), gain=gain, offset=offset)
    assert found == pytest.approx(np.tile([0.5, 1.0, 0.25], (250, 1)))
