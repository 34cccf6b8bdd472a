"""Epochs of more than one activity: which they may be, and what each of their seconds is.

Most errors of a classifier of 5-second epochs lie in those that hold two activities, and counting such an epoch as one
of them makes the walking of people who walk in short bouts wrong. So where the activity may change, a window of the
usual length is classified about every second, and a hidden Markov model smooths the seconds
(``smoothing.smooth_seconds``). Elsewhere all seconds of an epoch have its own window.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stegvis.accelerometry.features import features
from stegvis.accelerometry.network import Network
from stegvis.accelerometry.windows import CHUNK, Windows, gather
from stegvis.study.protocol import Epochs

# An epoch whose activity is less probable than this may hold two.
SURE = 0.9


class MixedEpochs(NamedTuple):
    """Epochs of more than one activity.

    ``epoch`` (m,) are their positions among all epochs, increasing; ``columns`` (m, seconds per epoch) what each second
    is, by the names of the columns of epochs.
    """

    epoch: NDArray[np.int64]
    columns: Mapping[str, NDArray[Any]]

    def at(self, positions: NDArray[np.int64]) -> MixedEpochs:
        """The same epochs where the epochs have these positions (k,) among others."""
        return self._replace(epoch=positions[self.epoch])


def split_mixed(epochs: pd.DataFrame, mixed: MixedEpochs, epoch_seconds: int) -> pd.DataFrame:
    """The rows of epochs with every mixed one replaced by a row for each second of it.

    Args:
        epochs: one row per epoch in time order, with ``epoch_start`` (datetime64) and the columns of ``mixed``.
        mixed: which of them are mixed.
        epoch_seconds: length of an epoch.

    Returns:
        The same columns and ``seconds``, the length of each row: that of an epoch, or 1.
    """
    is_mixed = np.zeros(len(epochs), dtype=bool)
    is_mixed[mixed.epoch] = True
    row = np.repeat(np.arange(len(epochs)), np.where(is_mixed, epoch_seconds, 1))
    split = is_mixed[row]
    rows = epochs.iloc[row].reset_index(drop=True)
    for name, values in mixed.columns.items():
        column = rows[name].to_numpy(copy=True)
        column[split] = values.ravel()
        rows[name] = column
    place = np.zeros(len(row), dtype=np.int64)
    place[split] = np.tile(np.arange(epoch_seconds), len(mixed.epoch))
    rows["epoch_start"] += (1000 * place).astype("timedelta64[ms]")
    rows["seconds"] = np.where(split, 1, epoch_seconds).astype(np.int32)
    return rows


def may_be_mixed(best: NDArray[Any], confidence: NDArray[np.floating], follows: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Positions of epochs that may hold two activities: those beside a change, and those that are not ``SURE``.

    Args:
        best: (k,) the most probable activity of each epoch.
        confidence: (k,) its probability.
        follows: (k,) whether each epoch directly follows the previous one.
    """
    looked_at = confidence < SURE
    change = follows[1:] & (best[1:] != best[:-1])
    looked_at[1:] |= change
    looked_at[:-1] |= change
    return np.flatnonzero(looked_at)


def second_follows(follows: NDArray[np.bool_], epoch_seconds: int) -> NDArray[np.bool_]:
    """(k, ``epoch_seconds``) whether each second directly follows the previous one, from the same of epochs (k,)."""
    seconds = np.ones((len(follows), epoch_seconds), dtype=bool)
    seconds[:, 0] = follows
    return seconds


def probabilities_by_second(
    windows: Windows,
    which: NDArray[np.int64],
    follows: NDArray[np.bool_],
    alone: NDArray[np.float32],
    network: Network,
    epoch_rules: Epochs,
) -> NDArray[np.float32]:
    """Class probabilities (k, seconds per epoch, classes) of every second, from a window about it.

    Args:
        windows: of k epochs.
        which: positions of the epochs whose seconds have windows of their own; the seconds of others have the epoch's.
        follows: (k,) whether each epoch directly follows the previous one. A window does not reach over a gap.
        alone: (k, classes) probabilities of each epoch's own window.
        network: gives the probabilities.
        epoch_rules: length and sampling rate of the epochs.
    """
    by_second = np.repeat(alone[:, None, :], epoch_rules.seconds, axis=1)
    others = [second for second in range(epoch_rules.seconds) if _shift(second, epoch_rules)]
    at_once = max(1, CHUNK // max(len(others), 1))
    for begin in range(0, len(which) if others else 0, at_once):
        some = which[begin : begin + at_once]
        around = _windows_about(windows, some, follows, others, epoch_rules)
        found = network.probabilities(features(around, epoch_rules.sampling_rate_hz))
        by_second[some[:, None], others] = found.reshape(len(some), len(others), -1)
    return by_second


def _shift(second: int, epoch_rules: Epochs) -> int:
    """Samples from the beginning of an epoch to that of the window about one of its seconds."""
    return (2 * second - (epoch_rules.seconds - 1)) * epoch_rules.sampling_rate_hz // 2


def _windows_about(
    windows: Windows, some: NDArray[np.int64], follows: NDArray[np.bool_], seconds: list[int], epoch_rules: Epochs
) -> NDArray[np.float32]:
    """Windows (n * seconds, samples, 6) about these seconds of n epochs, cut from each epoch and its neighbors."""
    size = epoch_rules.samples_per_epoch
    has_before = follows[some]
    has_after = np.append(follows, False)[some + 1]
    three = np.stack([some - has_before, some, some + has_after])
    needed, place = np.unique(three, return_inverse=True)
    samples = gather(windows, needed, size)[place.reshape(three.shape).T].reshape(len(some), 3 * size, 6)
    start = size + np.array([_shift(second, epoch_rules) for second in seconds])
    start = np.clip(start, np.where(has_before, 0, size)[:, None], np.where(has_after, 2 * size, size)[:, None])
    inside = start[:, :, None] + np.arange(size)
    return np.asarray(samples[np.arange(len(some))[:, None, None], inside].reshape(-1, size, 6))
