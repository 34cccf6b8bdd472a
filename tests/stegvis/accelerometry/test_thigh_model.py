"""The shipped models of one thigh sensor: their files and cards, what they read, and the rule of an upright thigh."""

import json
import pickle

import numpy as np
import pytest

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.epoch_model import CLASSES, MODEL_FILE, THIGH_COLUMNS, ModelError, model_digest
from stegvis.accelerometry.features import FEATURE_NAMES, features
from stegvis.accelerometry.thigh_card import render
from stegvis.accelerometry.thigh_model import (
    THIGH_FEATURES,
    THIGH_MODELS,
    load_thigh_model,
    model_file_for,
    thigh_model_bytes,
)
from stegvis.accelerometry.thigh_training import ThighReport
from tests.stegvis.accelerometry.settings import RATE_HZ, SIZE
from tests.stegvis.accelerometry.simulated_signals import day_in_short

FILES = pytest.mark.parametrize("model_file", list(THIGH_MODELS.values()), ids=lambda file: file.stem)


@pytest.fixture(scope="module", name="X")
def short_day() -> np.ndarray:
    acceleration, _ = day_in_short(3, 30)
    return features(acceleration.reshape(-1, SIZE, 6).astype(np.float32), RATE_HZ)


@FILES
def test_the_cards_are_those_of_the_shipped_models(model_file):
    text = model_file.with_name(f"{model_file.stem}_card.json").read_text()
    report = ThighReport.model_validate_json(text)
    assert report.model_sha256 == model_digest(model_file)
    assert THIGH_MODELS[report.rate_hz] == model_file
    assert model_file.with_name(f"{model_file.stem}_card.md").read_text() == render(report)
    assert sum(map(len, json.loads(text)["folds"])) == report.apart.people == 25
    assert model_file.stat().st_size < 200_000


@FILES
def test_a_model_is_written_as_it_was_read_and_can_be_sent_to_another_process(model_file, X):
    model = load_thigh_model(model_file)
    assert thigh_model_bytes(model) == model_file.read_bytes()
    again = pickle.loads(pickle.dumps(model))
    assert (again.network.probabilities(X) == model.network.probabilities(X)).all()


@FILES
def test_the_back_changes_nothing(model_file, X):
    model, follows = load_thigh_model(model_file), np.arange(len(X)) > 0
    other = np.random.default_rng(1).normal(size=X.shape).astype(np.float32)
    other[:, THIGH_COLUMNS] = X[:, THIGH_COLUMNS]
    assert (model.network.probabilities(other) == model.network.probabilities(X)).all()
    assert (model.gait(other, follows) == model.gait(X, follows)).all()


def test_an_upright_thigh_neither_sits_nor_lies(X):
    model = load_thigh_model(THIGH_MODELS[50.0])
    seated = np.repeat(X[6:7], 2, axis=0)
    inclination = FEATURE_NAMES.index("inclination_thigh")
    seated[:, inclination] = 0.89, 0.91
    reclining = [CLASSES.index(code.name.lower()) for code in (ActivityCode.LYING, ActivityCode.SITTING)]
    lower, upper = model.network.probabilities(seated)
    assert lower[reclining].sum() > 0.5
    assert upper[reclining].sum() < 0.01
    assert upper.sum() == pytest.approx(1)


def test_the_model_of_a_rate_and_the_features_it_reads():
    assert [model_file_for(rate).stem for rate in (12.4, 24.8, 49.2, 97.6)] == [
        "thigh_12hz", "thigh_50hz", "thigh_50hz", "thigh_50hz",
    ]  # fmt: skip
    assert not any("back" in name or "ratio" in name for name in THIGH_FEATURES)
    assert len(THIGH_FEATURES) == len(THIGH_COLUMNS)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "text.npz").write_text("not a model")
    with pytest.raises(ModelError, match="not an epoch classifier"):
        load_thigh_model(tmp_path / "text.npz")
    with pytest.raises(ModelError, match="cannot be read"):
        load_thigh_model(tmp_path / "missing.npz")
    with pytest.raises(ModelError, match="not trained for these features"):
        load_thigh_model(MODEL_FILE)
