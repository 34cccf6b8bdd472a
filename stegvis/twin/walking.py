"""How much and how fast the twin's people walk, and how their days are filled.

Belongs here: habitual (true) walking, day-to-day variation, day totals of the nine activities, detached sensors.
Does not belong here: epochs and signals (``epochs``, ``signals``), who is recorded (``population``), exposures and the
day rule as the pipeline computes them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stegvis.study.protocol import protocol
from stegvis.twin.draws import AGE_ORIGIN, Flags, Floats, Integers, standardized, stream
from stegvis.twin.parameters import Parameters, Sport
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
        intensity: mean MET (n,), above that of slow walking.
    """

    volume: Floats
    intensity: Floats


@dataclass(frozen=True)
class Days:
    """Day totals of the recorded people.

    Attributes:
        rows: positions (m,) of the recorded people in the population.
        seconds: (m, 7, 9) seconds per day and activity; NaN where the day was not recorded or the cell is blank.
        valid: (m, 7) the sensor was on all day.
    """

    rows: Integers
    seconds: Floats
    valid: Flags

    @property
    def recorded(self) -> Integers:
        """Recorded days per person (m,)."""
        return np.asarray((~np.isnan(self.seconds).all(axis=2)).sum(axis=1))


def draw_habits(population: Population, seed: int, parameters: Parameters) -> Habits:
    """Draw true walking: volume power-normal, intensity the slow-walking MET plus a squared normal.

    The power transformation is that of Box and Cox 1964, doi 10.1111/j.2517-6161.1964.tb00553.x. Both depend on age,
    sex, socioeconomic position and health; their latent scores are correlated. The margins hold among the recorded
    people.
    """
    model, recorded = parameters.walking, population.flags("recorded")
    noise = stream(seed, "walking.habits").standard_normal((2, len(population)))
    volume_score = standardized(population.background(model.volume) + noise[0], recorded)
    own = standardized(population.background(model.intensity) + noise[1], recorded)
    # What is left of intensity after volume, scaled so that the two scores correlate as stated.
    if recorded.sum() > 1:
        own = own - volume_score * float(np.mean(own[recorded] * volume_score[recorded]))
    own = standardized(own, recorded)
    shared = model.intensity.correlation_with_volume
    intensity_score = shared * volume_score + np.sqrt(1.0 - shared**2) * own
    median, sd, power = model.volume.median, model.volume.sd, model.volume.power
    volume = median * np.maximum(1.0 + power * sd / median * volume_score, 0.0) ** (1.0 / power)
    volume = np.maximum(volume, model.volume.smallest)
    excess = (model.intensity.mean + model.intensity.sd * intensity_score) ** 2
    return Habits(np.asarray(volume), protocol().exposures.met_slow + excess)


def draw_days(population: Population, habits: Habits, seed: int, parameters: Parameters) -> Days:
    """Draw the day totals of everyone recorded, in whole epochs, each full day summing to exactly 86,400 s.

    A person's walking varies from day to day around the habit (lognormal), with the day of the week; each day's
    minutes are slow, moderate and brisk in the binomial shares (two trials) that give the day's mean MET. From the
    moment a sensor comes off, every day is all lying.
    """
    model = parameters.walking
    rows = np.flatnonzero(population.flags("recorded"))
    m, most = rows.size, protocol().days.days_per_recording
    whole_day = protocol().days.seconds_per_day

    def rng(concern: str) -> np.random.Generator:
        return stream(seed, f"walking.{concern}")

    # Walking minutes and their speeds.
    draw = rng("days")
    first = population.people["baseline_date"].to_numpy()[rows].astype("datetime64[D]").astype(np.int64) + 1
    weekday = (first[:, None] + np.arange(most) + 3) % 7  # day 0 of 1970 was a Thursday
    pattern = np.array(model.days.weekday) / np.mean(model.days.weekday)
    noise = np.exp(model.days.log_sd * draw.standard_normal((m, most)) - model.days.log_sd**2 / 2.0)
    walking = np.clip(habits.volume[rows, None] * pattern[weekday] * noise, 2.0, model.days.largest_minutes)
    root = np.sqrt(habits.intensity[rows] - protocol().exposures.met_slow)
    root = root[:, None] + model.days.intensity_sd * draw.standard_normal((m, most))
    faster = np.clip(root**2 / 2.0, 0.0, 1.0)
    seconds = np.zeros((m, most, len(ACTIVITIES)))
    seconds[..., SLOW] = _whole_epochs(60.0 * walking * (1.0 - faster) ** 2)
    seconds[..., MODERATE] = _whole_epochs(60.0 * walking * 2.0 * faster * (1.0 - faster))
    seconds[..., BRISK] = _whole_epochs(60.0 * walking * faster**2)
    # Whoever walks at all walks some slow steps.
    seconds[..., SLOW] = np.maximum(seconds[..., SLOW], protocol().epochs.seconds)
    seconds[..., WALKING] = seconds[..., SLOW] + seconds[..., MODERATE] + seconds[..., BRISK]

    # The rest of the day.
    decades = (population.numbers("age")[rows] - AGE_ORIGIN) / 10.0
    seconds[..., CYCLING] = _sport(rng("cycling"), model.cycling, decades, most)
    seconds[..., RUNNING] = _sport(rng("running"), model.running, decades, most)
    rest = whole_day - seconds[..., [WALKING, RUNNING, CYCLING]].sum(axis=2)
    draw = rng("rest")
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
    seconds[..., LYING] = _whole_epochs(rest * parts[..., 0])
    seconds[..., STANDING] = _whole_epochs(rest * parts[..., 1])
    seconds[..., SITTING] = rest - seconds[..., LYING] - seconds[..., STANDING]

    # What of it was recorded.
    draw = rng("recording")
    count = 1 + draw.choice(most, size=m, p=model.days.recorded)
    fate, place = draw.random(m), draw.random(m)
    detached_on = np.where(fate < model.days.detached_from_start, 0, most)
    later = (fate >= model.days.detached_from_start) & (
        fate < model.days.detached_from_start + model.days.detached_later
    )
    detached_on = np.where(later, 1 + np.floor(place * count).astype(np.int64), detached_on)
    day = np.arange(most)
    worn = day < detached_on[:, None]
    seconds[~worn] = 0.0
    seconds[..., LYING] = np.where(worn, seconds[..., LYING], whole_day)
    # A blank cell now and then; walking itself is never blank.
    blank, which = draw.random((m, most)) < model.days.component_missing, draw.integers(0, 3, size=(m, most))
    for place_of, activity in enumerate((STANDING, RUNNING, CYCLING)):
        seconds[blank & worn & (which == place_of), activity] = np.nan
    kept = day < count[:, None]
    seconds[~kept] = np.nan
    return Days(rows, seconds, worn & kept)


def _whole_epochs(seconds: Floats) -> Floats:
    step = protocol().epochs.seconds
    return np.asarray(step * np.floor(seconds / step + 0.5))


def _sport(rng: np.random.Generator, sport: Sport, decades: Floats, days: int) -> Floats:
    """Seconds (m, days) of cycling or running: some people, on some of their days, for a gamma time."""
    log_odds = np.log(sport.people / (1.0 - sport.people)) + sport.age * decades
    who = rng.random(decades.size) < 1.0 / (1.0 + np.exp(-log_odds))
    when = rng.random((decades.size, days)) < sport.days
    minutes = np.minimum(rng.gamma(2.0, sport.minutes / 2.0, size=(decades.size, days)), 240.0)
    return np.where(who[:, None] & when, _whole_epochs(60.0 * minutes), 0.0)
