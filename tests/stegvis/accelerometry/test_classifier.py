import json

import numpy as np
import pandas as pd
import pytest

from stegvis.accelerometry.classifier import (
    classify_signal,
    classify_windows,
)
from stegvis.accelerometry.epoch_columns import decide
from stegvis.accelerometry.epoch_model import (
    CLASSES,
    MODEL_FILE,
    ModelError,
    load_model,
    model_bytes,
    model_digest,
)
from stegvis.accelerometry.model_card import render
from stegvis.accelerometry.signal import SignalError
from stegvis.accelerometry.training import TrainingReport
from stegvis.data_files import data_file
from tests.stegvis.accelerometry.settings import METHOD
from tests.stegvis.accelerometry.simulated_signals import SEATED, SUPINE, UPRIGHT, clock, gait, posture, walking_at

LYING, SITTING, STANDING, WALKING = 1, 2, 3, 4


@pytest.fixture(scope="module")
def morning():
    """Half a minute each of lying, sitting, standing and walking slowly, five seconds of standing, a brisk walk."""
    postures = [posture(SUPINE, 30, 1), posture(SEATED, 30, 2), posture(UPRIGHT, 30, 3)]
    return np.concatenate([*postures, walking_at(2.5, 6, 4), posture(UPRIGHT, 5, 6), walking_at(6.8, 5, 5)])


def test_the_shipped_model_classifies_simulated_postures_and_gait(morning):
    found = classify_signal(clock(len(morning)), morning, METHOD)
    assert (
        found["activity"].tolist()
        == [LYING] * 6 + [SITTING] * 6 + [STANDING] * 6 + [WALKING] * 6 + [STANDING] + [WALKING] * 5
    )


def test_only_walking_has_a_speed(morning):
    found = classify_signal(clock(len(morning)), morning, METHOD)
    assert found["speed"].tolist() == [0] * 18 + [1] * 6 + [0] + [3] * 5


def test_walking_has_cadence_speed_and_its_uncertainty(morning):
    epochs = classify_windows(clock(len(morning)), morning, METHOD).epochs
    walking = epochs["activity"] == WALKING
    assert epochs.loc[~walking, ["cadence", "speed_km_per_hour", "speed_sd_km_per_hour"]].isna().all(axis=None)
    # Steps per minute at 2.5 and 6.8 km/h, which differ between people.
    assert epochs["cadence"].to_numpy()[18:24] == pytest.approx(80, rel=0.15)
    assert epochs["cadence"].to_numpy()[25:] == pytest.approx(136, rel=0.15)
    assert (epochs.loc[walking, "speed_sd_km_per_hour"] > 0.05 * epochs.loc[walking, "speed_km_per_hour"]).all()


def test_probabilities_add_up_and_agree_with_the_decision(morning):
    epochs = classify_windows(clock(len(morning)), morning, METHOD).epochs
    probabilities = epochs[[f"probability_{name}" for name in CLASSES]].to_numpy()
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    activity, _, stairs = decide(probabilities)
    assert activity.tolist() == epochs["activity"].tolist()
    assert stairs.tolist() == epochs["stairs"].tolist()


def test_stairs_count_as_walking():
    standing, walking, running, stairs = (
        np.eye(7)[CLASSES.index(n)] for n in ("standing", "walking", "running", "stairs")
    )
    activity, confidence, on_stairs = decide(np.array([0.4 * standing + 0.25 * walking + 0.35 * stairs, running]))
    assert activity.tolist() == [WALKING, 5]
    assert confidence.tolist() == pytest.approx([0.6, 1])
    assert on_stairs.tolist() == [True, False]


@pytest.mark.parametrize("signs", [(1, -1, -1), (-1, -1, 1), (-1, 1, -1)])
@pytest.mark.parametrize("sensor", [slice(0, 3), slice(3, 6)])
def test_a_sensor_worn_upside_down_or_turned_changes_no_activity(morning, signs, sensor):
    otherwise = morning.copy()
    otherwise[:, sensor] *= signs
    expected, found = (classify_signal(clock(len(morning)), each, METHOD) for each in (morning, otherwise))
    assert found["activity"].tolist() == expected["activity"].tolist()


def test_swapped_sensors_are_corrected():
    day = np.concatenate([posture(SEATED, 600, 1), posture(UPRIGHT, 60, 2), gait(100, 60, 3)])
    expected = classify_windows(clock(len(day)), day, METHOD)
    found = classify_windows(clock(len(day)), day[:, [3, 4, 5, 0, 1, 2]], METHOD)
    assert (expected.swapped, found.swapped) == (False, True)
    pd.testing.assert_frame_equal(found.epochs, expected.epochs)


