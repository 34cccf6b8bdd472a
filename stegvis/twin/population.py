"""The people of the twin at baseline: who they are, what they answered, what is missing, who wore the sensors.

Belongs here: the baseline population, true values and missingness. Does not belong here: walking (``walking``),
follow-up (``outcome``), codes and files (``deliveries``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from stegvis.study.protocol import protocol
from stegvis.twin.draws import Flags, Floats, background, identifiers, levels, probabilities, standardized, stream, top
from stegvis.twin.parameters import Effects, Event, Levels, Parameters

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
        return ~np.any(parts, axis=0)


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

    def rng(concern: str) -> np.random.Generator:
        return stream(seed, f"population.{concern}")

    withdrawn = np.zeros(n, dtype=bool)
    withdrawn[rng("withdrawn").choice(n, size=withdrawn_count, replace=False)] = True

    draw = rng("sex and age")
    male = draw.random(n) >= model.women
    edges = np.array(model.age_bands)
    band = draw.choice(len(model.age_shares), size=n, p=model.age_shares)
    # Ages are cut, not rounded, to one decimal: nobody turns 65 by rounding.
    age = np.floor(10.0 * (edges[band] + draw.random(n) * (edges[band + 1] - edges[band]))) / 10.0
    position = rng("position").standard_normal(n)
    decades = standardized(age) * age.std() / 10.0
    health = model.health_by_age * decades + model.health_by_position * position
    health = standardized(health + np.sqrt(1.0 - model.health_by_position**2) * rng("health").standard_normal(n))

    def predictor(effects: Effects) -> Floats:
        return background(effects, age, male, position, health)

    def ordered(trait: Levels, name: str, more: Floats | float = 0.0) -> np.ndarray:
        return levels(predictor(trait) + more + rng(name).standard_normal(n), trait.shares)

    def event(trait: Event, name: str, within: Flags) -> Flags:
        return np.asarray(rng(name).random(n) < probabilities(predictor(trait), trait.share, within))

    everyone = np.ones(n, dtype=bool)
    table: dict[str, np.ndarray] = {
        "person": identifiers(rng("identifiers"), n),
        "withdrawn": withdrawn,
        "male": male,
        "age": age,
        "position": position,
        "health": health,
    }
    draw = rng("clinic")
    days = pd.bdate_range(cohort.first_day, cohort.last_day)
    table["baseline_date"] = days.to_numpy()[draw.integers(0, len(days), size=n)]
    at_home = (age >= model.seen_at_home_from_age) & (draw.random(n) < model.seen_at_home)
    table["seen_at_home"] = at_home

    # Who wore the sensors: a logistic choice with an exact number, the withdrawn being held to the same bar.
    wanted = round(people * parameters.cohort.with_recording / parameters.cohort.people)
    recorded = top(predictor(model.recorded) + rng("recorded").logistic(size=n), wanted, ~withdrawn)
    table["recorded"] = recorded

    for name in ("education", "income", "smoking", "self_rated_health", "exercise", "work_type"):
        table[name] = ordered(getattr(model, name), name)
    table["employed"] = event(model.employed, "employed", everyone)
    for name in DISEASES:
        table[name] = event(getattr(model, name), name, everyone)
    latent = standardized(predictor(model.depression) + rng("depression").standard_normal(n))
    from scipy import stats  # slow to import

    spread = model.depression
    score = stats.nbinom.ppf(special.ndtr(latent), spread.shape, spread.shape / (spread.shape + spread.mean))
    table["depression_score"] = np.clip(score, 0, 21)
    latent = standardized(predictor(model.bmi) + rng("bmi").standard_normal(n))
    table["bmi"] = np.round(np.clip(model.bmi.mean * np.exp(model.bmi.log_sd * latent), 13, 70), 1)

    missing = _missing_sheets(seed, parameters, n, at_home, ~table["employed"])
    returned = event(model.questionnaire_2, "questionnaire 2", recorded)
    for name in ("depression_score", "pain_screen"):
        missing[name] = missing[name] | ~returned

    table["back_pain"] = event(model.back_pain, "back pain", recorded & ~missing["pain_screen"])
    table["other_pain"] = event(model.other_pain, "other pain", ~table["back_pain"]) & ~table["back_pain"]
    pain = model.pain_last_4_weeks
    table["pain_last_4_weeks"] = ordered(pain, "pain last 4 weeks", pain.back_pain * table["back_pain"])
    table["screen_contradicts"] = rng("contradictions").random(n) < model.pain_answers.ticked_but_screen_no
    return Population(pd.DataFrame(table), missing)


def _missing_sheets(seed: int, parameters: Parameters, n: int, at_home: Flags, not_working: Flags) -> dict[str, Flags]:
    """Masks of missing values: a sheet that never came back takes all its items with it."""
    rates = parameters.people.missing

    def lost(rate: float, name: str) -> Flags:
        return np.asarray(stream(seed, f"population.missing.{name}").random(n) < rate)

    sheet_1, interview = lost(rates.questionnaire_1, "questionnaire 1"), lost(rates.interview, "interview")
    missing = {name: sheet_1 | lost(getattr(rates, name), name) for name in ("education", "income", "smoking")}
    for name in ("self_rated_health", "pain_last_4_weeks", "exercise"):
        missing[name] = sheet_1 | lost(getattr(rates, name), name)
    for name in DISEASES:
        missing[name] = sheet_1 | lost(rates.disease, name)
    missing["employment"] = interview | lost(rates.employment, "employment")
    missing["work_type"] = not_working | missing["employment"] | lost(rates.work_type, "work type")
    missing["depression_score"] = lost(rates.depression, "depression")
    missing["pain_screen"] = lost(rates.pain_screen, "pain screen")
    missing["bmi_clinic"] = at_home | lost(rates.clinic_bmi, "clinic bmi")
    missing["bmi_home"] = ~at_home | lost(rates.clinic_bmi, "home bmi")
    return missing


def is_depressed(population: Population) -> Flags:
    """Mask (n,): the depression score reaches the protocol's cut."""
    return np.asarray(population.numbers("depression_score") >= protocol().covariates.depression_cut)
