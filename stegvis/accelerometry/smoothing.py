"""Smooth the probabilities of epochs, and of seconds, over time with a hidden Markov model.

Forward-backward smoothing (Rabiner 1989, doi 10.1109/5.18626). The transitions are learned from labeled hours that were
partly scripted rather than free-living. They and the class shares are therefore tempered, that is, raised to a power
below one, so that the signal dominates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TRANSITION_POWER = 0.5
SHARE_POWER = 0.25
# Windows about adjacent seconds share most of their samples, so each second's evidence is tempered as well.
SECOND_EVIDENCE_POWER = 0.5
# The smoother runs over many stretches of ``STRETCH`` epochs in parallel. Each is extended by ``RUN_UP`` epochs at both
# ends, after which the influence of the starting state is negligible.
STRETCH = 240
RUN_UP = 60
# Stretches in memory at a time.
AT_ONCE = 256


@dataclass(frozen=True)
class Transitions:
    """``probability`` (c, c): from class i (row) to class j in the next epoch (or second); ``share`` (c,): of all."""

    probability: Floats
    share: Floats


def learn_transitions(sequences: Iterable[tuple[NDArray[np.int64], NDArray[np.bool_]]], classes: int) -> Transitions:
    """Count transitions, with half a count added to each, and temper them.

    Args:
        sequences: per recording the class of each epoch (k,), below zero where unlabeled, and whether the epoch follows
            directly on the previous one (k,).
        classes: number of classes.
    """
    counts = np.full((classes, classes), 0.5)
    shares = np.full(classes, 0.5)
    for labels, follows in sequences:
        labeled = labels >= 0
        pairs = follows[1:] & labeled[1:] & labeled[:-1]
        np.add.at(counts, (labels[:-1][pairs], labels[1:][pairs]), 1)
        shares += np.bincount(labels[labeled], minlength=classes)
    probability = (counts / counts.sum(axis=1, keepdims=True)) ** TRANSITION_POWER
    share = (shares / shares.sum()) ** SHARE_POWER
    return Transitions(probability / probability.sum(axis=1, keepdims=True), share / share.sum())


def smooth_seconds(
    probabilities: NDArray[np.floating], follows: NDArray[np.bool_], transitions: Transitions
) -> NDArray[np.float32]:
    """Each second's probabilities given the whole recording.

    Args:
        probabilities: (k, s, c) of the s seconds of k epochs, each from a window about it.
        follows: (k, s) whether the second directly follows the previous one.
        transitions: from second to second, of c classes.

    Returns:
        (k, s, c), as of ``smooth``.
    """
    k, seconds, classes = probabilities.shape
    share = transitions.share.astype(np.float32)
    tempered = np.maximum(probabilities, np.float32(1e-6)) / share
    tempered **= SECOND_EVIDENCE_POWER
    tempered *= share
    found = smooth(tempered.reshape(k * seconds, classes), follows.ravel(), transitions)
    return found.reshape(k, seconds, classes)


def smooth(
    probabilities: NDArray[np.floating], follows: NDArray[np.bool_], transitions: Transitions
) -> NDArray[np.float32]:
    """Each epoch's probabilities given the whole recording.

    Args:
        probabilities: (k, c) of each epoch alone.
        follows: (k,) whether the epoch directly follows the previous one; where not, nothing is carried over.
        transitions: of c classes.

    Returns:
        (k, c) float32, rows sum to 1. Equal to plain forward-backward to about 1e-6 (see ``RUN_UP``).
    """
    begins = np.arange(-(-len(probabilities) // STRETCH)) * STRETCH
    smoothed = np.empty((len(begins) * STRETCH, probabilities.shape[1]), dtype=np.float32)
    for first in range(0, len(begins), AT_ONCE):
        some = begins[first : first + AT_ONCE]
        here = slice(first * STRETCH, (first + len(some)) * STRETCH)
        smoothed[here] = _smooth_stretches(some, probabilities, follows, transitions)
    return smoothed[: len(probabilities)]


def _smooth_stretches(
    begins: NDArray[np.int64],
    probabilities: NDArray[np.floating],
    follows: NDArray[np.bool_],
    transitions: Transitions,
) -> Floats:
    """``smooth`` of the stretches that begin at these positions: (stretches * ``STRETCH``, c)."""
    k = len(probabilities)
    # (stretches, run-up + stretch + run-up) positions; outside the recording there is no evidence.
    position = begins[:, None] + np.arange(-RUN_UP, STRETCH + RUN_UP)
    inside, first = (position >= 0) & (position < k), position == 0
    position = np.clip(position, 0, k - 1)
    # The likelihood of each class up to a constant: its probability divided by the class's share in training.
    seen = np.where(inside[..., None], np.maximum(probabilities[position], 1e-6) / transitions.share, 1.0)
    linked = inside & ~first & follows[position]
    linked[:, 0] = False

    forward = np.empty_like(seen)
    state = np.tile(transitions.share, (len(begins), 1))
    for t in range(seen.shape[1]):
        state = np.where(linked[:, t, None], state @ transitions.probability, transitions.share) * seen[:, t]
        state /= state.sum(axis=1, keepdims=True)
        forward[:, t] = state
    smoothed = np.empty_like(seen)
    behind = np.ones((len(begins), seen.shape[2]))
    for t in range(seen.shape[1] - 1, -1, -1):
        smoothed[:, t] = forward[:, t] * behind
        behind = np.where(linked[:, t, None], (seen[:, t] * behind) @ transitions.probability.T, 1.0)
        behind /= behind.sum(axis=1, keepdims=True)
    smoothed /= smoothed.sum(axis=2, keepdims=True)
    return np.asarray(smoothed[:, RUN_UP : RUN_UP + STRETCH].reshape(-1, seen.shape[2]))