def test_columns_types_and_times(morning):
    found = classify_signal(clock(len(morning)), morning, METHOD)
    assert {name: str(kind) for name, kind in found.dtypes.items()} == {
        "epoch_start": "datetime64[ms]",
        "activity": "uint8",
        "speed": "uint8",
        "confidence": "uint8",
    }
    assert (found["epoch_start"].diff().dropna() == pd.Timedelta(seconds=5)).all()
    assert found["epoch_start"][0] == pd.Timestamp(clock(1)[0])
    # The largest of six probabilities is above one sixth.
    assert (found["confidence"] > 255 / 6).all()


def test_threads_do_not_change_the_result(morning):
    times = clock(len(morning))
    pd.testing.assert_frame_equal(
        classify_signal(times, morning, METHOD), classify_signal(times, morning, METHOD, nthread=2)
    )


def test_no_epoch_crosses_a_gap(morning):
    times = clock(len(morning))
    times[600:] += np.timedelta64(10, "m")
    found = classify_signal(times, morning, METHOD)
    # Two epochs in the first 12 seconds; the next one begins after the gap.
    assert found["epoch_start"][1] == pd.Timestamp(times[250])
    assert found["epoch_start"][2] == pd.Timestamp(times[600])
    assert len(found) == 2 + (len(morning) - 600) // 250


def test_missing_samples_are_a_gap(morning):
    holes = morning.copy()
    holes[300:340, 5] = np.nan
    found = classify_signal(clock(len(holes)), holes, METHOD)
    assert found["epoch_start"][1] == pd.Timestamp(clock(len(holes))[340])


def test_pandas_columns_are_accepted(morning):
    frame = pd.DataFrame(morning.astype(np.float32))
    frame.insert(0, "timestamp", clock(len(morning)))
    found = classify_signal(frame["timestamp"], frame.drop(columns="timestamp"), METHOD)
    pd.testing.assert_frame_equal(found, classify_signal(clock(len(morning)), morning, METHOD))


@pytest.mark.parametrize(
    ("times", "samples"),
    [
        (clock(249), posture(UPRIGHT, 4.98, 1)),
        (clock(400) + np.where(np.arange(400) < 200, 0, 60_000_000).astype("timedelta64[us]"), posture(UPRIGHT, 8, 1)),
    ],
)
def test_a_signal_too_short_for_one_epoch_is_refused(times, samples):
    with pytest.raises(SignalError, match="no 5 seconds without a gap"):
        classify_signal(times, samples, METHOD)


def test_an_empty_signal_is_refused():
    with pytest.raises(SignalError, match="empty"):
        classify_signal(clock(0), np.empty((0, 6)), METHOD)


def test_the_digest_is_that_of_the_model_card():
    card = json.loads(data_file("accelerometry/model/model_card.json").read_text())
    assert model_digest() == card["model_sha256"]
    assert model_digest() in data_file("accelerometry/model/model_card.md").read_text()


def test_the_shipped_model_card_is_written_from_its_json():
    report = TrainingReport.model_validate_json(data_file("accelerometry/model/model_card.json").read_text())
    assert data_file("accelerometry/model/model_card.md").read_text() == render(report)


def test_the_shipped_model_is_small():
    assert MODEL_FILE.stat().st_size < 3_000_000


def test_a_missing_or_invalid_model_is_refused(tmp_path, morning):
    times = clock(len(morning))
    with pytest.raises(ModelError, match="cannot be read"):
        classify_signal(times, morning, METHOD, model_file=tmp_path / "missing.npz")
    (tmp_path / "empty.npz").touch()
    (tmp_path / "text.npz").write_text("not a model")
    np.save(tmp_path / "array.npy", np.zeros(3))
    for name in ("empty.npz", "text.npz", "array.npy"):
        with pytest.raises(ModelError, match="not an epoch classifier"):
            classify_signal(times, morning, METHOD, model_file=tmp_path / name)


@pytest.mark.parametrize("part", ["features", "classes"])
def test_a_model_of_other_features_or_classes_is_refused(tmp_path, morning, part):
    with np.load(MODEL_FILE) as read:
        parts = dict(read)
    np.savez(tmp_path / "other.npz", **(parts | {part: parts[part][::-1]}))
    np.savez(tmp_path / "less.npz", **{name: values for name, values in parts.items() if name != part})
    for name in ("other.npz", "less.npz"):
        with pytest.raises(ModelError, match="train it again"):
            classify_signal(clock(len(morning)), morning, METHOD, model_file=tmp_path / name)


def test_the_model_is_written_as_it_was_read():
    assert model_bytes(load_model()) == MODEL_FILE.read_bytes()
