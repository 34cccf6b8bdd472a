"""Signals: gravity where the posture puts it, and gait that grows with speed."""

import numpy as np
import pytest

from stegvis.twin.draws import stream
from stegvis.twin.gait_parameters import gait_parameters
from stegvis.twin.parameters import parameters
from stegvis.twin.signals import COLUMNS, draw_signal
from tests.study import PROTOCOL

START = np.datetime64("2018-05-02T09:00:00")
# Without tilted sensors and postures of one's own.
ALIKE = gait_parameters().with_mess(0)
SIGNAL, ACTIVITY = draw_signal(START, parameters().signals, stream(6, "signal"), PROTOCOL.epochs, ALIKE)


def mean_of(activity, column):
    return float(SIGNAL.loc[activity == ACTIVITY, column].mean())


def test_it_is_an_hour_at_50_hz_of_float32():
    assert len(SIGNAL) == len(ACTIVITY) == 60 * 60 * 50
    steps = np.diff(SIGNAL["timestamp"].to_numpy())
    assert set(steps) == {np.timedelta64(20, "ms")}
    assert all(SIGNAL[name].dtype == np.float32 for name in COLUMNS)
    assert SIGNAL["timestamp"].iloc[0] == START


@pytest.mark.parametrize(
    ("activity", "column", "expected"),
    [
        ("standing", "back_x", -1.0),
        ("standing", "thigh_x", -1.0),
        ("sitting", "thigh_z", -1.0),
        ("sitting", "thigh_x", 0.0),
        ("lying", "back_z", 1.0),
        ("lying", "back_x", 0.0),
        ("lying", "thigh_z", -1.0),
        ("walking", "back_x", -1.0),
    ],
)
def test_gravity_points_where_the_posture_puts_it(activity, column, expected):
    assert mean_of(activity, column) == pytest.approx(expected, abs=0.25)


def test_a_still_body_measures_one_g():
    back = SIGNAL.loc[ACTIVITY == "standing", ["back_x", "back_y", "back_z"]].to_numpy()
    assert np.linalg.norm(back, axis=1).mean() == pytest.approx(1.0, abs=0.03)
    assert back[:, 0].std() < 0.05


def test_gait_is_stronger_and_quicker_at_higher_speed():
    found = []
    for speed in (3.2, 6.0):
        settings = parameters().signals.model_copy(update={"script": (("walking", 2, speed),)})
        walk, _ = draw_signal(START, settings, stream(1, "walk"), PROTOCOL.epochs, ALIKE)
        vertical = walk["back_x"].to_numpy() - walk["back_x"].mean()
        spectrum = np.abs(np.fft.rfft(vertical)) ** 2
        hertz = np.fft.rfftfreq(vertical.size, 1 / 50)
        steps = hertz[np.argmax(np.where((hertz > 1.0) & (hertz < 2.6), spectrum, 0))]
        found.append((vertical.std(), steps * 60))
    (weak, slow), (strong, quick) = found
    assert strong > 2 * weak
    assert slow == pytest.approx(97 * (3.2 / 3.6) ** 0.53, rel=0.15)
    assert quick > slow + 15


def test_the_same_stream_gives_the_same_signal():
    again, _ = draw_signal(START, parameters().signals, stream(6, "signal"), PROTOCOL.epochs, ALIKE)
    assert again.equals(SIGNAL)
