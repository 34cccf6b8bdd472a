"""A small neural network: one hidden layer of rectified units, several of them averaged.

Next to the trees because it errs elsewhere: trees cut each feature at steps, a network leans on weighted sums of them.
Trained by back-propagation with Adam (Kingma and Ba 2015, arXiv 1412.6980), dropout of features and hidden units
(Srivastava et al. 2014, J Mach Learn Res 15:1929) and a learning rate that falls to nothing. A week takes a fraction of
a second, and no further library is needed.

Belongs here: fitting, applying and writing down networks of any features and classes. Does not belong here: which.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

HIDDEN = 128
EPOCHS = 12
BATCH = 128
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-4
DROPOUT = 0.05
# Features count as no further from the mean than this, in SD: nothing outlandish may decide alone.
FURTHEST_SD = 4.0
# Adam's memory of gradients and of their squares.
MEMORY, SQUARE_MEMORY = 0.9, 0.999
ROWS_AT_A_TIME = 4096


@dataclass(frozen=True)
class Network:
    """``mean`` and ``sd`` (f,) standardize; ``members`` each hold weights (f, h), (h, c) and offsets (h,), (c,)."""

    mean: Floats
    sd: Floats
    members: tuple[tuple[Floats, Floats, Floats, Floats], ...]

    def probabilities(self, X: Floats) -> Floats:
        """Probabilities (k, c) of the rows of ``X`` (k, f): the mean over the members."""
        parts = []
        for begin in range(0, len(X), ROWS_AT_A_TIME):
            standard = self._standardize(X[begin : begin + ROWS_AT_A_TIME])
            votes = [_softmax(_hidden(standard, each) @ each[2] + each[3]) for each in self.members]
            parts.append(np.mean(votes, axis=0))
        return np.concatenate(parts)

    def _standardize(self, X: Floats) -> Floats:
        return np.asarray(np.clip((X - self.mean) / self.sd, -FURTHEST_SD, FURTHEST_SD))


def fit_network(X: Floats, y: NDArray[np.int64], weight: Floats, classes: int, seeds: Sequence[int]) -> Network:
    """Networks fitted to the same rows from different beginnings, one per seed.

    Args:
        X: (k, f) features, finite.
        y: (k,) classes from zero.
        weight: (k,) of each row; only their ratios count.
        classes: number of classes.
        seeds: of each member.
    """
    mean, sd = X.mean(axis=0), X.std(axis=0) + np.float32(1e-3)
    bare = Network(mean, sd, ())
    standard = bare._standardize(X)
    target = np.eye(classes, dtype=np.float32)[y]
    members = tuple(_fit_member(standard, target, weight / weight.mean(), seed) for seed in seeds)
    return Network(mean, sd, members)


def _fit_member(X: Floats, target: Floats, weight: Floats, seed: int) -> tuple[Floats, Floats, Floats, Floats]:
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
            gradients = _gradients(X[some], target[some], weight[some], parameters, generator)
            step += 1
            rate = LEARNING_RATE * (1 - step / steps)
            for each, gradient, m, v in zip(parameters, gradients, first, second, strict=True):
                m += (1 - MEMORY) * (gradient - m)
                v += (1 - SQUARE_MEMORY) * (np.square(gradient) - v)
                size_of_step = np.sqrt(v / (1 - SQUARE_MEMORY**step)) + 1e-8
                each -= (rate / (1 - MEMORY**step) * m / size_of_step).astype(np.float32)
    return parameters[0], parameters[1], parameters[2], parameters[3]


def _gradients(
    X: Floats, target: Floats, weight: Floats, parameters: list[Floats], generator: np.random.Generator
) -> list[Floats]:
    """Of the weighted cross-entropy, with some features and hidden units left out by chance."""
    X = X * _mask(X.shape, generator)
    active = _hidden(X, parameters)
    mask = _mask(active.shape, generator)
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


def _mask(shape: tuple[int, ...], generator: np.random.Generator) -> Floats:
    return np.asarray((generator.random(shape, dtype=np.float32) >= DROPOUT) / np.float32(1 - DROPOUT))


def _hidden(X: Floats, parameters: Sequence[Floats]) -> Floats:
    return np.asarray(np.maximum(X @ parameters[0] + parameters[1], 0))


def _softmax(values: Floats) -> Floats:
    power = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(power / power.sum(axis=1, keepdims=True))


def network_as_text(network: Network) -> str:
    """A network as JSON, to be kept inside the model file; numbers keep every bit."""
    members = [[part.tolist() for part in each] for each in network.members]
    return json.dumps({"mean": network.mean.tolist(), "sd": network.sd.tolist(), "members": members})


def network_from_text(text: str) -> Network:
    """The inverse of ``network_as_text``."""
    read = json.loads(text)
    members = [[np.array(part, dtype=np.float32) for part in each] for each in read["members"]]
    return Network(
        np.array(read["mean"], dtype=np.float32),
        np.array(read["sd"], dtype=np.float32),
        tuple((m[0], m[1], m[2], m[3]) for m in members),
    )
