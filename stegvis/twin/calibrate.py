"""Finds the parameters marked SOLVED in ``parameters.toml``: ``python -m stegvis.twin.calibrate [--write]``.

Three steps, each with at most as many unknowns as targets; no step changes the results of the earlier ones:

1. how responding depends on age, for the mean and the SD of the analyzed people's age;
2. the distributions of habitual walking, for the printed quartile cuts of the recorded walking;
3. the risk function of habitual walking, for the six adjusted risk ratios, at the level of true risks: no case is
   drawn, so no draw of cases is selected.

Targets are from Haddadj 2025 (doi 10.1001/jamanetworkopen.2025.15592). The target of a printed ratio is the geometric
mean of its limits, which has more digits. Steps 2 and 3 use one draw of people, the default seed's, so the values
contain its sampling error (a few tenths of a minute, about 0.01 in a log risk ratio).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import optimize

from stegvis.study.protocol import Protocol
from stegvis.study.study import Study
from stegvis.twin.draws import Flags, Floats
from stegvis.twin.expected import category_log_risk_ratios
from stegvis.twin.observed import Observed, observe, quartile_cuts
from stegvis.twin.outcome import (
    chance_of_responding,
    draw_waves,
    eligible_if_responding,
    log_risk,
    log_risk_constant,
)
from stegvis.twin.parameters import DEFAULT_SEED, PARAMETERS_FILE, Parameters, parameters
from stegvis.twin.population import Population, draw_population
from stegvis.twin.walking import Habits, draw_days, draw_habits

# Published: age of the analyzed, cuts (each within what its printed label allows), limits of the six risk ratios.
AGE_MEAN, AGE_SD = 55.3, 15.1
CUTS = {"volume": (78.2, 100.7, 125.2), "intensity": (3.00, 3.12, 3.27)}
LIMITS = {
    "walking_minutes": ((0.77, 0.98), (0.68, 0.87), (0.67, 0.87)),
    "walking_met": ((0.75, 0.96), (0.72, 0.93), (0.72, 0.93)),
}
AGE_TERMS = ("followup.answering.age", "followup.answering.age_squared")
VOLUME_TERMS = ("walking.volume.median", "walking.volume.sd", "walking.volume.power")
INTENSITY_TERMS = ("walking.intensity.mean", "walking.intensity.sd")
RISK_TERMS = (
    "outcome.volume.fall",
    "outcome.volume.middle",
    "outcome.volume.width",
    "outcome.intensity.bend",
    "outcome.intensity.below",
    "outcome.intensity.above",
)
DECIMALS = 6


def with_values(model: Parameters, values: dict[str, float]) -> Parameters:
    """A copy of the parameters with some values replaced, named by their path in the file."""
    content = model.model_dump()
    for path, value in values.items():
        *sections, key = path.split(".")
        place = content
        for section in sections:
            place = place[section]
        place[key] = value
    return Parameters.model_validate(content)


def values_of(model: Parameters, paths: tuple[str, ...]) -> Floats:
    """The values (k,) at some paths."""
    found = []
    for path in paths:
        place: object = model
        for part in path.split("."):
            place = getattr(place, part)
        found.append(place)
    return np.array(found, dtype=np.float64)


def calibrate(model: Parameters, protocol: Protocol) -> Parameters:
    """The parameters with all SOLVED values found again, rounded to six decimals."""
    population = draw_population(model.cohort.people, DEFAULT_SEED, model)
    observed = _observed(population, model, protocol)

    def off_age(m: Parameters) -> Floats:
        return age_of_the_analyzed(population, observed, m, protocol) - [AGE_MEAN, AGE_SD]

    model = solve(model, AGE_TERMS, off_age)
    analyzed = analyzed_people(population, observed, model, protocol)
    for measure, terms in (("volume", VOLUME_TERMS), ("intensity", INTENSITY_TERMS)):
        target = np.array(CUTS[measure])

        def off(m: Parameters, measure: str = measure, target: Floats = target) -> Floats:
            walking = getattr(_observed(population, m, protocol), measure)
            return 100.0 * (quartile_cuts(walking[analyzed]) / target - 1.0)

        model = solve(model, terms, off)
    habits = draw_habits(population, DEFAULT_SEED, model, protocol.exposures)
    observed = _observed(population, model, protocol)

    def off_contrasts(m: Parameters) -> Floats:
        return contrasts(population, habits, observed, analyzed, m, protocol) - target_contrasts()

    return solve(model, RISK_TERMS, off_contrasts)


def age_of_the_analyzed(population: Population, observed: Observed, model: Parameters, protocol: Protocol) -> Floats:
    """Expected mean and SD (2,) of the age of the analyzed."""
    eligible = eligible_if_responding(population, observed)
    weight = chance_of_responding(population, eligible, model, protocol.covariates)[eligible]
    age = population.numbers("age")[eligible]
    mean = np.average(age, weights=weight)
    return np.array([mean, np.sqrt(np.average((age - mean) ** 2, weights=weight))])


def analyzed_people(population: Population, observed: Observed, model: Parameters, protocol: Protocol) -> Flags:
    """Mask (n,) of the people analyzed in the first wave of the default twin; it does not depend on how they walk."""
    habits = draw_habits(population, DEFAULT_SEED, model, protocol.exposures)
    coding = protocol.covariates
    (wave,) = draw_waves(population, habits, observed, 1, DEFAULT_SEED, model, coding, balanced=True)
    return np.asarray(eligible_if_responding(population, observed) & wave.screen_answered)


def contrasts(
    population: Population,
    habits: Habits,
    observed: Observed,
    analyzed: Flags,
    model: Parameters,
    protocol: Protocol,
) -> Floats:
    """The six expected log risk ratios (6,) of the quarters, volume first."""
    coding = protocol.covariates
    base = log_risk(population, habits, model, coding)
    risk = np.minimum(np.exp(log_risk_constant(base, analyzed, model) + base), model.outcome.largest_risk)
    return np.concatenate(list(category_log_risk_ratios(population, observed, analyzed, risk, coding).values()))


def target_contrasts() -> Floats:
    """The six published log risk ratios (6,), volume first."""
    return np.log([np.sqrt(low * high) for limits in LIMITS.values() for low, high in limits])


def solve(model: Parameters, paths: tuple[str, ...], off: Callable[[Parameters], Floats]) -> Parameters:
    """The parameters with the values at ``paths`` that bring ``off`` nearest to zero (least squares).

    Steps of a hundredth: the cuts of a sample are not smooth on a smaller scale.
    """
    start = values_of(model, paths)

    def residual(values: Floats) -> Floats:
        return np.asarray(off(with_values(model, dict(zip(paths, values.tolist(), strict=True)))))

    found = optimize.least_squares(residual, start, x_scale=np.abs(start) + 1e-3, diff_step=1e-2).x
    return with_values(model, dict(zip(paths, np.round(found, DECIMALS).tolist(), strict=True)))


def write(file: Path, model: Parameters) -> None:
    """Write the solved values to the parameter file; its comments are kept."""
    text = file.read_text(encoding="utf-8")
    for path in (*AGE_TERMS, *VOLUME_TERMS, *INTENSITY_TERMS, *RISK_TERMS):
        section, key = path.rsplit(".", 1)
        value = float(values_of(model, (path,))[0])
        start = text.index(f"[{section}]")
        place = re.compile(rf"^({key} = )\S+( *)(?=#)", re.M)
        found = place.search(text, start)
        if found is None:
            raise ValueError(f"{path} is not in {file.name}")
        line = f"{key} = {value:.{DECIMALS}f}".rstrip("0").rstrip(".")
        text = text[: found.start()] + line.ljust(31) + " " + text[found.end() :]
    file.write_text(text, encoding="utf-8")


def _observed(population: Population, model: Parameters, protocol: Protocol) -> Observed:
    habits = draw_habits(population, DEFAULT_SEED, model, protocol.exposures)
    return observe(population, draw_days(population, habits, DEFAULT_SEED, model, protocol), protocol.exposures)


def main() -> None:
    """Print what is found; with ``--write``, write it to the parameter file."""
    found = calibrate(parameters(), Study.shipped().protocol)
    for path in (*AGE_TERMS, *VOLUME_TERMS, *INTENSITY_TERMS, *RISK_TERMS):
        old, new = (values_of(model, (path,))[0] for model in (parameters(), found))
        sys.stdout.write(f"{path:32} {old:12.6f} -> {new:12.6f}\n")
    if "--write" in sys.argv[1:]:
        write(PARAMETERS_FILE, found)


if __name__ == "__main__":
    main()
