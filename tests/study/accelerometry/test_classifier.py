import json

import numpy as np
import pandas as pd
import pytest

from study.accelerometry.classifier import MODEL_FILE, ModelError, classify_signal, model_digest
from study.accelerometry.signal import SignalError
from tests.study.accelerometry.simulated_signals import SEATED, SUPINE, UPRIGHT, clock, gait, posture

LYING, SITTING, STANDING, WALKING = 1, 2, 3, 4


@pytest.fixture(scope="module")
def morning():
    """Half a minute each of lying, sitting, standing, and walking slowly and fast."""
    postures = [posture(SUPINE, 30, 1), posture(SEATED, 30, 2), posture(UPRIGHT, 30, 3)]
    # Slow steps are also gentle ones.
    return np.concatenate([*postures, gait(80, 30, 4, size=0.5), gait(130, 30, 5)])


def test_the_shipped_model_tells_simulated_postures_and_gait(morning):
    found = classify_signal(clock(len(morning)), morning)
    assert found["activity"].tolist() == [LYING] * 6 + [SITTING] * 6 + [STANDING] * 6 + [WALKING] * 12


def test_speed_is_given_to_walking_only(morning):
    found = classify_signal(clock(len(morning)), morning)
    assert found["speed"].tolist() == [0] * 18 + [1] * 6 + [3] * 6


def test_columns_types_and_times(morning):
    found = classify_signal(clock(len(morning)), morning)
    assert {name: str(kind) for name, kind in found.dtypes.items()} == {
        "epoch_start": "datetime64[ms]",
        "activity": "uint8",
        "speed": "uint8",
        "confidence": "uint8",
    }
    assert (found["epoch_start"].diff().dropna() == pd.Timedelta(seconds=5)).all()
    assert found["epoch_start"][0] == pd.Timestamp(clock(1)[0])
    # The largest of six probabilities is above a sixth.
    assert (found["confidence"] > 255 / 6).all()


def test_threads_do_not_change_the_result(morning):
    times = clock(len(morning))
    pd.testing.assert_frame_equal(classify_signal(times, morning), classify_signal(times, morning, nthread=2))


def test_no_epoch_crosses_a_gap(morning):
    times = clock(len(morning))
    times[600:] += np.timedelta64(10, "m")
    found = classify_signal(times, morning)
    # Two epochs of the first 12 seconds, then anew.
    assert found["epoch_start"][1] == pd.Timestamp(times[250])
    assert found["epoch_start"][2] == pd.Timestamp(times[600])
    assert len(found) == 2 + (len(morning) - 600) // 250


def test_missing_samples_are_a_gap(morning):
    holes = morning.copy()
    holes[300:340, 5] = np.nan
    found = classify_signal(clock(len(holes)), holes)
    assert found["epoch_start"][1] == pd.Timestamp(clock(len(holes))[340])


def test_pandas_columns_are_taken_too(morning):
    frame = pd.DataFrame(morning.astype(np.float32))
    frame.insert(0, "timestamp", clock(len(morning)))
    found = classify_signal(frame["timestamp"], frame.drop(columns="timestamp"))
    pd.testing.assert_frame_equal(found, classify_signal(clock(len(morning)), morning))


@pytest.mark.parametrize(
    ("times", "samples"),
    [
        (clock(249), posture(UPRIGHT, 4.98, 1)),
        (clock(400) + np.where(np.arange(400) < 200, 0, 60_000_000).astype("timedelta64[us]"), posture(UPRIGHT, 8, 1)),
    ],
)
def test_a_signal_too_short_for_one_epoch_is_refused(times, samples):
    with pytest.raises(SignalError, match="no 5 seconds without a gap"):
        classify_signal(times, samples)


def test_an_empty_signal_is_refused():
    with pytest.raises(SignalError, match="empty"):
        classify_signal(clock(0), np.empty((0, 6)))


def test_the_digest_is_that_of_the_model_card():
    card = json.loads((MODEL_FILE.parent / "model_card.json").read_text())
    assert model_digest() == card["model_sha256"]
    assert model_digest() in (MODEL_FILE.parent / "model_card.md").read_text()


def test_the_shipped_model_is_small():
    assert MODEL_FILE.stat().st_size < 3_000_000


def test_an_absent_or_foreign_model_is_refused(tmp_path, morning):
    times = clock(len(morning))
    with pytest.raises(ModelError, match="cannot be read"):
        classify_signal(times, morning, model_file=tmp_path / "absent.ubj")
    (tmp_path / "text.ubj").write_text("not a model")
    with pytest.raises(ModelError, match="not an xgboost model"):
        classify_signal(times, morning, model_file=tmp_path / "text.ubj")


def test_a_model_of_other_features_is_refused(tmp_path, morning):
    import xgboost

    data = xgboost.DMatrix(np.arange(20.0).reshape(10, 2), label=np.arange(10) % 6)
    xgboost.train({"objective": "multi:softprob", "num_class": 6}, data, 1).save_model(tmp_path / "other.ubj")
    with pytest.raises(ModelError, match="train it again"):
        classify_signal(clock(len(morning)), morning, model_file=tmp_path / "other.ubj")
