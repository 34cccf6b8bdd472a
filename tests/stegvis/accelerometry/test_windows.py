import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stegvis.accelerometry.activity import UNLABELED
from stegvis.accelerometry.windows import (
    CHUNK,
    THIGH_AND_BACK,
    chunks,
    continues,
    gather,
    in_their_places,
    label_counts,
    majority_labels,
    signal_windows,
    window_starts,
)
from tests.stegvis.accelerometry.settings import EPOCHS, SIZE
from tests.stegvis.accelerometry.simulated_signals import clock

SECOND = np.timedelta64(1, "s")


def with_gaps(lengths: list[int], gap: np.timedelta64 = SECOND) -> np.ndarray:
    times = clock(sum(lengths))
    for border in np.cumsum(lengths)[:-1]:
        times[border:] += gap
    return times


def test_only_whole_windows_count():
    assert window_starts(clock(1100), EPOCHS).tolist() == [0, 250, 500, 750]
    assert window_starts(clock(249), EPOCHS).tolist() == []


def test_a_new_window_begins_after_a_gap():
    assert window_starts(with_gaps([600, 200, 500]), EPOCHS).tolist() == [0, 250, 800, 1050]


def test_an_interval_of_the_largest_gap_is_not_a_gap():
    # 20 ms and another 80 ms make 0.1 s, which the protocol allows.
    assert window_starts(with_gaps([100, 150], np.timedelta64(80, "ms")), EPOCHS).tolist() == [0]
    assert window_starts(with_gaps([100, 150], np.timedelta64(81, "ms")), EPOCHS).tolist() == []


@given(st.lists(st.integers(1, 900), min_size=1, max_size=6))
def test_no_window_crosses_a_gap_or_another_window(lengths):
    times = with_gaps(lengths)
    starts = window_starts(times, EPOCHS)
    assert len(starts) == sum(length // 250 for length in lengths)
    assert (np.diff(starts) >= 250).all()
    assert (times[starts + 249] - times[starts] == 249 * np.timedelta64(20, "ms")).all()


def test_a_window_continues_the_one_before_unless_a_gap_is_between():
    times = with_gaps([500, 250, 300, 250])
    assert window_starts(times, EPOCHS).tolist() == [0, 250, 500, 750, 1050]
    assert continues(times, window_starts(times, EPOCHS), EPOCHS).tolist() == [False, True, False, False, False]


def test_chunks_hold_the_samples_in_order():
    samples = np.arange(250 * (CHUNK + 3) * 6, dtype=np.float32).reshape(-1, 6)
    starts = window_starts(clock(len(samples)), EPOCHS)
    parts = list(chunks(samples, starts, SIZE))
    assert [len(part) for part in parts] == [CHUNK, 3]
    assert np.array_equal(np.concatenate(parts).reshape(-1, 6), samples)


def test_the_majority_labels_a_window():
    labels = np.array([4] * 130 + [3] * 120 + [2] * 100 + [UNLABELED] * 150, dtype=np.uint8)
    starts = np.array([0, 250])
    assert majority_labels(labels, starts, SIZE).tolist() == [4, UNLABELED]
    assert label_counts(labels, starts, SIZE)[0].tolist() == [0, 0, 0, 120, 130, 0, 0, 0]


def test_a_tie_goes_to_the_smaller_code():
    labels = np.array([4] * 125 + [3] * 125, dtype=np.uint8)
    assert majority_labels(labels, np.array([0]), SIZE).tolist() == [3]


def test_swapped_epochs_are_read_in_their_places_and_the_signal_stays():
    signal = np.random.default_rng(1).normal(size=(600 * 250, 6)).astype(np.float32)
    before = signal.copy()
    swapped = np.arange(600) >= 300
    windows = signal_windows(signal, np.arange(600) * 250, 250)
    which = np.array([1, 250, 299, 300, 301, 599])
    found = gather(in_their_places(windows, swapped), which, 250)
    expected = gather(windows, which, 250)
    assert np.array_equal(found[:3], expected[:3])
    assert np.array_equal(found[3:], expected[3:][:, :, THIGH_AND_BACK])
    assert np.array_equal(signal, before)
    assert in_their_places(windows, np.zeros(600, dtype=bool)) is windows
