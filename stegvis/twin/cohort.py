"""One synthetic cohort in memory: everything that is drawn before a file is written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stegvis.study.codebook import Codebook
from stegvis.study.protocol import Protocol
from stegvis.twin.draws import Flags
from stegvis.twin.observed import Observed, observe, valid_walking_days
from stegvis.twin.outcome import Wave, draw_waves, first_delivery
from stegvis.twin.parameters import Parameters
from stegvis.twin.population import Population, draw_population
from stegvis.twin.vital import UNDISTURBED, Events, draw_events
from stegvis.twin.walking import Days, draw_days, draw_habits


class TooFewPeopleError(ValueError):
    """A twin of this size has too few people for what is asked of it."""


@dataclass(frozen=True)
class TwinCohort:
    """People, their recorded days and their follow-up waves.

    Attributes:
        population: everyone generated, the withdrawn included.
        days: day totals of the recorded people.
        observed: everyone's walking as recorded.
        waves: the follow-up waves as they are in the end.
        events: who died or emigrated.
        balanced: whether the first wave was drawn by balanced sampling.
        seed: of every random stream.
        parameters: the twin's model.
        protocol: the study's rules.
        codebook: columns and codes of the deliveries.
    """

    population: Population
    days: Days
    observed: Observed
    waves: list[Wave]
    events: Events
    balanced: bool
    seed: int
    parameters: Parameters
    protocol: Protocol
    codebook: Codebook

    @property
    def delivered_waves(self) -> list[Wave]:
        """The waves as all deliveries together report them: a single wave has not been corrected yet."""
        return [first_delivery(self.waves[0])] if len(self.waves) == 1 else self.waves

    @property
    def complete_days(self) -> Flags:
        """Mask (m, 7) of valid days without a blank cell."""
        return np.asarray(valid_walking_days(self.days) & ~np.isnan(self.days.seconds).any(axis=2))

    def in_order(self, chosen: Flags) -> list[tuple[int, str, np.datetime64]]:
        """Chosen recordings (m,) by person: row, identifier and the date of the first recorded day."""
        people = self.population.people.iloc[self.days.rows]
        first = people["baseline_date"].to_numpy().astype("datetime64[D]") + 1
        names = people["person"].to_numpy()
        return sorted(((int(row), str(names[row]), first[row]) for row in np.flatnonzero(chosen)), key=lambda r: r[1])


def draw_cohort(
    people: int, waves: int, seed: int, balanced: bool, parameters: Parameters, protocol: Protocol, codebook: Codebook
) -> TwinCohort:
    """Draw a cohort.

    Raises:
        ValueError: fewer than one person.
    """
    population = draw_population(people, seed, parameters)
    habits = draw_habits(population, seed, parameters, protocol.exposures)
    days = draw_days(population, habits, seed, parameters, protocol)
    observed = observe(population, days, protocol.exposures)
    at_least = max(waves, UNDISTURBED)
    drawn = draw_waves(population, habits, observed, at_least, seed, parameters, protocol.covariates, balanced)
    left, events = draw_events(population, drawn, seed, parameters)
    return TwinCohort(population, days, observed, left[:waves], events, balanced, seed, parameters, protocol, codebook)
