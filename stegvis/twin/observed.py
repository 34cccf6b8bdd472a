"""What a study of the twin would see: each person's walking as recorded, its quarters, and the covariates.

The arithmetic is written without the pipeline's code (``sql/``, ``stegvis.statistics``), so that the twin is an
independent check of the pipeline and a mistake in one does not hide in the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stegvis.study.protocol import Covariates, Exposures
from stegvis.twin.draws import AGE_ORIGIN, Flags, Floats, Integers
from stegvis.twin.population import Population, is_depressed
from stegvis.twin.walking import BRISK, LYING, MODERATE, SITTING, SLOW, STANDING, WALKING, Days


@dataclass(frozen=True)
class Observed:
    """Everyone's walking as recorded (n,), before any selection.

    Attributes:
        valid_days: valid walking days; 0 for people without a recording.
        volume: mean walking minutes a day over the valid days; NaN for people without one.
        intensity: mean walking MET; NaN for people without a valid day.
    """

    valid_days: Integers
    volume: Floats
    intensity: Floats

    @property
    def valid(self) -> Flags:
        """Mask (n,): at least one valid walking day."""
        return self.valid_days > 0


def valid_walking_days(days: Days) -> Flags:
    """Mask (m, 7) of valid days: worn, and none of lying, sitting, standing and walking is zero (a blank may be)."""
    return np.asarray(days.worn & (days.seconds[..., [LYING, SITTING, STANDING, WALKING]] != 0.0).all(axis=2))


def observe(population: Population, days: Days, exposures: Exposures) -> Observed:
    """Walking as recorded: total seconds over the valid days, by speed, with the METs of ``exposures``."""
    n = len(population)
    counted = valid_walking_days(days)
    totals = np.where(counted[..., None], days.seconds[..., [SLOW, MODERATE, BRISK]], 0.0).sum(axis=1)
    valid_days = np.zeros(n, dtype=np.int64)
    valid_days[days.rows] = counted.sum(axis=1)
    volume, intensity = np.full(n, np.nan), np.full(n, np.nan)
    with np.errstate(invalid="ignore"):
        volume[days.rows] = totals.sum(axis=1) / counted.sum(axis=1) / 60.0
        intensity[days.rows] = mean_met(totals, exposures)
    return Observed(valid_days, volume, intensity)


def mean_met(seconds: Floats, exposures: Exposures) -> Floats:
    """Mean MET (m,) of walking seconds by speed (m, 3): slow, moderate, brisk; NaN without walking."""
    return np.asarray(seconds @ np.array(exposures.needed_mets()) / seconds.sum(axis=1))


def quartile_cuts(values: Floats) -> Floats:
    """Three cuts; where n*p is a whole number, the mean of the two neighbors."""
    ordered = np.sort(values)
    places = ordered.size * np.array([1, 2, 3]) / 4.0
    upper = ordered[np.minimum(np.floor(places).astype(np.int64), ordered.size - 1)]
    lower = ordered[np.ceil(places).astype(np.int64) - 1]
    return np.asarray((lower + upper) / 2.0)


def quarters(values: Floats) -> Integers:
    """Quarter 0 to 3 of each value (k,); a value equal to a cut belongs to the lower quarter."""
    return np.asarray((values[:, None] > quartile_cuts(values)).sum(axis=1))


def covariates(population: Population, who: Flags, coding: Covariates) -> Floats:
    """The adjusted model's covariates (k, 15) of the chosen: age in decades from 55, indicators of the others."""

    def indicators(codes: Floats, levels: int) -> Floats:
        return np.asarray(codes[:, None] == np.arange(1, levels), dtype=np.float64)

    people = population.people[who]
    return np.column_stack(
        [
            (people["age"] - AGE_ORIGIN) / 10.0,
            people["male"],
            indicators(people["education"].to_numpy(), 6),
            indicators(people["income"].to_numpy(), 5),
            ~people["employed"].to_numpy(dtype=bool),
            indicators(people["smoking"].to_numpy(), 3),
            is_depressed(population, coding)[who],
        ]
    ).astype(np.float64)


def indicators_of_quarters(values: Floats) -> Floats:
    """Indicators (k, 3) of the second, third and fourth quarter."""
    return np.asarray(quarters(values)[:, None] == [1, 2, 3], dtype=np.float64)
