"""Do the study's 95 % intervals cover the twin's truth?

Run: ``python -m benchmarks.twin_coverage [--seeds N] [--people N]``.

Each seed is a cohort of its own by plain sampling, kept in memory and analyzed by ``stegvis.statistics``. The truth of
a contrast is the estimate of its model from true risks instead of cases, averaged over the cohorts. It differs from the
risk function itself, because a recorded week measures a habit with error.

With S seeds a coverage of 95 % is known to within 1.96 * sqrt(0.95 * 0.05 / S): 3 points for one contrast at 200 seeds,
about 1.2 for all six together, whose errors are partly shared.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import pandas as pd

from stegvis.analyses.category_model import category_rows
from stegvis.statistics.categories import add_categories
from stegvis.statistics.levels import covariate_levels
from stegvis.statistics.results import ResultRow
from stegvis.statistics.terms import covariate_terms
from stegvis.study.codebook import Codebook
from stegvis.study.codebook import levels as coded_levels
from stegvis.study.protocol import EXPOSURES, Protocol
from stegvis.study.study import Study
from stegvis.twin.draws import Flags
from stegvis.twin.expected import category_log_risk_ratios
from stegvis.twin.observed import Observed, observe
from stegvis.twin.outcome import Wave, draw_waves, eligible_if_responding
from stegvis.twin.parameters import parameters
from stegvis.twin.population import Population, draw_population, is_depressed
from stegvis.twin.walking import draw_days, draw_habits

FIRST_SEED = 1001
CONTRASTS = [(exposure, quarter) for exposure in EXPOSURES for quarter in (2, 3, 4)]


def analysis_frame(
    population: Population, observed: Observed, wave: Wave, who: Flags, protocol: Protocol, codebook: Codebook
) -> pd.DataFrame:
    """The analysis set of one wave, directly from the model: what the pipeline makes of the deliveries."""
    people, coded = population.people[who], codebook["participants"]

    def words(column: str, codes: pd.Series) -> pd.Series:
        return codes.astype(int).map(dict(enumerate(coded_levels(coded, column))))

    return pd.DataFrame(
        {
            "person": people["person"],
            "wave": wave.name,
            "age": people["age"],
            "sex": words("sex", people["male"]),
            "education": words("education", people["education"]),
            "income": words("income", people["income"]),
            "employment": words("employment", ~people["employed"].astype(bool)),
            "smoking": words("smoking", people["smoking"]),
            "depression": np.where(is_depressed(population, protocol.covariates)[who], "yes", "no"),
            "walking_minutes": observed.volume[who],
            "walking_met": observed.intensity[who],
            "low_back_pain": wave.back_pain[who].astype(float),
        }
    )


def one_cohort(seed: int, people: int) -> np.ndarray:
    """Per contrast (6, 4): true log risk ratio of this cohort, estimate, lower and upper limit, all logs."""
    model, rules, codes = parameters(), Study.shipped().protocol, Study.shipped().codebook
    population = draw_population(people, seed, model)
    habits = draw_habits(population, seed, model, rules.exposures)
    observed = observe(population, draw_days(population, habits, seed, model, rules), rules.exposures)
    (wave,) = draw_waves(population, habits, observed, 1, seed, model, rules.covariates)
    who = eligible_if_responding(population, observed) & wave.screen_answered
    true = category_log_risk_ratios(population, observed, who, wave.risk, rules.covariates)
    frame = add_categories(analysis_frame(population, observed, wave, who, rules, codes), rules)
    found = []
    for exposure in EXPOSURES:
        template = ResultRow(wave.name, "main", "all", "adjusted", exposure)
        rows = category_rows(frame, template, covariate_terms("adjusted", rules, covariate_levels(codes)), rules)
        for row, truth in zip(rows[1:4], true[exposure], strict=True):
            if row.estimate is None or row.ci_low is None or row.ci_high is None:
                raise RuntimeError(f"seed {seed}: {exposure} {row.level} is not estimable")
            found.append([truth, *np.log([row.estimate, row.ci_low, row.ci_high])])
    return np.array(found)


def main() -> None:
    """Draw, analyze and print one line per contrast."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--people", type=int, default=parameters().cohort.people)
    parser.add_argument("--processes", type=int, default=2)
    wanted = parser.parse_args()
    started = time.monotonic()
    seeds = range(FIRST_SEED, FIRST_SEED + wanted.seeds)
    with ProcessPoolExecutor(wanted.processes) as pool:
        cohorts = np.array(list(pool.map(partial(one_cohort, people=wanted.people), seeds, chunksize=5)))
    truth, estimate, low, high = np.moveaxis(cohorts, 2, 0)
    target = truth.mean(axis=0)
    covered = (low <= target) & (target <= high)
    std_error = (high - low) / 2 / 1.959964

    print(f"{wanted.seeds} cohorts of {wanted.people:,} people, {time.monotonic() - started:.0f} s\n")
    print(f"{'exposure':16} {'contrast':9} {'true RR':>8} {'mean RR':>8} {'SD(log)':>8} {'mean SE':>8} {'covered':>8}")
    for place, (exposure, quarter) in enumerate(CONTRASTS):
        print(
            f"{exposure:16} {f'{quarter} v 1':9} {np.exp(target[place]):8.3f} {np.exp(estimate[:, place].mean()):8.3f} "
            f"{estimate[:, place].std(ddof=1):8.4f} {std_error[:, place].mean():8.4f} {covered[:, place].mean():8.1%}"
        )
    by_cohort = covered.mean(axis=1)
    error = by_cohort.std(ddof=1) / np.sqrt(wanted.seeds)
    print(f"{'all six':61} {covered.mean():8.1%}  (Monte Carlo error {error:.1%})")


if __name__ == "__main__":
    main()
