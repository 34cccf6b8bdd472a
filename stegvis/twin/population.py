"""The people of the twin at baseline: true values, missing answers, and who wore the sensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from stegvis.study.protocol import Covariates
from stegvis.twin.draws import (
    Flags,
    Floats,
    Integers,
    background,
    identifiers,
    levels,
    probabilities,
    standardized,
    stream,
    top,
)
from stegvis.twin.parameters import Effects, Event, Levels, Parameters, People

DISEASES = ("diabetes", "cancer", "angina", "infarction", "heart_failure", "atrial_fibrillation", "stroke")


@dataclass(frozen=True)
class Population:
    """Everyone generated, the withdrawn included.

    Attributes:
        people: one row per person (n): true values, nothing missing; levels are 0-based or the codebook's codes as
            ``deliveries`` says; ``position`` and ``health`` are latent standard scores.
        missing: per column a mask (n,) of values that were not delivered.
    """

    people: pd.DataFrame
    missing: dict[str, Flags]

    def __len__(self) -> int:
        return len(self.people)

    def flags(self, column: str) -> Flags:
        """A yes/no column as a mask (n,)."""
        return self.people[column].to_numpy(dtype=bool)

    def numbers(self, column: str) -> Floats:
        """A column as numbers (n,)."""
        return self.people[column].to_numpy(dtype=np.float64)

    def background(self, effects: Effects) -> Floats:
        """The linear predictor (n,) of a person's background."""
        return background(
            effects, self.numbers("age"), self.flags("male"), self.numbers("position"), self.numbers("health")
        )

    @property
    def pain_answered(self) -> Flags:
        """Mask (n,): the baseline pain screen was answered."""
        return ~self.missing["pain_screen"]

    @property
    def complete(self) -> Flags:
        """Mask (n,): the seven covariates of the complete-case rule are all delivered."""
        parts = [self.missing[name] for name in ("education", "income", "employment", "smoking", "depression_score")]
        return np.asarray(~np.any(parts, axis=0))


@dataclass(frozen=True)
class _Background:
    """What everyone's traits are drawn from: age, sex, socioeconomic position and health, each (n,)."""

    seed: int
    age: Floats
    male: Flags
    position: Floats
    health: Floats

    def rng(self, concern: str) -> np.random.Generator:
        """The random stream of one trait."""
        return stream(self.seed, f"population.{concern}")

    def predictor(self, effects: Effects) -> Floats:
        """The linear predictor (n,) of a trait."""
        return background(effects, self.age, self.male, self.position, self.health)

    def latent(self, effects: Effects, name: str) -> Floats:
        """A standardized latent score (n,)."""
        return standardized(self.predictor(effects) + self.rng(name).standard_normal(self.age.size))

    def ordered(self, trait: Levels, name: str, more: Floats | float = 0.0) -> Integers:
        """Levels (n,) of an ordered trait."""
        return levels(self.predictor(trait) + more + self.rng(name).standard_normal(self.age.size), trait.shares)

    def event(self, trait: Event, name: str, within: Flags) -> Flags:
        """A yes/no trait (n,) whose share is met ``within`` a group."""
        chance = probabilities(self.predictor(trait), trait.share, within)
        return np.asarray(self.rng(name).random(self.age.size) < chance)


def draw_population(people: int, seed: int, parameters: Parameters) -> Population:
    """Draw ``people`` participants and, on top, those who later withdraw.

    The number with a recording is exact: the published share of ``people``, rounded, the withdrawn not counted.

    Raises:
        ValueError: fewer than one person.
    """
    if people < 1:
        raise ValueError("the twin needs at least one person")
    model, cohort = parameters.people, parameters.cohort
    withdrawn_count = max(2, round(people * cohort.withdrawn_share))
    n = people + withdrawn_count
    drawn = _draw_background(n, seed, parameters)
    withdrawn = np.zeros(n, dtype=bool)
    withdrawn[drawn.rng("withdrawn").choice(n, size=withdrawn_count, replace=False)] = True

    table: dict[str, Any] = {
        "person": identifiers(drawn.rng("identifiers"), n),
        "withdrawn": withdrawn,
        "male": drawn.male,
        "age": drawn.age,
        "position": drawn.position,
        "health": drawn.health,
    }
    draw = drawn.rng("clinic")
    days = pd.bdate_range(cohort.first_day, cohort.last_day)
    table["baseline_date"] = days.to_numpy()[draw.integers(0, len(days), size=n)]
    at_home = (drawn.age >= model.seen_at_home_from_age) & (draw.random(n) < model.seen_at_home)
    table["seen_at_home"] = at_home
    # A logistic choice with an exact number among those who stay; the withdrawn are chosen by the same threshold.
    wanted = round(people * cohort.with_recording / cohort.people)
    recorded = top(drawn.predictor(model.recorded) + drawn.rng("recorded").logistic(size=n), wanted, ~withdrawn)
    table["recorded"] = recorded
    table |= _traits(drawn, model)

    missing = _missing_sheets(seed, parameters, n, at_home, ~table["employed"])
    returned = drawn.event(model.questionnaire_2, "questionnaire 2", recorded)
    for name in ("depression_score", "pain_screen"):
        missing[name] = missing[name] | ~returned

    table["back_pain"] = drawn.event(model.back_pain, "back pain", recorded & ~missing["pain_screen"])
    table["other_pain"] = drawn.event(model.other_pain, "other pain", ~table["back_pain"]) & ~table["back_pain"]
    pain = model.pain_last_4_weeks
    table["pain_last_4_weeks"] = drawn.ordered(pain, "pain last 4 weeks", pain.back_pain * table["back_pain"])
    table["screen_contradicts"] = drawn.rng("contradictions").random(n) < model.pain_answers.ticked_but_screen_no
    return Population(pd.DataFrame(table), missing)


