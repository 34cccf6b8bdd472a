"""Epochs of more than one activity, against a signal whose seconds are known and against plain Python."""

import numpy as np
import pandas as pd
import pytest

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.classifier import classify_windows
from stegvis.accelerometry.mixed_epochs import (
    SURE,
    MixedEpochs,
    may_be_mixed,
    probabilities_by_second,
    second_follows,
    split_mixed,
)
from stegvis.accelerometry.windows import signal_windows
from tests.stegvis.accelerometry.settings import METHOD
from tests.stegvis.accelerometry.simulated_signals import UPRIGHT, clock, posture, walking_at
from tests.study import PROTOCOL

STANDING, WALKING = int(ActivityCode.STANDING), int(ActivityCode.WALKING)
EPOCHS = PROTOCOL.epochs


@pytest.fixture(scope="module")
def short_walks():
    """Walks of 8 seconds between standing of 12, which begin and end within epochs; and the activity of each second."""
    parts, seconds = [posture(UPRIGHT, 62, 1)], [STANDING] * 62
    for number in range(10):
        parts += [walking_at(4.5, 2, 10 + number)[: 8 * 50], posture(UPRIGHT, 12, 30 + number)]
        seconds += [WALKING] * 8 + [STANDING] * 12
    return np.concatenate(parts), np.array(seconds)


def test_walking_seconds_of_short_walks_are_found(short_walks):
    signal, labels = short_walks
    found = classify_windows(clock(len(signal)), signal, METHOD)
    rows = split_mixed(found.epochs, found.mixed, 5)
    assert len(found.mixed.epoch) >= 10
    assert rows["seconds"].sum() == 5 * len(found.epochs)
    walked = rows.loc[rows["activity"] == WALKING, "seconds"].sum()
    assert walked == pytest.approx((labels[: 5 * len(found.epochs)] == WALKING).sum(), abs=8)
    by_second = np.repeat(rows["activity"].to_numpy(), rows["seconds"])
    assert (by_second == labels[: len(by_second)]).mean() > 0.95
    by_epoch = np.repeat(found.epochs["activity"].to_numpy(), 5)
    assert (by_second == labels[: len(by_second)]).sum() > (by_epoch == labels[: len(by_epoch)]).sum()


def test_walking_seconds_have_a_pace_whatever_the_epoch_is_called(short_walks):
    signal, _ = short_walks
    found = classify_windows(clock(len(signal)), signal, METHOD)
    mixed = found.mixed.columns
    walking = mixed["activity"] == WALKING
    assert (mixed["speed"][walking] > 0).all()
    assert (mixed["speed"][~walking] == 0).all()
    assert np.isnan(mixed["speed_km_per_hour"][~walking]).all()
    assert (found.epochs.loc[found.epochs["activity"] != WALKING, "speed"] == 0).all()


def test_a_mixed_epoch_becomes_rows_of_one_second():
    epochs = pd.DataFrame(
        {
            "epoch_start": pd.date_range("2018-05-02 23:59:50", periods=3, freq="5s").astype("datetime64[ms]"),
            "activity": np.array([3, 4, 3], dtype=np.uint8),
            "confidence": np.array([255, 130, 250], dtype=np.uint8),
        }
    )
    seconds = np.array([[3, 4, 4, 4, 3]], dtype=np.uint8)
    rows = split_mixed(epochs, MixedEpochs(np.array([1]), {"activity": seconds, "confidence": 10 * seconds}), 5)
    assert rows["activity"].tolist() == [3, 3, 4, 4, 4, 3, 3]
    assert rows["confidence"].tolist() == [255, 30, 40, 40, 40, 30, 250]
    assert rows["seconds"].tolist() == [5, 1, 1, 1, 1, 1, 5]
    assert rows["epoch_start"].dt.second.tolist() == [50, 55, 56, 57, 58, 59, 0]
    assert rows.dtypes[["epoch_start", "activity"]].tolist() == epochs.dtypes[["epoch_start", "activity"]].tolist()


def test_epochs_beside_a_change_and_unsure_ones_are_looked_at_but_not_over_a_gap():
    best = np.array([1, 1, 2, 2, 3, 3, 3, 3])
    follows = np.array([False, True, True, True, False, True, True, True])
    confidence = np.array([0.99, 0.99, 0.99, 0.99, 0.99, 0.99, SURE - 0.01, 0.99])
    assert may_be_mixed(best, confidence, follows).tolist() == [1, 2, 6]


def test_the_window_of_a_second_is_about_it_and_does_not_reach_over_a_gap(monkeypatch):
    size, rate = EPOCHS.samples_per_epoch, EPOCHS.sampling_rate_hz
    samples = np.repeat(np.arange(4 * size, dtype=np.float32)[:, None], 6, axis=1)
    windows = signal_windows(samples, size * np.arange(4), size)
    follows = np.array([False, True, True, False])  # the last epoch comes after a gap

    class Network:
        def probabilities(self, X):
            return X

    monkeypatch.setattr("stegvis.accelerometry.mixed_epochs.features", lambda windows, rate_hz: windows[:, [0, -1], 0])
    alone = np.array([[size * e, size * e + size - 1] for e in range(4)], dtype=np.float32)
    found = probabilities_by_second(windows, np.arange(4), follows, alone, Network(), EPOCHS)
    for epoch in range(4):
        for second in range(5):
            first = size * epoch + rate * (second - 2)
            low, high = (0, 2 * size) if epoch < 3 else (3 * size, 3 * size)
            first = min(max(first, low), high)
            assert found[epoch, second].tolist() == [first, first + size - 1]


def test_seconds_follow_each_other_within_epochs():
    assert second_follows(np.array([False, True]), 3).tolist() == [[False, True, True], [True, True, True]]
