import numpy as np
import pytest

from stegvis.accelerometry.activity import ACTIVITIES, NTNU_LABELS, SPEEDS, UNLABELED, from_ntnu_labels


def test_codes_are_the_fixed_small_integers():
    assert ACTIVITIES == {
        "nonwear": 0,
        "lying": 1,
        "sitting": 2,
        "standing": 3,
        "walking": 4,
        "running": 5,
        "cycling": 6,
    }
    assert SPEEDS == {"not_walking": 0, "slow": 1, "moderate": 2, "brisk": 3}


def test_stairs_are_walking_and_shuffling_is_standing():
    assert from_ntnu_labels([1, 4, 5, 3, 6]).tolist() == [4, 4, 4, 3, 3]


def test_every_known_label_is_merged():
    codes = from_ntnu_labels(list(NTNU_LABELS))
    assert codes.dtype == np.uint8
    assert codes.tolist() == [int(code) for code in NTNU_LABELS.values()]


def test_missing_and_unknown_labels_carry_no_activity():
    assert from_ntnu_labels([np.nan, 99, 7]).tolist() == [UNLABELED, UNLABELED, 2]


def test_text_labels_are_refused_without_quoting_them():
    with pytest.raises(ValueError, match="not NTNU numbers") as refused:
        from_ntnu_labels(["walk_slow"])
    assert "walk_slow" not in str(refused.value)
