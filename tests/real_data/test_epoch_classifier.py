"""The epoch classifier on real people it was not trained on."""

import hashlib
import json

import numpy as np
import pytest

from study.accelerometry.activity import ActivityCode, from_ntnu_labels
from study.accelerometry.classifier import classify_signal
from study.accelerometry.evaluation import person_agreement
from study.accelerometry.recording import read_labeled, read_signal
from study.accelerometry.signal import largest_gap
from study.accelerometry.training import fit, predict, read_people, train
from study.accelerometry.windows import window_starts
from tests.real_data.make_signal_drop import write_signal_drop

pytestmark = pytest.mark.real_data

FIVE_OLDER_PEOPLE = ("501", "502", "504", "505", "506")


@pytest.fixture(scope="module")
def people(real_data):
    return read_people([real_data / "harth", real_data / "har70plus"], lambda _: None)


def test_walking_minutes_of_five_older_people_never_seen(people):
    unseen = [each for each in people if each.person in FIVE_OLDER_PEOPLE]
    assert len(unseen) == 5
    booster = fit([each for each in people if each.person not in FIVE_OLDER_PEOPLE])
    results = [
        person_agreement(
            each.person, each.dataset.name, each.activity, predict(booster, each.X), each.labeled_walking_minutes
        )
        for each in unseen
    ]
    labeled = sum(each.labeled_walking_minutes for each in results)
    predicted = sum(each.predicted_walking_minutes for each in results)
    assert predicted == pytest.approx(labeled, rel=0.03)
    for each in results:
        assert each.predicted_walking_minutes == pytest.approx(each.labeled_walking_minutes, rel=0.12)
        assert each.accuracy > 0.90


def test_no_real_window_crosses_a_gap(real_data):
    for file in sorted((real_data / "har70plus").glob("*.parquet")):
        times = read_signal(file).timestamps
        starts = window_starts(times)
        steps = np.diff(times)[starts[:, None] + np.arange(249)]
        assert (np.diff(times) > largest_gap()).any(), "the recording has gaps"
        assert (steps <= largest_gap()).all()


def test_the_shipped_model_fits_the_people_it_was_made_from(real_data):
    recording = read_labeled(real_data / "har70plus" / "508.parquet")
    found = classify_signal(recording.signal.timestamps, recording.signal.acceleration)
    labeled_minutes = (recording.activity == ActivityCode.WALKING).sum() / 50 / 60
    walking = found["activity"] == ActivityCode.WALKING
    assert walking.sum() * 5 / 60 == pytest.approx(labeled_minutes, rel=0.05)
    assert (found.loc[walking, "speed"] > 0).all()
    assert (found.loc[~walking, "speed"] == 0).all()


def test_a_signal_drop_keeps_signal_and_labels(real_data, tmp_path):
    source = real_data / "har70plus" / "505.parquet"
    write_signal_drop(tmp_path / "batch", {"1001": source})
    file = tmp_path / "batch" / "1001.parquet"
    declared = json.loads((tmp_path / "batch" / "drop.json").read_text())
    assert declared == {"files": {"1001.parquet": {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}}}
    original, delivered = read_labeled(source), read_labeled(file)
    assert np.array_equal(original.signal.acceleration, delivered.signal.acceleration)
    assert np.array_equal(original.signal.timestamps, delivered.signal.timestamps)
    assert np.array_equal(original.activity, delivered.activity)
    assert set(from_ntnu_labels([1, 6])) <= set(delivered.activity)


@pytest.mark.slow
def test_training_reaches_the_figures_of_the_shipped_card(real_data, tmp_path):
    report = train([real_data / "harth", real_data / "har70plus"], tmp_path / "model.ubj", lambda _: None)
    assert report.everyone.people == 25
    assert "S009" in report.outlying
    assert report.without_outlying.accuracy > 0.94
    assert report.without_outlying.macro_f1 > 0.90
    assert abs(report.without_outlying.walking_bias_percent) < 2
    assert report.without_outlying.mean_absolute_person_bias_percent < 7
