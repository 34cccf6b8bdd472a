"""What a study of the twin would see: each person's walking as recorded, its quarters, and the covariates.

Belongs here: the twin's own arithmetic of its observable values, written without the pipeline's code so that each can
be wrong only once. Does not belong here: drawing anything, and the pipeline's rules (``sql/``, ``stegvis.statistics``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stegvis.study.protocol import protocol
from stegvis.twin.draws import AGE_ORIGIN, Flags, Floats, Integers
from stegvis.twin.population import Population, is_depressed
from stegvis.twin.walking import BRISK, LYING, MODERATE, SITTING, SLOW, STANDING, WALKING, Days


@dataclass(frozen=True)
class Observed:
    """Everyone's walking as their recording tells it (n,), before any selection.

    Attributes:
        valid_days: days that count; 0 for people without.
        volume: mean walking minutes a day over them; NaN without.
        intensity: mean walking MET; NaN without.
    """

    valid_days: Integers
    volume: Floats
    intensity: Floats

    @property
    def valid(self) -> Flags:
        """Mask (n,): at least one valid walking day."""
        return self.valid_days > 0


def counts_as_walking(days: Days) -> Flags:
    """Mask (m, 7): worn, and nothing of lying, sitting, standing and walking is zero (a blank is not)."""
    return np.asarray(days.valid & (days.seconds[..., [LYING, SITTING, STANDING, WALKING]] != 0.0).all(axis=2))


def observe(population: Population, days: Days) -> Observed:
    """Walking as recorded: total seconds over the valid days, by speed."""
    n, rule = len(population), protocol().exposures
    counted = counts_as_walking(days)
    totals = np.where(counted[..., None], days.seconds[..., [SLOW, MODERATE, BRISK]], 0.0).sum(axis=1)
    valid_days = np.zeros(n, dtype=np.int64)
    valid_days[days.rows] = counted.sum(axis=1)
    volume, intensity = np.full(n, np.nan), np.full(n, np.nan)
    with np.errstate(invalid="ignore"):
        volume[days.rows] = totals.sum(axis=1) / counted.sum(axis=1) / 60.0
        intensity[days.rows] = totals @ [rule.met_slow, rule.met_moderate, rule.met_brisk] / totals.sum(axis=1)
    return Observed(valid_days, volume, intensity)


def quartile_cuts(values: Floats) -> Floats:
    """Three cuts; where n*p is whole, between the two neighbors."""
    ordered = np.sort(values)
    places = ordered.size * np.array([1, 2, 3]) / 4.0
    upper = ordered[np.minimum(np.floor(places).astype(np.int64), ordered.size - 1)]
    lower = ordered[np.ceil(places).astype(np.int64) - 1]
    return np.asarray((lower + upper) / 2.0)


def quarters(values: Floats) -> Integers:
    """Quarter 0 to 3 of each value (k,); a value on a cut goes to the lower."""
    return (values[:, None] > quartile_cuts(values)).sum(axis=1)


def covariates(population: Population, who: Flags) -> Floats:
    """The adjusted model's covariates (k, 15) of the chosen: age in decades from 55, and indicators of the others."""

    def indicators(codes: Floats, levels: int) -> Floats:
        return (codes[:, None] == np.arange(1, levels)).astype(np.float64)

    people = population.people[who]
    return np.column_stack(
        [
            (people["age"] - AGE_ORIGIN) / 10.0,
            people["male"],
            indicators(people["education"].to_numpy(), 6),
            indicators(people["income"].to_numpy(), 5),
            ~people["employed"].to_numpy(dtype=bool),
            indicators(people["smoking"].to_numpy(), 3),
            is_depressed(population)[who],
        ]
    ).astype(np.float64)


def indicators_of_quarters(values: Floats) -> Floats:
    """Indicators (k, 3) of the second, third and fourth quarter."""
    return (quarters(values)[:, None] == [1, 2, 3]).astype(np.float64)