def _draw_background(n: int, seed: int, parameters: Parameters) -> _Background:
    model = parameters.people

    def rng(concern: str) -> np.random.Generator:
        return stream(seed, f"population.{concern}")

    draw = rng("sex and age")
    male = draw.random(n) >= model.women
    edges = np.array(model.age_bands)
    band = draw.choice(len(model.age_shares), size=n, p=model.age_shares)
    # Ages are truncated, not rounded, to one decimal: nobody turns 65 by rounding.
    age = np.floor(10.0 * (edges[band] + draw.random(n) * (edges[band + 1] - edges[band]))) / 10.0
    position = rng("position").standard_normal(n)
    decades = standardized(age) * age.std() / 10.0
    health = model.health_by_age * decades + model.health_by_position * position
    health = standardized(health + np.sqrt(1.0 - model.health_by_position**2) * rng("health").standard_normal(n))
    return _Background(seed, age, male, position, health)


def _traits(drawn: _Background, model: People) -> dict[str, Any]:
    """Socioeconomic and health traits, each (n,)."""
    table: dict[str, Any] = {}
    for name in ("education", "income", "smoking", "self_rated_health", "exercise", "work_type"):
        table[name] = drawn.ordered(getattr(model, name), name)
    everyone = np.ones(drawn.age.size, dtype=bool)
    table["employed"] = drawn.event(model.employed, "employed", everyone)
    for name in DISEASES:
        table[name] = drawn.event(getattr(model, name), name, everyone)
    from scipy import stats  # slow to import

    spread = model.depression
    uniform = special.ndtr(drawn.latent(spread, "depression"))
    score = stats.nbinom.ppf(uniform, spread.shape, spread.shape / (spread.shape + spread.mean))
    table["depression_score"] = np.clip(score, 0, 21)
    bmi = model.bmi.mean * np.exp(model.bmi.log_sd * drawn.latent(model.bmi, "bmi"))
    table["bmi"] = np.round(np.clip(bmi, 13, 70), 1)
    return table


def _missing_sheets(seed: int, parameters: Parameters, n: int, at_home: Flags, not_working: Flags) -> dict[str, Flags]:
    """Masks of missing values; when a questionnaire is not returned, all its items are missing."""
    rates = parameters.people.missing

    def absent(rate: float, name: str) -> Flags:
        return np.asarray(stream(seed, f"population.missing.{name}").random(n) < rate)

    sheet_1, interview = absent(rates.questionnaire_1, "questionnaire 1"), absent(rates.interview, "interview")
    missing = {name: sheet_1 | absent(getattr(rates, name), name) for name in ("education", "income", "smoking")}
    for name in ("self_rated_health", "pain_last_4_weeks", "exercise"):
        missing[name] = sheet_1 | absent(getattr(rates, name), name)
    for name in DISEASES:
        missing[name] = sheet_1 | absent(rates.disease, name)
    missing["employment"] = interview | absent(rates.employment, "employment")
    missing["work_type"] = not_working | missing["employment"] | absent(rates.work_type, "work type")
    missing["depression_score"] = absent(rates.depression, "depression")
    missing["pain_screen"] = absent(rates.pain_screen, "pain screen")
    missing["bmi_clinic"] = at_home | absent(rates.clinic_bmi, "clinic bmi")
    missing["bmi_home"] = ~at_home | absent(rates.clinic_bmi, "home bmi")
    return missing


def is_depressed(population: Population, coding: Covariates) -> Flags:
    """Mask (n,): the depression score reaches the cut of ``coding``."""
    return np.asarray(population.numbers("depression_score") >= coding.cuts["depression"])
