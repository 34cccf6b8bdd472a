import numpy as np
import pytest

from stegvis.accelerometry.signal import SignalError, check_signal
from tests.stegvis.accelerometry.settings import EPOCHS
from tests.stegvis.accelerometry.simulated_signals import UPRIGHT, clock, posture


@pytest.fixture
def standing():
    return posture(UPRIGHT, seconds=10, seed=1)


def test_a_good_signal_comes_back_as_float32(standing):
    signal = check_signal(clock(500), standing, EPOCHS)
    assert signal.acceleration.dtype == np.float32
    assert signal.acceleration.shape == (500, 6)


def test_samples_with_a_missing_axis_are_dropped(standing):
    standing[100:200, 4] = np.nan
    signal = check_signal(clock(500), standing, EPOCHS)
    assert len(signal.timestamps) == 400
    assert np.diff(signal.timestamps).max() == np.timedelta64(2_020, "ms")


def test_repeated_timestamps_are_refused(standing):
    times = clock(500)
    times[10] = times[9]
    with pytest.raises(SignalError, match="do not increase"):
        check_signal(times, standing, EPOCHS)


def test_timestamps_that_go_back_are_refused(standing):
    times = clock(500)
    times[250:] -= np.timedelta64(3, "s")
    with pytest.raises(SignalError, match="do not increase"):
        check_signal(times, standing, EPOCHS)


def test_an_empty_signal_is_refused():
    with pytest.raises(SignalError, match="empty"):
        check_signal(clock(0), np.empty((0, 6)), EPOCHS)


def test_a_signal_of_missing_values_is_empty(standing):
    with pytest.raises(SignalError, match="empty"):
        check_signal(clock(500), standing * np.nan, EPOCHS)


def test_text_is_refused_without_quoting_it(standing):
    words = standing.astype(object)
    words[3, 2] = "secret"
    with pytest.raises(SignalError, match="not numeric") as refused:
        check_signal(clock(500), words, EPOCHS)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("times", [np.arange(500), np.array(["2019-01-14"] * 500)])
def test_timestamps_must_be_dates_and_times(standing, times):
    with pytest.raises(SignalError, match="datetime64"):
        check_signal(times, standing, EPOCHS)


@pytest.mark.parametrize("shape", [(500, 3), (499, 6), (3000,)])
def test_the_shape_must_fit(shape):
    with pytest.raises(SignalError, match="n x 6"):
        check_signal(clock(500), np.ones(shape), EPOCHS)


@pytest.mark.parametrize("rate", [25, 47, 52, 100])
def test_another_sampling_rate_is_refused(standing, rate):
    times = clock(500)[0] + (np.arange(500) * 1e6 / rate).astype("timedelta64[us]")
    # At 25 Hz the interval is not yet a gap, so the rate is the reason.
    with pytest.raises(SignalError, match="expected 50 Hz"):
        check_signal(times, standing, EPOCHS)


def test_samples_slower_than_a_gap_are_refused(standing):
    times = clock(500)[0] + np.arange(500) * np.timedelta64(1, "s")
    with pytest.raises(SignalError, match=r"within 0\.1 s of each other"):
        check_signal(times, standing, EPOCHS)


def test_jitter_and_gaps_do_not_affect_the_rate(standing):
    jitter = np.random.default_rng(0).integers(-5, 6, 500).astype("timedelta64[ms]")
    times = clock(500) + jitter
    times[300:] += np.timedelta64(3, "m")
    assert len(check_signal(times, standing, EPOCHS).timestamps) == 500


@pytest.mark.parametrize("scale", [9.81, 4096])
def test_another_unit_is_refused(standing, scale):
    with pytest.raises(SignalError, match="unit is not g"):
        check_signal(clock(500), standing * scale, EPOCHS)


def test_a_dead_sensor_is_named(standing):
    standing[:, 3:] = 0
    with pytest.raises(SignalError, match="thigh sensor"):
        check_signal(clock(500), standing, EPOCHS)
