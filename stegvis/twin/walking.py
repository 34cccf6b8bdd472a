"""How much and how fast the twin's people walk, and how they spend the rest of the day.

Habitual (true) walking, day-to-day variation, day totals of the nine activities, and detached sensors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stegvis.study.protocol import Exposures, Protocol
from stegvis.twin.draws import AGE_ORIGIN, Flags, Floats, Integers, standardized, stream
from stegvis.twin.parameters import Parameters, RecordedDays, Sport, Walking
from stegvis.twin.population import Population

# The order of the last axis of `Days.seconds`.
ACTIVITIES = (
    "lying",
    "sitting",
    "standing",
    "walking_slow",
    "walking_moderate",
    "walking_brisk",
    "walking",
    "running",
    "cycling",
)
LYING, SITTING, STANDING, SLOW, MODERATE, BRISK, WALKING, RUNNING, CYCLING = range(9)


@dataclass(frozen=True)
class Habits:
    """Everyone's true walking.

    Attributes:
        volume: minutes a day (n,).
        intensity: mean MET of walking (n,), above that of slow walking.
    """

    volume: Floats
    intensity: Floats


@dataclass(frozen=True)
class Days:
    """Day totals of the recorded people.

    Attributes:
        rows: positions (m,) of the recorded people in the population.
        seconds: (m, 7, 9) seconds per day and activity; NaN where the day was not recorded or the cell is blank.
        worn: (m, 7) the day was recorded and the sensor was on.
    """

    rows: Integers
    seconds: Floats
    worn: Flags

    @property
    def recorded(self) -> Integers:
        """Recorded days per person (m,)."""
        return np.asarray((~np.isnan(self.seconds).all(axis=2)).sum(axis=1))


def draw_habits(population: Population, seed: int, parameters: Parameters, exposures: Exposures) -> Habits:
    """Draw true walking: volume power-normal, intensity the slow-walking MET plus a squared normal.

    The power transformation is that of Box and Cox 1964, doi 10.1111/j.2517-6161.1964.tb00553.x. Both depend on age,
    sex, socioeconomic position and health; their latent scores are correlated. The margins hold among the recorded
    people.
    """
    model, recorded = parameters.walking, population.flags("recorded")
    noise = stream(seed, "walking.habits").standard_normal((2, len(population)))
    volume_score = standardized(population.background(model.volume) + noise[0], recorded)
    own = standardized(population.background(model.intensity) + noise[1], recorded)
    # The part of intensity that is independent of volume, scaled so that the two scores correlate as stated.
    if recorded.sum() > 1:
        own = own - volume_score * float(np.mean(own[recorded] * volume_score[recorded]))
    own = standardized(own, recorded)
    shared = model.intensity.correlation_with_volume
    intensity_score = shared * volume_score + np.sqrt(1.0 - shared**2) * own
    median, sd, power = model.volume.median, model.volume.sd, model.volume.power
    volume = median * np.maximum(1.0 + power * sd / median * volume_score, 0.0) ** (1.0 / power)
    volume = np.maximum(volume, model.volume.smallest)
    excess = (model.intensity.mean + model.intensity.sd * intensity_score) ** 2
    return Habits(np.asarray(volume), exposures.needed_mets()[0] + excess)


def draw_days(population: Population, habits: Habits, seed: int, parameters: Parameters, protocol: Protocol) -> Days:
    """Draw the day totals of everyone recorded, in whole epochs, each complete day summing to exactly 24 hours.

    A person's walking varies from day to day around the habit (lognormal), with the day of the week; each day's
    minutes are slow, moderate and brisk in the binomial shares (two trials) that give the day's mean MET. Once a sensor
    comes off, every later day is all lying.
    """
    rows = np.flatnonzero(population.flags("recorded"))
    seconds = np.zeros((rows.size, protocol.days.days_per_recording, len(ACTIVITIES)))
    _fill_walking(seconds, rows, population, habits, seed, parameters.walking, protocol)
    _fill_rest(seconds, rows, population, seed, parameters.walking, protocol)
    worn = _recorded_part(seconds, seed, parameters.walking.days, protocol.days.seconds_per_day)
    return Days(rows, seconds, worn)


def _stream(seed: int, concern: str) -> np.random.Generator:
    return stream(seed, f"walking.{concern}")


def _fill_walking(
    seconds: Floats,
    rows: Integers,
    population: Population,
    habits: Habits,
    seed: int,
    model: Walking,
    protocol: Protocol,
) -> None:
    """Fill in walking and its speeds, (m, d, 9) in place."""
    (m, most), epoch = seconds.shape[:2], protocol.epochs.seconds
    draw = _stream(seed, "days")
    first = population.people["baseline_date"].to_numpy()[rows].astype("datetime64[D]").astype(np.int64) + 1
    weekday = (first[:, None] + np.arange(most) + 3) % 7  # day 0 of 1970 was a Thursday
    pattern = np.array(model.days.weekday) / np.mean(model.days.weekday)
    noise = np.exp(model.days.log_sd * draw.standard_normal((m, most)) - model.days.log_sd**2 / 2.0)
    walking = np.clip(habits.volume[rows, None] * pattern[weekday] * noise, 2.0, model.days.largest_minutes)
    root = np.sqrt(habits.intensity[rows] - protocol.exposures.needed_mets()[0])
    root = root[:, None] + model.days.intensity_sd * draw.standard_normal((m, most))
    faster = np.clip(root**2 / 2.0, 0.0, 1.0)
    seconds[..., SLOW] = _whole_epochs(60.0 * walking * (1.0 - faster) ** 2, epoch)
    seconds[..., MODERATE] = _whole_epochs(60.0 * walking * 2.0 * faster * (1.0 - faster), epoch)
    seconds[..., BRISK] = _whole_epochs(60.0 * walking * faster**2, epoch)
    # Every day with walking has some slow walking.
    seconds[..., SLOW] = np.maximum(seconds[..., SLOW], epoch)
    seconds[..., WALKING] = seconds[..., SLOW] + seconds[..., MODERATE] + seconds[..., BRISK]


def _fill_rest(
    seconds: Floats, rows: Integers, population: Population, seed: int, model: Walking, protocol: Protocol
) -> None:
    """Fill in cycling, running, lying, standing and sitting, (m, d, 9) in place."""
    (m, most), epoch = seconds.shape[:2], protocol.epochs.seconds
    decades = (population.numbers("age")[rows] - AGE_ORIGIN) / 10.0
    seconds[..., CYCLING] = _sport(_stream(seed, "cycling"), model.cycling, decades, most, epoch)
    seconds[..., RUNNING] = _sport(_stream(seed, "running"), model.running, decades, most, epoch)
    rest = protocol.days.seconds_per_day - seconds[..., [WALKING, RUNNING, CYCLING]].sum(axis=2)
    draw = _stream(seed, "rest")
    lying = model.rest.lying + model.rest.lying_by_age * decades
    standing = (
        model.rest.standing
        + model.rest.standing_by_age * decades
        + model.rest.standing_male * population.flags("male")[rows]
    )
    ratios = np.exp(
        np.stack([lying, standing], axis=1)[:, None, :]
        + model.rest.person_sd * draw.standard_normal((m, 1, 2))
        + model.rest.day_sd * draw.standard_normal((m, most, 2))
    )
    parts = ratios / (1.0 + ratios.sum(axis=2, keepdims=True))
    seconds[..., LYING] = _whole_epochs(rest * parts[..., 0], epoch)
    seconds[..., STANDING] = _whole_epochs(rest * parts[..., 1], epoch)
    seconds[..., SITTING] = rest - seconds[..., LYING] - seconds[..., STANDING]


def _recorded_part(seconds: Floats, seed: int, model: RecordedDays, seconds_per_day: int) -> Flags:
    """Keep of (m, d, 9), in place, what was recorded; returns the days (m, d) that were recorded and worn."""
    m, most = seconds.shape[:2]
    draw = _stream(seed, "recording")
    count = 1 + np.asarray(draw.choice(most, size=m, p=model.recorded))
    fate, place = draw.random(m), draw.random(m)
    detached_on = np.where(fate < model.detached_from_start, 0, most)
    later = (fate >= model.detached_from_start) & (fate < model.detached_from_start + model.detached_later)
    detached_on = np.where(later, 1 + np.floor(place * count).astype(np.int64), detached_on)
    day = np.arange(most)
    worn = day < detached_on[:, None]
    seconds[~worn] = 0.0
    seconds[..., LYING] = np.where(worn, seconds[..., LYING], seconds_per_day)
    # A few cells are blank; walking itself never is.
    blank = draw.random((m, most)) < model.component_missing
    which = draw.integers(0, 3, size=(m, most))
    for number, activity in enumerate((STANDING, RUNNING, CYCLING)):
        seconds[blank & worn & (which == number), activity] = np.nan
    kept = day < count[:, None]
    seconds[~kept] = np.nan
    return np.asarray(worn & kept)


def _whole_epochs(seconds: Floats, epoch_seconds: int) -> Floats:
    return np.asarray(epoch_seconds * np.floor(seconds / epoch_seconds + 0.5))


def _sport(rng: np.random.Generator, sport: Sport, decades: Floats, days: int, epoch_seconds: int) -> Floats:
    """Seconds (m, days) of cycling or running: some people, on some of their days, for a gamma-distributed time."""
    log_odds = np.log(sport.people / (1.0 - sport.people)) + sport.age * decades
    who = rng.random(decades.size) < 1.0 / (1.0 + np.exp(-log_odds))
    when = rng.random((decades.size, days)) < sport.days
    minutes = np.minimum(rng.gamma(2.0, sport.minutes / 2.0, size=(decades.size, days)), 240.0)
    return np.where(who[:, None] & when, _whole_epochs(60.0 * minutes, epoch_seconds), 0.0)
