"""Chronic low back pain at follow-up, and who responds, wave by wave: the true risk, outcomes and responses."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from stegvis.study.protocol import Covariates
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
        answered: returned the questionnaire.
        screen_answered: returned it with the pain screen answered.
        back_pain: chronic low back pain, whether reported or not.
        other_pain: chronic pain elsewhere only.
        limited: pain limits leisure.
        limited_missing: the item on limits is blank.
        screen_contradicts: ticked the low back box but answered no to the pain screen.
        risk: the true probability of back pain.
        date: of the response.
        late: responded after the wave was first delivered; in the wave's second delivery.
        misread: the low back box was misread at first; corrected in the second delivery.
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
    date: npt.NDArray[np.datetime64]
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
    """A log risk (n,) by intensity whose effect fades with walking volume."""
    origin = bent(np.array([shape.fades_to]), shape)
    share = special.expit((shape.fades_at - volume) / shape.fades_width)
    return np.asarray((bent(intensity, shape) - origin) * share)


def log_risk(population: Population, habits: Habits, parameters: Parameters, coding: Covariates) -> Floats:
    """The log risk (n,) of chronic low back pain at follow-up, up to a constant: log-linear in true values."""
    model, terms = parameters.outcome, parameters.outcome.covariates
    age = population.numbers("age")
    older = (age >= coding.older_from_age).astype(np.float64)
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
        + terms.depression * is_depressed(population, coding)
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
    coding: Covariates,
    balanced: bool = False,
) -> list[Wave]:
    """Draw every wave.

    Two constants are set once. Among the people eligible for the first wave, the expected numbers of women and men who
    respond are the published ones, scaled to this cohort; and the mean true risk of the analyzed is the published one.
    Each wave has its own random streams, so that a further wave does not change the earlier ones.

    Args:
        population: everyone.
        habits: their true walking.
        observed: their walking as recorded.
        waves: how many.
        seed: of every random stream.
        parameters: the twin's model.
        coding: how covariates are coded.
        balanced: draw the first wave's respondents and cases by balanced sampling (``balance``): the numbers are exact,
            and the respondents' ages and the cases' spread over exposures and covariates are as expected. Each
            person's own chance is unchanged; only the dependence between the draws changes.
    """
    eligible = eligible_if_responding(population, observed)
    draws = _Draws(
        population=population,
        observed=observed,
        eligible=eligible,
        log_odds=special.logit(chance_of_responding(population, eligible, parameters, coding)),
        log_risk=log_risk(population, habits, parameters, coding),
        seed=seed,
        parameters=parameters,
        coding=coding,
        willing=stream(seed, "followup.willing").standard_normal(len(population)),
        frail=stream(seed, "outcome.frail").standard_normal(len(population)),
    )
    return [draws.wave(number, balanced and number == 0) for number in range(waves)]


@dataclass
class _Draws:
    """Draws waves one after the other.

    Attributes:
        eligible: mask (n,) of the people who are analyzed if they respond.
        log_odds: of responding to the first wave (n,).
        log_risk: of back pain (n,), up to a constant.
        willing, frail: each person's standard normal part (n,) of responding and of back pain, shared by the waves.
        constant: of the log risk; set by the first wave.
    """

    population: Population
    observed: Observed
    eligible: Flags
    log_odds: Floats
    log_risk: Floats
    seed: int
    parameters: Parameters
    coding: Covariates
    willing: Floats
    frail: Floats
    constant: float | None = None

    def wave(self, number: int, balanced: bool) -> Wave:
        """Draw the wave ``number`` (from 0); call in order."""
        model, n = self.parameters.followup, len(self.population)
        first_year = model.first_year + number * model.years_per_wave
        last_year = first_year + model.years_per_wave - 1
        name = f"{first_year}-{last_year}"
        draw, pain = stream(self.seed, f"followup.{name}"), stream(self.seed, f"outcome.{name}")
        answered, screen_answered = self._responses(number, balanced, draw)
        risk, back_pain = self._outcomes(number, balanced, self.eligible & screen_answered, pain)
        kept = np.where(self.population.flags("other_pain"), model.other_pain_kept, model.other_pain_new)
        other_pain = ~back_pain & (pain.random(n) < kept)
        limits = np.where(back_pain, model.limited_with_back_pain, model.limited_with_other_pain)
        start, end = np.datetime64(f"{first_year}-01-01"), np.datetime64(f"{last_year + 1}-01-01")
        length = int((end - start).astype(int))
        offset = np.floor(draw.beta(model.date_alpha, model.date_beta, size=n) * length).astype(np.int64)
        offset = np.clip(offset, 0, length - 1)
        late, misread = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
        if number == 0:
            corrections = stream(self.seed, f"followup.{name}.corrections")
            late = _some_of(answered, model.late_share, corrections)
            misread = _some_of(screen_answered & ~late, model.corrected_share, corrections)
            offset = np.where(late, length + corrections.integers(0, model.late_days, size=n), offset)
        return Wave(
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

    def _responses(self, number: int, balanced: bool, draw: np.random.Generator) -> tuple[Flags, Flags]:
        """Who returned the questionnaire (n,), and who of them answered the pain screen (n,)."""
        model, n = self.parameters.followup, len(self.population)
        chance = special.expit(self.log_odds + model.by_wave * number)
        score = correlated_uniform(self.willing, draw.standard_normal(n), model.correlation)
        if balanced:
            chosen = balanced_sample(chance[self.eligible], _response_balance(self.population, self.eligible), draw)
            score[self.eligible] = _made_to_agree(score[self.eligible], chance[self.eligible], chosen)
            again = stream(self.seed, "followup.willing given the first wave").standard_normal(n)
            self.willing = _shared_part(score, again, model.correlation)
        # A score slightly above the chance of a full response is a response without the pain screen.
        return score < np.minimum(chance / (1.0 - model.screen_missing), 1.0), score < chance

    def _outcomes(
        self, number: int, balanced: bool, analyzed: Flags, pain: np.random.Generator
    ) -> tuple[Floats, Flags]:
        """True risks (n,) and who has back pain (n,)."""
        model, n = self.parameters.outcome, len(self.population)
        if self.constant is None:
            self.constant = log_risk_constant(self.log_risk, analyzed, self.parameters)
        risk = np.minimum(np.exp(self.constant + self.log_risk + model.by_wave * number), model.largest_risk)
        score = correlated_uniform(self.frail, pain.standard_normal(n), model.correlation)
        if balanced:
            balance = _outcome_balance(self.population, self.observed, analyzed, risk, self.coding)
            chosen = balanced_sample(risk[analyzed], balance, pain)
            score[analyzed] = _made_to_agree(score[analyzed], risk[analyzed], chosen)
            again = stream(self.seed, "outcome.frail given the first wave").standard_normal(n)
            self.frail = _shared_part(score, again, model.correlation)
        return risk, score < risk


def eligible_if_responding(population: Population, observed: Observed) -> Flags:
    """Mask (n,) of the people who are analyzed in a wave if they respond to it."""
    kept = observed.valid & population.pain_answered & ~population.flags("back_pain") & population.complete
    return np.asarray(kept & ~population.flags("withdrawn"))


def first_delivery(wave: Wave) -> Wave:
    """The wave as in its first delivery: without the late responses, and with the misread boxes."""
    return replace(
        wave,
        answered=wave.answered & ~wave.late,
        screen_answered=wave.screen_answered & ~wave.late,
        back_pain=wave.back_pain ^ wave.misread,
    )


def true_log_risk_ratios(parameters: Parameters) -> dict[str, float]:
    """The model's log risk ratios by term: exposures between stated values, covariates per unit.

    Ratios of volume are at the intensity ``fades_to``, where intensity has no effect of its own.
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


