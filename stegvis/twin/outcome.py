"""Chronic low back pain at follow-up, and who tells about it, wave by wave.

Belongs here: the true risk, the draw of outcomes and answers. Does not belong here: risk estimation, quartiles, codes
and files (``deliveries``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, special

from stegvis.study.protocol import protocol
from stegvis.twin.balance import balanced_sample
from stegvis.twin.draws import AGE_ORIGIN, Flags, Floats, correlated_uniform, probabilities, stream
from stegvis.twin.expected import adjusted_designs, influences
from stegvis.twin.observed import Observed
from stegvis.twin.parameters import Bend, FadingBend, Fall, Parameters
from stegvis.twin.population import Population, is_depressed
from stegvis.twin.walking import Habits


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
        late: answered after the wave was delivered; told by a later delivery.
        misread: the low back box was misread at first; corrected by the same later delivery.
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
    late: Flags
    misread: Flags


def falling(values: Floats, shape: Fall, older: Floats | float = 0.0) -> Floats:
    """A log risk (n,) that falls to zero along a logistic curve; ``older`` is 1 where the person is 65 or older."""
    fall = shape.fall + shape.older_more * older
    return np.asarray(fall * special.expit((shape.middle - values) / shape.width), dtype=np.float64)


def bent(values: Floats, shape: Bend) -> Floats:
    """A smooth broken line (n,) with slopes ``below`` and ``above`` the bend, about zero at the bend.

    The corner is rounded by the softplus function over about ``width``.
    """
    under = shape.width * np.logaddexp(0.0, (shape.bend - values) / shape.width)
    over = values - shape.bend + under
    return np.asarray(-shape.below * under + shape.above * over, dtype=np.float64)


def fading(intensity: Floats, volume: Floats, shape: FadingBend) -> Floats:
    """A log risk (n,) by intensity that matters less and less, the more someone walks."""
    origin = bent(np.array([shape.fades_to]), shape)
    share = special.expit((shape.fades_at - volume) / shape.fades_width)
    return np.asarray((bent(intensity, shape) - origin) * share)


def log_risk(population: Population, habits: Habits, parameters: Parameters) -> Floats:
    """The log risk (n,) of chronic low back pain at follow-up, up to a constant: log-linear in true values."""
    model, terms = parameters.outcome, parameters.outcome.covariates
    age = population.numbers("age")
    older = (age >= protocol().covariates.older_from_age).astype(np.float64)
    smoking = population.numbers("smoking")
    return np.asarray(
        falling(habits.volume, model.volume, older)
        + fading(habits.intensity, habits.volume, model.intensity)
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
    population: Population,
    habits: Habits,
    observed: Observed,
    waves: int,
    seed: int,
    parameters: Parameters,
    balanced: bool = False,
) -> list[Wave]:
    """Draw every wave.

    Two constants are set once. Among the people otherwise fit for the first wave's analysis, the women and the men who
    answer are expected to be as many as published (scaled to the people at hand); and the mean true risk of the
    analyzed is the published one. Each wave has streams of its own, so that a further wave leaves the earlier ones as
    they were.

    Args:
        observed: everyone's walking as recorded.
        waves: how many.
        balanced: draw the first wave's respondents and cases by balanced sampling (``balance``): exact numbers, the
            respondents' age and the cases' spread over exposures and covariates as expected. Everyone keeps their own
            chance; only how the draws hang together changes.
    """
    model = parameters.followup
    n = len(population)
    candidates = observed.valid & population.pain_answered & ~population.flags("back_pain")
    candidates &= population.complete & ~population.flags("withdrawn")
    willing = stream(seed, "followup.willing").standard_normal(n)
    frail = stream(seed, "outcome.frail").standard_normal(n)
    chance = chance_of_answering(population, candidates, parameters)
    log_odds = special.logit(chance)
    base = log_risk(population, habits, parameters)

    drawn: list[Wave] = []
    constant: float | None = None
    for number in range(waves):
        first_year = model.first_year + number * model.years_per_wave
        name = f"{first_year}-{first_year + model.years_per_wave - 1}"
        draw, pain = stream(seed, f"followup.{name}"), stream(seed, f"outcome.{name}")
        chance = special.expit(log_odds + model.by_wave * number)
        answering = correlated_uniform(willing, draw.standard_normal(n), model.correlation)
        if balanced and number == 0:
            chosen = balanced_sample(chance[candidates], _answering_balance(population, candidates), draw)
            answering[candidates] = _made_to_agree(answering[candidates], chance[candidates], chosen)
            again = stream(seed, "followup.willing given the first wave").standard_normal(n)
            willing = _shared_part(answering, again, model.correlation)
        # Just above the chance of a full answer lies that of an answer without the pain screen.
        screen_answered = answering < chance
        answered = answering < np.minimum(chance / (1.0 - model.screen_missing), 1.0)
        analyzed = candidates & screen_answered
        if constant is None:
            constant = log_risk_constant(base, analyzed, parameters)
        risk = np.minimum(
            np.exp(constant + base + parameters.outcome.by_wave * number), parameters.outcome.largest_risk
        )
        health = correlated_uniform(frail, pain.standard_normal(n), parameters.outcome.correlation)
        if balanced and number == 0:
            balance = _outcome_balance(population, observed, analyzed, risk)
            health[analyzed] = _made_to_agree(
                health[analyzed], risk[analyzed], balanced_sample(risk[analyzed], balance, pain)
            )
            again = stream(seed, "outcome.frail given the first wave").standard_normal(n)
            frail = _shared_part(health, again, parameters.outcome.correlation)
        back_pain = health < risk
        kept = np.where(population.flags("other_pain"), model.other_pain_kept, model.other_pain_new)
        other_pain = ~back_pain & (pain.random(n) < kept)
        limits = np.where(back_pain, model.limited_with_back_pain, model.limited_with_other_pain)
        start, end = np.datetime64(f"{first_year}-01-01"), np.datetime64(f"{first_year + model.years_per_wave}-01-01")
        length = int((end - start).astype(int))
        offset = np.floor(draw.beta(model.date_alpha, model.date_beta, size=n) * length).astype(np.int64)
        offset = np.clip(offset, 0, length - 1)
        late, misread = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
        if number == 0:
            mend = stream(seed, f"followup.{name}.corrections")
            late = _some_of(answered, model.late_share, mend)
            misread = _some_of(screen_answered & ~late, model.corrected_share, mend)
            offset = np.where(late, length + mend.integers(0, model.late_days, size=n), offset)
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
                date=start + offset,
                late=late,
                misread=misread,
            )
        )
    return drawn


def first_delivery(wave: Wave) -> Wave:
    """The wave as its first delivery tells it: without the late answers, and with the misread boxes."""
    return replace(
        wave,
        answered=wave.answered & ~wave.late,
        screen_answered=wave.screen_answered & ~wave.late,
        back_pain=wave.back_pain ^ wave.misread,
    )


def true_log_risk_ratios(parameters: Parameters) -> dict[str, float]:
    """The model's log risk ratios by term: exposures between stated values, covariates per unit.

    Those of volume are at an intensity of no further effect (``fades_to``).
    """
    model = parameters.outcome
    at = falling(np.array([60.0, 80.0, 100.0, 120.0, 150.0]), model.volume)
    older = falling(np.array([60.0, 100.0, 150.0]), model.volume, 1.0)
    ratios = {f"walking_minutes {v} v 60": float(at[i] - at[0]) for i, v in ((1, 80), (2, 100), (3, 120), (4, 150))}
    ratios |= {f"walking_minutes {v} v 60, age 65+": float(older[i] - older[0]) for i, v in ((1, 100), (2, 150))}
    for minutes in (60, 150):
        met = fading(np.array([2.9, 3.0, 3.1, 3.2, 3.4]), np.full(5, float(minutes)), model.intensity)
        at_volume = f"at {minutes} min/day"
        ratios |= {
            f"walking_met {v} v 2.9, {at_volume}": float(met[i] - met[0])
            for i, v in ((1, 3.0), (2, 3.1), (3, 3.2), (4, 3.4))
        }
    return ratios | model.covariates.model_dump()


def chance_of_answering(population: Population, candidates: Flags, parameters: Parameters) -> Floats:
    """Everyone's chance (n,) to answer the first wave's screen; the expected number of each sex is the published."""
    model, cohort = parameters.followup, parameters.cohort
    log_odds = (
        population.background(model.answering)
        + model.answering.smoking_current * (population.numbers("smoking") == 2)
        + model.answering.depression * is_depressed(population)
    )
    people = int((~population.flags("withdrawn")).sum())
    analyzed = round(people * cohort.analyzed / cohort.people)
    women = round(people * cohort.analyzed_women / cohort.people)
    chance = np.zeros(len(population))
    for sex, wanted in ((~population.flags("male"), women), (population.flags("male"), analyzed - women)):
        group = candidates & sex
        share = min(wanted / max(int(group.sum()), 1), model.largest_share)
        # With nobody wanted, one answer is still more likely than none at all.
        chance[sex] = probabilities(log_odds, max(share, 0.01), group)[sex]
    return chance


def _answering_balance(population: Population, candidates: Flags) -> Floats:
    """What the respondents are balanced on (k, 4): their number, their sex, the mean and the spread of their age."""
    decades = (population.numbers("age")[candidates] - AGE_ORIGIN) / 10.0
    male = population.flags("male")[candidates]
    return np.column_stack([np.ones(decades.size), male, decades, decades**2])


def _outcome_balance(population: Population, observed: Observed, analyzed: Flags, risk: Floats) -> Floats:
    """What the cases are balanced on: the six estimates, cases per quarter, and the quarters within age and sex.

    Balancing on a person's influence on an estimate keeps the estimate at its expected value.
    """
    volume, intensity = adjusted_designs(population, observed, analyzed).values()
    older = population.numbers("age")[analyzed] >= protocol().covariates.older_from_age
    male = population.flags("male")[analyzed]
    rank = volume[:, 1:4] @ [1.0, 2.0, 3.0]
    return np.column_stack(
        [
            np.ones(rank.size),
            influences(volume, risk[analyzed])[:, 1:4],
            influences(intensity, risk[analyzed])[:, 1:4],
            older * rank,
            male * rank,
            older,
            male,
            volume[:, 1:4],
            intensity[:, 1:4],
        ]
    )


def _made_to_agree(uniform: Floats, chance: Floats, chosen: Flags) -> Floats:
    """Uniform scores moved to below the chance for the chosen and above it for the others, uniform on each side."""
    return np.where(chosen, uniform * chance, chance + uniform * (1.0 - chance))


def _shared_part(uniform: Floats, own: Floats, correlation: float) -> Floats:
    """The person's standard normal part of a correlated uniform score, drawn given the score."""
    score = special.ndtri(np.clip(uniform, 1e-12, 1.0 - 1e-12))
    return np.asarray(np.sqrt(correlation) * score + np.sqrt(1.0 - correlation) * own)


def _some_of(group: Flags, share: float, rng: np.random.Generator) -> Flags:
    """A fixed share of a group, rounded; one at least, if the group has ten."""
    count = max(round(share * group.sum()), 1 if group.sum() >= 10 else 0)
    chosen = np.zeros(group.size, dtype=bool)
    chosen[rng.choice(np.flatnonzero(group), size=count, replace=False)] = True
    return chosen


def log_risk_constant(base: Floats, analyzed: Flags, parameters: Parameters) -> float:
    """The constant that makes the mean risk of the analyzed (of everyone, if nobody is) the published share."""
    group = base[analyzed] if analyzed.any() else base
    published = parameters.cohort.events / parameters.cohort.analyzed
    # A whole number of cases is expected: it is then drawn exactly by balanced sampling.
    share = max(round(published * group.size), 1) / group.size if group.size > 10 else published

    def excess(constant: float) -> float:
        return float(np.minimum(np.exp(constant + group), parameters.outcome.largest_risk).mean()) - share

    return float(optimize.brentq(excess, -30.0, 30.0))
