"""Random streams by name, and the few kinds of draw that the twin needs."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from stegvis.twin.parameters import Effects

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

AGE_ORIGIN = 55.0


def stream(seed: int, name: str) -> np.random.Generator:
    """A generator for one concern, so that drawing more of one thing never changes another.

    The name enters the seed by its CRC-32, which is the same on every machine and in every session.
    """
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def background(effects: Effects, age: Floats, male: Flags, position: Floats, health: Floats) -> Floats:
    """The linear predictor of a person's background (n,): age in decades from 55, sex, position and health in SD."""
    decades = (age - AGE_ORIGIN) / 10.0
    return (
        effects.age * decades
        + effects.age_squared * decades**2
        + effects.male * male
        + effects.position * position
        + effects.health * health
    )


def standardized(values: Floats, within: Flags | None = None) -> Floats:
    """Values (n,) less their mean, over their SD, both taken ``within`` a group; zeros when they do not vary."""
    group = values if within is None else values[within]
    if group.size == 0 or (spread := float(group.std())) == 0.0:
        return np.zeros_like(values)
    return np.asarray((values - group.mean()) / spread)


def levels(latent: Floats, shares: Sequence[float]) -> Integers:
    """Cut a latent score (n,) so that levels 0, 1, ... have the given shares of the people at hand."""
    if latent.size == 0:
        return np.zeros(0, dtype=np.int64)
    cuts = np.quantile(latent, np.cumsum(shares)[:-1])
    return np.searchsorted(cuts, latent, side="left").astype(np.int64)


def probabilities(log_odds: Floats, share: float, within: Flags) -> Floats:
    """Probabilities (n,) of a logistic model with mean ``share`` ``within`` a group; an empty group: no shift."""
    if not within.any() or not 0.0 < share < 1.0:
        shift = float(special.logit(share)) if 0.0 < share < 1.0 else (np.inf if share else -np.inf)
    else:
        group = log_odds[within]
        shift = float(optimize.brentq(lambda c: float(special.expit(group + c).mean()) - share, -60.0, 60.0))
    return np.asarray(special.expit(log_odds + shift))


def top(scores: Floats, count: int, within: Flags) -> Flags:
    """Everyone (n,) whose score reaches that of the ``count``-th highest ``within`` a group.

    With scores of a linear predictor plus logistic noise this is a logistic choice with an exact number chosen.

    Raises:
        ValueError: the group is smaller than ``count``.
    """
    group = np.sort(scores[within])
    if count > group.size:
        raise ValueError(f"cannot choose {count} of {group.size} people")
    if count == 0:
        return np.zeros(scores.size, dtype=bool)
    return np.asarray(scores >= group[-count])


def correlated_uniform(person: Floats, own: Floats, correlation: float) -> Floats:
    """Uniform scores (n,) sharing a person's standard normal ``person`` across occasions (Gaussian copula)."""
    return np.asarray(special.ndtr(np.sqrt(correlation) * person + np.sqrt(1.0 - correlation) * own))


def identifiers(rng: np.random.Generator, count: int) -> npt.NDArray[np.str_]:
    """Opaque identifiers (count,): 'P' and six characters, all different, in random order."""
    alphabet = np.array(list("ABCDEFGHJKLMNPQRSTUVWXYZ23456789"))
    size, length = alphabet.size, 6
    drawn = rng.integers(0, size**length, size=2 * count + 16)
    _, first = np.unique(drawn, return_index=True)
    numbers = drawn[np.sort(first)][:count]
    letters = alphabet[numbers[:, None] // size ** np.arange(length) % size]
    text = np.array(["P"])[:, None]
    return np.concatenate([np.repeat(text, count, axis=0), letters], axis=1).view(f"<U{length + 1}")[:, 0]