def chance_of_responding(population: Population, eligible: Flags, parameters: Parameters, coding: Covariates) -> Floats:
    """Everyone's chance (n,) of answering the first wave's pain screen; by sex the expected number is the published."""
    model, cohort = parameters.followup, parameters.cohort
    log_odds = (
        population.background(model.answering)
        + model.answering.smoking_current * (population.numbers("smoking") == 2)
        + model.answering.depression * is_depressed(population, coding)
    )
    people = int((~population.flags("withdrawn")).sum())
    analyzed = round(people * cohort.analyzed / cohort.people)
    women = round(people * cohort.analyzed_women / cohort.people)
    chance = np.zeros(len(population))
    for sex, wanted in ((~population.flags("male"), women), (population.flags("male"), analyzed - women)):
        group = eligible & sex
        share = min(wanted / max(int(group.sum()), 1), model.largest_share)
        # Where nobody is wanted a small chance remains: its log odds must be finite.
        chance[sex] = probabilities(log_odds, max(share, 0.01), group)[sex]
    return chance


def _response_balance(population: Population, eligible: Flags) -> Floats:
    """What the respondents are balanced on (k, 4): their number, their sex, the mean and the spread of their age."""
    decades = (population.numbers("age")[eligible] - AGE_ORIGIN) / 10.0
    male = population.flags("male")[eligible]
    return np.column_stack([np.ones(decades.size), male, decades, decades**2])


def _outcome_balance(
    population: Population, observed: Observed, analyzed: Flags, risk: Floats, coding: Covariates
) -> Floats:
    """What the cases are balanced on: the six estimates, cases per quarter, and the quarters within age and sex.

    Balancing on a person's influence on an estimate keeps the estimate at its expected value.
    """
    volume, intensity = adjusted_designs(population, observed, analyzed, coding).values()
    older = population.numbers("age")[analyzed] >= coding.older_from_age
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
    """Uniform scores moved below the chance for the chosen and above it for the others, uniform on each side."""
    return np.where(chosen, uniform * chance, chance + uniform * (1.0 - chance))


def _shared_part(uniform: Floats, own: Floats, correlation: float) -> Floats:
    """The person's standard normal part of a correlated uniform score, drawn given the score."""
    score = special.ndtri(np.clip(uniform, 1e-12, 1.0 - 1e-12))
    return np.asarray(np.sqrt(correlation) * score + np.sqrt(1.0 - correlation) * own)


def _some_of(group: Flags, share: float, rng: np.random.Generator) -> Flags:
    """A fixed share of a group, rounded; at least one if the group has ten people or more."""
    count = max(round(share * group.sum()), 1 if group.sum() >= 10 else 0)
    chosen = np.zeros(group.size, dtype=bool)
    chosen[rng.choice(np.flatnonzero(group), size=count, replace=False)] = True
    return chosen


def log_risk_constant(base: Floats, analyzed: Flags, parameters: Parameters) -> float:
    """The constant that makes the mean risk of the analyzed (of everyone, if nobody is) the published share."""
    group = base[analyzed] if analyzed.any() else base
    published = parameters.cohort.events / parameters.cohort.analyzed
    # The expected number of cases is whole, so that balanced sampling draws exactly that many.
    share = max(round(published * group.size), 1) / group.size if group.size > 10 else published

    def excess(constant: float) -> float:
        return float(np.minimum(np.exp(constant + group), parameters.outcome.largest_risk).mean()) - share

    return float(optimize.brentq(excess, -30.0, 30.0))
