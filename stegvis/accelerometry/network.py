"""An ensemble of small neural networks, each with one hidden layer of rectified linear units.

Trained by back-propagation with Adam (Kingma and Ba 2015, arXiv 1412.6980), dropout of features and hidden units
(Srivastava et al. 2014, J Mach Learn Res 15:1929) and a learning rate that decays linearly to zero. Prediction for a
week of epochs takes a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

HIDDEN = 128
EPOCHS = 4
BATCH = 128
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-4
DROPOUT = 0.05
# Standardized features are clipped at this many SD, so that a single extreme value cannot decide.
FURTHEST_SD = 4.0
# Adam's decay rates (beta 1 and beta 2) of the running means of gradients and of their squares.
GRADIENT_DECAY, SQUARE_DECAY = 0.9, 0.999
ROWS_AT_A_TIME = 4096


class Network(NamedTuple):
    """``mean`` and ``sd`` (f,) standardize the features. Then the weights and offsets of m members: from features to
    hidden units, (m, f, h) and (m, h), and from hidden units to classes, (m, h, c) and (m, c).
    """

    mean: Floats
    sd: Floats
    into_hidden: Floats
    hidden_offset: Floats
    into_class: Floats
    class_offset: Floats

    def probabilities(self, X: Floats, threads: int = 1) -> Floats:
        """Probabilities (k, c) of the rows of ``X`` (k, f), averaged over the members; the same for any ``threads``."""
        parts = [X[begin : begin + ROWS_AT_A_TIME] for begin in range(0, len(X), ROWS_AT_A_TIME)]
        with ThreadPoolExecutor(threads) as pool:
            return np.concatenate(list(pool.map(self._of_part, parts)))

    def _of_part(self, X: Floats) -> Floats:
        standard = standardize(X, self.mean, self.sd)
        votes = [_softmax(_hidden(standard, member) @ member[2] + member[3]) for member in zip(*self[2:], strict=True)]
        return np.asarray(np.mean(votes, axis=0))


def standardize(X: Floats, mean: Floats, sd: Floats) -> Floats:
    """Features (k, f) in SD from the mean, clipped at ``FURTHEST_SD``."""
    return np.asarray(np.clip((X - mean) / sd, -FURTHEST_SD, FURTHEST_SD))


def fit_network(
    X: Floats, y: NDArray[np.int64], weight: Floats, classes: int, seeds: Sequence[int], dropout: float = DROPOUT
) -> Network:
    """Networks fitted to the same rows from different initial weights, one per seed.

    Args:
        X: (k, f) features, finite.
        y: (k,) classes from zero.
        weight: (k,) weight of each row; only the ratios matter.
        classes: number of classes.
        seeds: one random seed per member.
        dropout: the share of features and hidden units that are left out at each step.
    """
    mean, sd = X.mean(axis=0), X.std(axis=0) + np.float32(1e-3)
    standard = standardize(X, mean, sd)
    target = np.eye(classes, dtype=np.float32)[y]
    members = [_fit_member(standard, target, weight / weight.mean(), seed, dropout) for seed in seeds]
    return Network(mean, sd, *(np.stack(each) for each in zip(*members, strict=True)))


def _fit_member(X: Floats, target: Floats, weight: Floats, seed: int, dropout: float) -> list[Floats]:
    generator = np.random.default_rng(seed)
    rows, features = X.shape
    parameters = [
        generator.normal(0, np.sqrt(2 / features), (features, HIDDEN)).astype(np.float32),
        np.zeros(HIDDEN, dtype=np.float32),
        generator.normal(0, np.sqrt(1 / HIDDEN), (HIDDEN, target.shape[1])).astype(np.float32),
        np.zeros(target.shape[1], dtype=np.float32),
    ]
    first, second = ([np.zeros_like(each) for each in parameters] for _ in range(2))
    size = min(BATCH, rows)
    steps = EPOCHS * (rows // size)
    step = 0
    for _ in range(EPOCHS):
        order = generator.permutation(rows)
        for begin in range(0, rows - size + 1, size):
            some = order[begin : begin + size]
            gradients = _gradients(X[some], target[some], weight[some], parameters, dropout, generator)
            step += 1
            rate = LEARNING_RATE * (1 - step / steps)
            for each, gradient, m, v in zip(parameters, gradients, first, second, strict=True):
                m += (1 - GRADIENT_DECAY) * (gradient - m)
                v += (1 - SQUARE_DECAY) * (np.square(gradient) - v)
                size_of_step = np.sqrt(v / (1 - SQUARE_DECAY**step)) + 1e-8
                each -= (rate / (1 - GRADIENT_DECAY**step) * m / size_of_step).astype(np.float32)
    return parameters


def _gradients(
    X: Floats,
    target: Floats,
    weight: Floats,
    parameters: list[Floats],
    dropout: float,
    generator: np.random.Generator,
) -> list[Floats]:
    """Gradients of the weighted cross-entropy, with dropout of features and hidden units."""
    X = X * _mask(X.shape, dropout, generator)
    active = _hidden(X, parameters)
    mask = _mask(active.shape, dropout, generator)
    hidden = active * mask
    found = _softmax(np.asarray(hidden @ parameters[2] + parameters[3]))
    error = (found - target) * (weight[:, None] / np.float32(len(X)))
    behind = (error @ parameters[2].T) * mask * (active > 0)
    return [
        X.T @ behind + np.float32(WEIGHT_DECAY) * parameters[0],
        behind.sum(axis=0),
        hidden.T @ error + np.float32(WEIGHT_DECAY) * parameters[2],
        error.sum(axis=0),
    ]


def _mask(shape: tuple[int, ...], dropout: float, generator: np.random.Generator) -> Floats:
    return np.asarray((generator.random(shape, dtype=np.float32) >= dropout) / np.float32(1 - dropout))


def _hidden(X: Floats, parameters: Sequence[Floats]) -> Floats:
    return np.asarray(np.maximum(X @ parameters[0] + parameters[1], 0))


def _softmax(values: Floats) -> Floats:
    power = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(power / power.sum(axis=1, keepdims=True))
