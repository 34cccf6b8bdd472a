"""Chronic low back pain at follow-up, and who tells about it, wave by wave.

Belongs here: the true risk, the draw of outcomes and answers. Does not belong here: risk estimation, quartiles, codes
and files (``deliveries``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from study.protocol import protocol
from study.twin.draws import AGE_ORIGIN, Flags, Floats, correlated_uniform, probabilities, stream
from study.twin.parameters import Bend, Parameters
from study.twin.population import Population, is_depressed
from study.twin.walking import Habits


@dataclass(frozen=True)
class Wave:
    """One follow-up wave, everyone in it (n,).

    Attributes:
        name: its years, for example 2021-2023.
        answered: sent the questionnaire back.
        screen_answered: and answered the pain screen.
        back_pain: chronic low back pain, true whether told or not.
        other_pain: chronic pain elsewhere only.
        limited: pain limits leisure.
        limited_missing: ... but the item is blank.
        screen_contradicts: has the box ticked and the screen answered no.
        risk: the true probability of back pain.
        date: of the answer.
    """

    name: str
    answered: Flags
    screen_answered: Flags
    back_pain: Flags
    other_pain: Flags
    limited: Flags
    limited_missing: Flags
    screen_contradicts: Flags
    risk: Floats
    date: np.ndarray


def bent(values: Floats, shape: Bend, below: Floats | float | None = None) -> Floats:
    """A smooth broken line (n,) with slopes ``below`` and ``above`` the bend, about zero at the bend.

    The corner is rounded by the softplus function over about ``width``.
    """
    slope = shape.below if below is None else below
    under = shape.width * np.logaddexp(0.0, (shape.bend - values) / shape.width)
    over = values - shape.bend + under
    return np.asarray(-slope * under + shape.above * over, dtype=np.float64)


def log_risk(population: Population, habits: Habits, parameters: Parameters) -> Floats:
    """The log risk (n,) of chronic low back pain at follow-up, up to a constant: log-linear in true values."""
    model, terms = parameters.outcome, parameters.outcome.covariates
    age = population.numbers("age")
    older = (age >= protocol().covariates.older_from_age).astype(np.float64)
    smoking = population.numbers("smoking")
    return np.asarray(
        bent(habits.volume, model.volume, model.volume.below + model.volume.older_below * older)
        + bent(habits.intensity, model.intensity)
        + terms.age * (age - AGE_ORIGIN) / 10.0
        + terms.male * population.flags("male")
        + terms.education * population.numbers("education")
        + terms.income * population.numbers("income")
        + terms.smoking_former * (smoking == 1)
        + terms.smoking_current * (smoking == 2)
        + terms.depression * is_depressed(population)
        + terms.employment_none * ~population.flags("employed")
        + model.back_pain_at_baseline * population.flags("back_pain")
        + model.other_pain_at_baseline * population.flags("other_pain")
    )


def draw_waves(
    population: Population, habits: Habits, valid: Flags, waves: int, seed: int, parameters: Parameters
) -> list[Wave]:
    """Draw every wave.

    The constant of the risk is set once, so that the mean true risk of the people analyzed in the first wave is the
    published share; each wave has streams of its own, so that a further wave leaves the earlier ones as they were.

    Args:
        valid: mask (n,) of people with a valid walking day.
        waves: how many.
    """
    model = parameters.followup
    n = len(population)
    candidates = valid & population.pain_answered & ~population.flags("back_pain") & ~population.flags("withdrawn")
    willing = stream(seed, "followup.willing").standard_normal(n)
    frail = stream(seed, "outcome.frail").standard_normal(n)
    log_odds = (
        population.background(model.answering)
        + model.answering.smoking_current * (population.numbers("smoking") == 2)
        + model.answering.depression * is_depressed(population)
    )
    base = log_risk(population, habits, parameters)
    chance = probabilities(log_odds, model.share, candidates)
    log_odds = np.log(chance) - np.log1p(-chance)

    drawn: list[Wave] = []
    constant: float | None = None
    for number in range(waves):
        first_year = model.first_year + number * model.years_per_wave
        name = f"{first_year}-{first_year + model.years_per_wave - 1}"
        draw = stream(seed, f"followup.{name}")
        own = correlated_uniform(willing, draw.standard_normal(n), model.correlation)
        answered = own < 1.0 / (1.0 + np.exp(-log_odds - model.by_wave * number))
        screen_answered = answered & (draw.random(n) >= model.screen_missing)
        if constant is None:
            constant = _constant(base, candidates & screen_answered & population.complete, parameters)
        risk = np.minimum(
            np.exp(constant + base + parameters.outcome.by_wave * number), parameters.outcome.largest_risk
        )
        pain = stream(seed, f"outcome.{name}")
        back_pain = correlated_uniform(frail, pain.standard_normal(n), parameters.outcome.correlation) < risk
        kept = np.where(population.flags("other_pain"), model.other_pain_kept, model.other_pain_new)
        other_pain = ~back_pain & (pain.random(n) < kept)
        limits = np.where(back_pain, model.limited_with_back_pain, model.limited_with_other_pain)
        start, end = np.datetime64(f"{first_year}-01-01"), np.datetime64(f"{first_year + model.years_per_wave}-01-01")
        length = int((end - start).astype(int))
        offset = np.floor(draw.beta(model.date_alpha, model.date_beta, size=n) * length).astype(np.int64)
        drawn.append(
            Wave(
                name=name,
                answered=answered,
                screen_answered=screen_answered,
                back_pain=back_pain,
                other_pain=other_pain,
                limited=(back_pain | other_pain) & (pain.random(n) < limits),
                limited_missing=draw.random(n) < model.limited_missing,
                screen_contradicts=draw.random(n) < model.ticked_but_screen_no,
                risk=risk,
                date=start + np.clip(offset, 0, length - 1),
            )
        )
    return drawn


def true_log_risk_ratios(parameters: Parameters) -> dict[str, float]:
    """The model's log risk ratios by term: exposures between stated values, covariates per unit."""
    model = parameters.outcome
    at = bent(np.array([60.0, 80.0, 100.0, 120.0, 150.0]), model.volume)
    older = bent(np.array([60.0, 100.0, 150.0]), model.volume, model.volume.below + model.volume.older_below)
    met = bent(np.array([2.9, 3.0, 3.1, 3.2, 3.4]), model.intensity)
    ratios = {f"walking_minutes {v} v 60": float(at[i] - at[0]) for i, v in ((1, 80), (2, 100), (3, 120), (4, 150))}
    ratios |= {f"walking_minutes {v} v 60, age 65+": float(older[i] - older[0]) for i, v in ((1, 100), (2, 150))}
    ratios |= {f"walking_met {v} v 2.9": float(met[i] - met[0]) for i, v in ((1, 3.0), (2, 3.1), (3, 3.2), (4, 3.4))}
    return ratios | model.covariates.model_dump()


def _constant(base: Floats, analyzed: Flags, parameters: Parameters) -> float:
    """The constant that makes the mean risk of the analyzed (of everyone, if nobody is) the published share."""
    group = base[analyzed] if analyzed.any() else base
    model = parameters.outcome

    def excess(constant: float) -> float:
        return float(np.minimum(np.exp(constant + group), model.largest_risk).mean()) - model.share

    return float(optimize.brentq(excess, -30.0, 30.0))
