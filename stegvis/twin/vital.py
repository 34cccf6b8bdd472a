"""Who dies and who emigrates, by the end of each follow-up wave, and the register's deliveries of it.

Deaths explain part of the silence. Those of a period happen to people who do not respond in it, with the hazard raised
so that as many die as by the mortality of everyone; who responds to either of the first two waves lives until then, so
that these have the same responses as without deaths. From the third wave on the dead no longer respond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize

from stegvis.twin.draws import Flags, Floats, stream
from stegvis.twin.outcome import Wave
from stegvis.twin.parameters import Parameters
from stegvis.twin.population import Population
from stegvis.twin.registry_parameters import Hazard

DIED, EMIGRATED = "died", "emigrated"
DAYS_PER_YEAR = 365.25
NEVER = np.datetime64("NaT")
# Waves whose responses are as if nobody died.
UNDISTURBED = 2
LARGEST_LOG_FACTOR = 6.0


@dataclass(frozen=True)
class Events:
    """The first event of everyone (n,).

    Attributes:
        event: died, emigrated or blank.
        date: of the event; missing without one.
    """

    event: npt.NDArray[np.str_]
    date: npt.NDArray[np.datetime64]

    def until(self, last: np.datetime64) -> Flags:
        """Who has an event on or before a day (n,)."""
        return np.asarray(self.date <= last)


def last_day(wave: Wave) -> np.datetime64:
    """The last day of a wave's years."""
    return np.datetime64(f"{wave.name.split('-')[-1]}-12-31")


def draw_events(
    population: Population, waves: Sequence[Wave], seed: int, parameters: Parameters
) -> tuple[list[Wave], Events]:
    """The waves without the dead and the emigrated, and everyone's events until the end of the last wave.

    Each period has its own random streams, so that a further wave does not change the events before it, as long as the
    first two waves are given.

    Args:
        population: everyone.
        waves: in order, at least the first two.
        seed: of every random stream.
        parameters: the twin's model.
    """
    n = len(population)
    baseline = population.people["baseline_date"].to_numpy().astype("datetime64[D]")
    event, date = np.full(n, "", dtype="<U9"), np.full(n, NEVER, dtype="datetime64[D]")
    free_from, start, left = baseline + 1, baseline + 1, []
    for number, drawn in enumerate(waves):
        present = np.isnat(date)
        wave = _without(drawn, present)
        left.append(wave)
        silent = ~wave.answered
        for later in waves[number + 1 : UNDISTURBED]:
            silent &= ~later.answered
        free_from = np.maximum(free_from, start)
        window = _Window(population, free_from, start, last_day(wave), present)
        days = {
            kind: window.days(present & silent, hazard, stream(seed, f"registry.{kind}.{wave.name}"))
            for kind, hazard in ((DIED, parameters.registry.death), (EMIGRATED, parameters.registry.emigration))
        }
        first = np.fmin(days[DIED], days[EMIGRATED])
        happened = np.isfinite(first)
        event[happened] = np.where(days[DIED] <= days[EMIGRATED], DIED, EMIGRATED)[happened]
        date[happened] = free_from[happened] + np.floor(first[happened]).astype("timedelta64[D]")
        free_from = np.where(wave.answered, wave.date.astype("datetime64[D]") + 1, free_from)
        start = np.full(n, last_day(wave) + 1)
    return left, Events(event, date)


def _without(wave: Wave, present: Flags) -> Wave:
    """A wave to which only those respond who are present."""
    kept = {name: getattr(wave, name) & present for name in ("answered", "screen_answered", "late", "misread")}
    return replace(wave, **kept)


@dataclass(frozen=True)
class _Window:
    """A period, and from which day on each person may have an event in it.

    Attributes:
        free_from: the first day on which an event is possible (n,).
        start: the first day of the period (n,); everyone's risk is counted from it.
        end: its last day.
        present: who is alive and in the country at its beginning (n,).
    """

    population: Population
    free_from: npt.NDArray[np.datetime64]
    start: npt.NDArray[np.datetime64]
    end: np.datetime64
    present: Flags

    def days(self, candidates: Flags, hazard: Hazard, rng: np.random.Generator) -> Floats:
        """Days from ``free_from`` to an event (n,), infinite for those who have none in the period."""
        chance = rng.random(len(self.population))
        found = np.full(chance.size, np.inf)
        expected = self._expected(self.start, hazard)[self.present].sum()
        at_risk = self._cumulative(self.free_from, hazard)
        candidates = candidates & (at_risk > 0)
        if not candidates.any() or expected == 0:
            return found
        factor = _factor(at_risk[candidates], float(expected))
        # The time at which the cumulative hazard of an exponential growth reaches -log(1 - chance).
        rate = factor * self._rate(self.free_from, hazard) / DAYS_PER_YEAR
        growth = hazard.growth_per_year / DAYS_PER_YEAR
        reached = -np.log1p(-chance)
        with np.errstate(invalid="ignore"):
            days = np.log1p(growth * reached / rate) / growth if growth else reached / rate
        happened = candidates & (reached < factor * at_risk)
        found[happened] = days[happened]
        return found

    def _expected(self, since: npt.NDArray[np.datetime64], hazard: Hazard) -> Floats:
        return np.asarray(-np.expm1(-self._cumulative(since, hazard)))

    def _cumulative(self, since: npt.NDArray[np.datetime64], hazard: Hazard) -> Floats:
        """The cumulative hazard (n,) from a day to the end of the period."""
        years = np.maximum((self.end - since).astype(np.int64) / DAYS_PER_YEAR, 0.0)
        growth = hazard.growth_per_year
        grown = np.expm1(growth * years) / growth if growth else years
        return np.asarray(self._rate(since, hazard) * grown)

    def _rate(self, since: npt.NDArray[np.datetime64], hazard: Hazard) -> Floats:
        """Events a year (n,) on a day."""
        people = self.population
        baseline = people.people["baseline_date"].to_numpy().astype("datetime64[D]")
        age = people.numbers("age") + (since - baseline).astype(np.int64) / DAYS_PER_YEAR
        log_ratio = (
            hazard.growth_per_year * (age - hazard.at_age)
            + np.log(hazard.men_against_women) * people.flags("male")
            + hazard.health * people.numbers("health")
        )
        return np.asarray(hazard.per_year * np.exp(log_ratio))


def _factor(at_risk: Floats, expected: float) -> float:
    """What the hazards (k,) are multiplied by so that as many events are expected; at most a few hundred."""

    def excess(log_factor: float) -> float:
        return float(-np.expm1(-np.exp(log_factor) * at_risk).sum()) - expected

    if excess(LARGEST_LOG_FACTOR) <= 0:
        return float(np.exp(LARGEST_LOG_FACTOR))
    return float(np.exp(optimize.brentq(excess, -LARGEST_LOG_FACTOR, LARGEST_LOG_FACTOR)))


def registry_rows(population: Population, events: Events, last: np.datetime64) -> pd.DataFrame:
    """The register's extract until a day: person, date, event, in the order of persons."""
    who = events.until(last)
    rows = {"person": population.people["person"][who], "date": pd.Series(events.date).dt.date[who]}
    frame = pd.DataFrame(rows).assign(event=events.event[who])
    return frame.sort_values("person", ignore_index=True)
