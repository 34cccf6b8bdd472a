import numpy as np
import pytest

from stegvis.accelerometry.evaluation import (
    agreement,
    macro_f1,
    outlying_people,
    person_agreement,
    speed_agreement,
)
from tests.stegvis.accelerometry.settings import PROTOCOL


def codes(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.uint8)


LABELED = codes(4, 4, 4, 4, 3, 3, 2, 1)
PREDICTED = codes(4, 4, 4, 3, 3, 4, 2, 2)


def test_precision_recall_and_confusion_by_hand():
    person = person_agreement("a", "set", LABELED, PREDICTED, 0.3, predicted_walking_minutes=0.4)
    found = agreement([person], LABELED, PREDICTED)
    by_name = {each.activity: each for each in found.classes}
    assert found.accuracy == 5 / 8
    assert (by_name["walking"].precision, by_name["walking"].recall) == (3 / 4, 3 / 4)
    assert (by_name["sitting"].precision, by_name["sitting"].recall) == (1 / 2, 1.0)
    assert by_name["sitting"].f1 == pytest.approx(2 / 3)
    assert (by_name["lying"].precision, by_name["lying"].recall) == (None, 0.0)
    assert (by_name["running"].windows, by_name["running"].f1) == (0, None)
    assert found.confusion[3] == (0, 0, 1, 3, 0, 0)
    assert found.macro_f1 == pytest.approx((0 + 2 / 3 + 1 / 2 + 3 / 4) / 4)


def test_too_little_labeled_walking_has_no_bias():
    person = person_agreement("a", "set", LABELED, PREDICTED, 0.3, predicted_walking_minutes=0.4)
    assert person.bias_percent is None


def test_bias_over_people_is_pooled_and_also_averaged_without_sign():
    windows = np.full(120, 4, dtype=np.uint8)  # 10 minutes
    people = [
        person_agreement(name, "set", windows, windows, minutes, 10.0) for name, minutes in (("a", 8.0), ("b", 12.5))
    ]
    found = agreement(people, np.tile(windows, 2), np.tile(windows, 2))
    assert [person.bias_percent for person in people] == pytest.approx([25, -20])
    assert found.walking_bias_percent == pytest.approx(100 * (20 / 20.5 - 1))
    assert found.mean_absolute_person_bias_percent == pytest.approx(22.5)


def test_only_a_very_low_accuracy_is_outlying():
    def person(name: str, right: int):
        predicted = np.where(np.arange(100) < right, 4, 3).astype(np.uint8)
        return person_agreement(name, "set", np.full(100, 4, dtype=np.uint8), predicted, 8.0, 8.0)

    usual = [person(str(right), right) for right in (90, 92, 94, 95, 96, 97, 98)]
    assert outlying_people(usual) == ()
    assert outlying_people([*usual, person("turned", 10)]) == ("turned",)


def test_macro_f1_is_the_mean_over_labeled_classes():
    assert macro_f1(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 2])) == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_speeds_are_evaluated_by_error_class_and_mets():
    # Slow, moderate, brisk; the second person's moderate epoch is classified as slow.
    measured = np.array([3.0, 4.5, 6.0, 4.5], dtype=np.float32)
    estimated = np.array([3.5, 4.5, 6.5, 3.5], dtype=np.float32)
    found = speed_agreement(np.array([0, 0, 0, 1]), measured, estimated, PROTOCOL)
    assert (found.people, found.windows, found.accuracy) == (2, 4, 0.75)
    assert found.mean_error_km_per_hour == pytest.approx(0)
    assert found.mean_absolute_error_km_per_hour == pytest.approx(0.5)
    assert found.confusion == ((1, 0, 0), (1, 1, 0), (0, 0, 1))
    assert found.mean_absolute_person_met_error == pytest.approx((0 + 1.0) / 2)
