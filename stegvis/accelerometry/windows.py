"""Cut a signal into epochs: where windows begin, their samples, and their labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.activity import UNLABELED
from stegvis.accelerometry.signal import largest_gap
from stegvis.study.protocol import Epochs

# Windows processed at a time: large enough for fast matrix products, small enough for the processor's cache.
CHUNK = 256

# The columns of a window whose sensors are swapped.
THIGH_AND_BACK = [3, 4, 5, 0, 1, 2]

# The samples of a recording's epochs: takes the numbers of some epochs, in order, and yields their windows in chunks of
# shape (at most ``CHUNK``, samples per epoch, 6), in g. The memory of a chunk may be reused for the next one.
Windows = Callable[[NDArray[np.int64]], Iterator[NDArray[np.float32]]]


def window_starts(timestamps: NDArray[Any], epoch_rules: Epochs) -> NDArray[np.int64]:
    """Index of the first sample of each window; windows do not overlap and never cross a gap.

    The first window after a gap begins at the first sample after it, so time always follows the timestamps and never a
    sample count.

    Args:
        timestamps: (n,) datetime64, increasing.
        epoch_rules: the length of a window, and what counts as a gap.
    """
    size = epoch_rules.samples_per_epoch
    after_gap = np.flatnonzero(np.diff(timestamps) > largest_gap(epoch_rules)) + 1
    borders = np.concatenate([[0], after_gap, [len(timestamps)]])
    first, counts = borders[:-1], np.diff(borders) // size
    # Number the windows within each segment: 0, 1, ... counts - 1.
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.asarray(np.repeat(first, counts) + within * size)


def continues(timestamps: NDArray[Any], starts: NDArray[np.int64], epoch_rules: Epochs) -> NDArray[np.bool_]:
    """(k,) whether each window begins where the previous one ends, without a gap; false for the first."""
    size = epoch_rules.samples_per_epoch
    adjacent = np.diff(starts, prepend=starts[:1] - size - 1) == size
    without_gap = timestamps[starts] - timestamps[np.maximum(starts - 1, 0)] <= largest_gap(epoch_rules)
    return np.asarray(adjacent & without_gap)


def chunks(acceleration: NDArray[np.float32], starts: NDArray[np.int64], size: int) -> Iterator[NDArray[np.float32]]:
    """The windows of ``size`` samples, in order, in chunks of shape (at most ``CHUNK``, ``size``, 6)."""
    for begin in range(0, len(starts), CHUNK):
        some = starts[begin : begin + CHUNK]
        if some[-1] - some[0] == (len(some) - 1) * size:
            # Windows without a gap between them are contiguous in memory.
            yield acceleration[some[0] : some[-1] + size].reshape(len(some), size, -1)
        else:
            yield acceleration[some[:, None] + np.arange(size)]


def signal_windows(acceleration: NDArray[np.float32], starts: NDArray[np.int64], size: int) -> Windows:
    """The windows of a whole signal in memory.

    Args:
        acceleration: (n, 6) in g.
        starts: (k,) first sample of each epoch.
        size: samples per epoch.
    """
    return lambda which: chunks(acceleration, starts[which], size)


def in_their_places(windows: Windows, swapped: NDArray[np.bool_]) -> Windows:
    """The windows with back and thigh in their places, of k epochs; ``swapped`` (k,) is where they are not."""
    if not swapped.any():
        return windows

    def read(which: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
        for begin, some in zip(range(0, len(which), CHUNK), windows(which), strict=True):
            here = swapped[which[begin : begin + len(some)]]
            if here.any():
                # A copy: the memory may be that of the signal itself.
                some = some.copy()
                some[here] = some[here][:, :, THIGH_AND_BACK]
            yield some

    return read


def gather(windows: Windows, which: NDArray[np.int64], size: int) -> NDArray[np.float32]:
    """The windows of the epochs numbered ``which`` as one array: (len(which), ``size``, 6)."""
    gathered = np.empty((len(which), size, 6), dtype=np.float32)
    for begin, some in zip(range(0, len(which), CHUNK), windows(which), strict=True):
        gathered[begin : begin + len(some)] = some
    return gathered


def majority_labels(labels: NDArray[np.uint8], starts: NDArray[np.int64], size: int) -> NDArray[np.uint8]:
    """The most frequent activity code in each window; on a tie the smaller code.

    Args:
        labels: (n,) activity code of each sample, ``UNLABELED`` where there is none.
        starts: (k,) first sample of each window.
        size: samples per window.

    Returns:
        (k,) codes, ``UNLABELED`` where most of the window has no label.
    """
    counts = label_counts(labels, starts, size)
    codes = np.append(np.arange(counts.shape[1] - 1), UNLABELED)
    return np.asarray(codes[counts.argmax(axis=1)], dtype=np.uint8)


def label_counts(labels: NDArray[np.uint8], starts: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Samples of each activity code in each window of ``size`` samples: (k, 8), the last column is unlabeled."""
    in_windows = labels[starts[:, None] + np.arange(size)]
    columns = [(in_windows == code).sum(axis=1) for code in (*range(7), UNLABELED)]
    return np.stack(columns, axis=1)
