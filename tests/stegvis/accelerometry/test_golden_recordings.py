"""Epochs change only together with the classification version.

Epochs of raw recordings become stale by ``CLASSIFICATION_VERSION`` and not by code, so this test must fail whenever the
code or a library gives different epochs.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stegvis.accelerometry import classifier, pair_classification
from stegvis.accelerometry.epoch_model import WALKING, load_model
from stegvis.accelerometry.method import CLASSIFICATION_VERSION, METHOD_SECTIONS, Method
from tests.stegvis.accelerometry.golden_recordings import (
    LEVELS,
    classify,
    differences,
    expected_epochs,
    expected_method,
    write_recordings,
)

EPOCHS_CHANGED = (
    f"The epochs are not those of classification version {CLASSIFICATION_VERSION}. If the change is intended: raise "
    "CLASSIFICATION_VERSION in stegvis/accelerometry/method.py, write the new expected epochs with "
    "`python -m tests.stegvis.accelerometry.golden_recordings`, commit them, and note the change in CHANGELOG. Every "
    "raw recording will then be classified again."
)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory) -> dict[str, tuple[Path, ...]]:
    return write_recordings(tmp_path_factory.mktemp("golden"))


def test_epochs_are_those_of_the_classification_version(recordings, tmp_path):
    assert differences(classify(recordings, tmp_path, expected_method())) == [], EPOCHS_CHANGED


def test_the_golden_recordings_use_every_class_speed_and_wear():
    raw, signal = (expected_epochs(level) for level in LEVELS)
    assert set(raw["activity"]) == set(range(7))
    assert set(raw["speed"]) == set(range(4))
    assert set(raw["wear_thigh"]) == {True, False}
    assert signal["wear_thigh"].isna().all()


# One value of each section of the protocol that decides epochs.
CHANGES = {
    "epochs": {"moderate_up_to_km_per_hour": 4.5},
    "walking_speed": {"thigh_movement_below_hz": 4.0},
    "raw_recordings": {"smallest_overlap_hours": 3.0},
    "synchronization": {"fewest_windows": 20},
    "calibration": {"fewest_cells": 1000},
    "wear": {"still_minutes_if_cooled": 45.0},
}


def test_every_section_of_the_method_is_tested():
    assert tuple(CHANGES) == METHOD_SECTIONS


@pytest.mark.parametrize("section", CHANGES)
def test_a_changed_setting_would_be_noticed(recordings, tmp_path, section):
    method = expected_method()
    changed = getattr(method, section).model_copy(update=CHANGES[section])
    assert differences(classify(recordings, tmp_path, method.model_copy(update={section: changed})))


def test_a_changed_weight_of_the_model_would_be_noticed(recordings, tmp_path, monkeypatch):
    model = load_model()
    offset = model.network.class_offset.copy()
    offset[0, WALKING] += np.float32(0.3)
    changed = replace(model, network=model.network._replace(class_offset=offset))
    for module in (classifier, pair_classification):
        monkeypatch.setattr(module, "load_model", lambda *_: changed)
    assert differences(classify(recordings, tmp_path, expected_method()))


def test_the_method_survives_the_way_to_a_worker():
    method = expected_method()
    assert Method.model_validate_json(method.model_dump_json()) == method
