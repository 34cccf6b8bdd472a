"""What is true of a twin: sizes, effects and counts, written beside its deliveries as ``truth.json``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from stegvis.twin.cohort import TwinCohort
from stegvis.twin.draws import Flags
from stegvis.twin.expected import category_log_risk_ratios
from stegvis.twin.faults import Fault
from stegvis.twin.observed import quartile_cuts
from stegvis.twin.outcome import Wave, true_log_risk_ratios
from stegvis.twin.vital import DIED, EMIGRATED, last_day

Contrasts = dict[str, tuple[float, float, float]]


@dataclass(frozen=True)
class Truth:
    """What is true of a twin. It names no person.

    Attributes:
        seed: of every random stream.
        balanced: whether the first wave was drawn by balanced sampling.
        sizes: the arguments of ``write_twin``.
        mess: how messily raw pairs and signals are worn.
        parameters_sha256: digest of the parameters' values.
        log_risk_ratios: the model's, by term, on the scale of habitual walking.
        category_log_risk_ratios: per wave and exposure, of quarters 2, 3 and 4 of the recorded walking against 1, as
            the adjusted model of these people has them when it sees true risks; empty if there are too few people.
        people: counts of the baseline.
        waves: per wave, people left after each exclusion step, the analyzed, their cases and their mean true risk; the
            women among them, age, valid days and quartile cuts; responses in all, late, and corrected; and of everyone
            who would be analyzed had they responded, how many died and how many emigrated until the end of the wave.
        raw: for each raw pair its number, its clocks and rates, how its sensors were attached, and minutes of each
            activity, to the second.
        faults: every planted fault, and the rule that should name it.
    """

    seed: int
    balanced: bool
    sizes: dict[str, int]
    mess: float
    parameters_sha256: str
    log_risk_ratios: dict[str, float]
    category_log_risk_ratios: dict[str, Contrasts]
    people: dict[str, int]
    waves: dict[str, dict[str, float]]
    raw: list[dict[str, float]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def truth_of(
    cohort: TwinCohort, sizes: dict[str, int], mess: float, raw: list[dict[str, float]], faults: list[Fault]
) -> Truth:
    """The truth of a cohort and of what was delivered of it."""
    population, waves = cohort.population, cohort.delivered_waves
    withdrawn = population.flags("withdrawn")
    return Truth(
        seed=cohort.seed,
        balanced=cohort.balanced,
        sizes=sizes,
        mess=mess,
        parameters_sha256=cohort.parameters.digest,
        log_risk_ratios=true_log_risk_ratios(cohort.parameters),
        category_log_risk_ratios={wave.name: _contrasts(cohort, wave) for wave in waves},
        people={
            "generated": len(population),
            "withdrawn": int(withdrawn.sum()),
            "participants": int((~withdrawn).sum()),
        },
        waves={wave.name: _flow(cohort, wave) for wave in waves},
        raw=raw,
        faults=faults,
    )


def _exclusion_steps(cohort: TwinCohort, wave: Wave) -> list[tuple[str, Flags]]:
    """The exclusion steps in order, each with the mask (n,) of who is left after it."""
    population = cohort.population
    kept = {
        "no_accelerometer_day": population.flags("recorded"),
        "no_valid_walking_day": cohort.observed.valid,
        "baseline_screen_missing": population.pain_answered,
        "baseline_low_back_pain": ~population.flags("back_pain"),
        "followup_screen_missing": wave.screen_answered,
        "covariate_missing": population.complete,
    }
    left = ~population.flags("withdrawn")
    steps: list[tuple[str, Flags]] = []
    for step in cohort.protocol.exclusions.order:
        left = left & kept[step]
        steps.append((step, left))
    return steps


def _flow(cohort: TwinCohort, wave: Wave) -> dict[str, float]:
    """People left after each exclusion step, and what is true of the analyzed."""
    observed = cohort.observed
    steps = _exclusion_steps(cohort, wave)
    who = steps[-1][1]
    found: dict[str, float] = {step: int(left.sum()) for step, left in steps}
    found |= {"analyzed": int(who.sum()), "cases": int((who & wave.back_pain).sum()), "mean_true_risk": 0.0}
    found |= {"answers": int(wave.answered.sum())}
    found |= {"late_answers": int((wave.answered & wave.late).sum())}
    found |= {"corrected_answers": int((wave.answered & wave.misread).sum())}
    eligible = _exclusion_steps(cohort, replace(wave, screen_answered=np.ones_like(wave.screen_answered)))[-1][1]
    until = cohort.events.until(last_day(wave))
    for event in (DIED, EMIGRATED):
        found |= {f"eligible_{event}": int((eligible & until & (cohort.events.event == event)).sum())}
    if not who.any():
        return found
    age = cohort.population.numbers("age")[who]
    found["mean_true_risk"] = float(wave.risk[who].mean())
    found |= {"women": int((who & ~cohort.population.flags("male")).sum()), "mean_age": float(age.mean())}
    found |= {"sd_age": float(age.std(ddof=1)) if age.size > 1 else 0.0}
    found |= {"mean_valid_days": float(observed.valid_days[who].mean())}
    for name, values in (("walking_minutes", observed.volume), ("walking_met", observed.intensity)):
        found |= {f"{name}_cut_{k}": cut for k, cut in enumerate(quartile_cuts(values[who]).tolist(), 1)}
    return found


def _contrasts(cohort: TwinCohort, wave: Wave) -> Contrasts:
    """The category contrasts of the wave's analyzed people; empty where they are too few for the adjusted model."""
    who = _exclusion_steps(cohort, wave)[-1][1]
    coding = cohort.protocol.covariates
    try:
        return category_log_risk_ratios(cohort.population, cohort.observed, who, wave.risk, coding)
    except ValueError:
        return {}
