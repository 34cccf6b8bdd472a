"""Coverage of the intervals and error rates of the tests, in simulated cohorts whose truth is known.

    python -m benchmarks.validity [--cohorts 500] [--people 5000] [--seed 1] [--main]

Three scenarios: the risk falls by category (coverage of the 95 % intervals), walking has no effect (false positives of
the joint test, and of each ratio of the highest quarter), and the log risk falls linearly (false positives of the test
of non-linearity, and coverage of the ratio of half an hour more). The ratios are those of the main model, standardized,
doubly robust and overlap-weighted ones; the log risk has no products, so that the true ratio is the same for whomever
they represent. Prints for each share whether chance explains its distance from 95 % or 5 % (a binomial test, corrected
for their number); with 500 cohorts a share of 0.95 has a standard error of 0.010.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from stegvis.statistics.categories import add_categories
from stegvis.statistics.contract import Design, prepare
from stegvis.statistics.doubly_robust import doubly_robust_risks
from stegvis.statistics.level_risks import LevelRisks
from stegvis.statistics.overlap_weights import overlap_weighted_risks
from stegvis.statistics.propensity import Propensity, categories_of, propensity
from stegvis.statistics.restricted_cubic_spline import basis, knots_of
from stegvis.statistics.risk_ratio import Fit, Ratio, fit_risk_ratio
from stegvis.statistics.shifted import OBSERVED, SHIFTED, raised, shifted_risk
from stegvis.statistics.standardization import standardized_risks
from stegvis.statistics.terms import Categorical, Linear, category_term
from stegvis.study.protocol import Protocol
from stegvis.study.protocol_models import Models
from stegvis.study.study import Study

COVARIATES = (Linear("age"), Categorical("sex", ("female", "male")))
# Log risk ratios of quarters 2 to 4 against the lowest: about the published ones.
TRUTH = np.log([1.0, 0.87, 0.77, 0.76])
LINEAR = np.log(0.93) / 20  # per minute
MORE = 30.0  # minutes
CONFIDENCE, ALPHA = 0.95, 0.05


def cohorts(
    number: int, people: int, seed: int, protocol: Protocol
) -> Iterator[tuple[np.random.Generator, pd.DataFrame, np.ndarray]]:
    """Cohorts without an outcome yet, and the log risk by age and sex (n,)."""
    for child in np.random.SeedSequence(seed).spawn(number):
        random = np.random.default_rng(child)
        age = random.normal(55, 14, people).clip(20, 95)
        male = random.random(people) < 0.41
        frame = pd.DataFrame(
            {
                "age": age,
                "sex": np.where(male, "male", "female"),
                "walking_minutes": random.gamma(8.6, 12.0, people) * np.exp(-0.004 * (age - 55)),
                "walking_met": 2.8 + random.normal(0.56, 0.18, people) ** 2,
            }
        )
        yield random, add_categories(frame, protocol), np.log(0.17) + 0.008 * (age - 55) - 0.15 * male


def drawn(random: np.random.Generator, frame: pd.DataFrame, log_risk: np.ndarray) -> pd.DataFrame:
    """The cohort with an outcome."""
    return frame.assign(low_back_pain=(random.random(len(frame)) < np.exp(log_risk)).astype("int64"))


def risk_ratios(frame: pd.DataFrame, term: Categorical, models: Models) -> dict[str, list[Ratio]]:
    """The ratios of each quarter but the first, by the name of the estimator that rests on risks.

    Raises:
        AssertionError: one of them is not estimable, which these cohorts are made not to be.
    """
    design = prepare(frame, [term, *COVARIATES], models)
    assert isinstance(design, Design)
    first, *others = term.levels
    levels = {first: None} | {level: term.coefficient(level) for level in others}
    covariates, chosen = categories_of(design.X, levels)
    age = frame["age"].to_numpy()[:, np.newaxis]
    model = propensity(np.hstack([covariates, age**2]), chosen, models)
    assert isinstance(model, Propensity)
    found = {
        "standardized": standardized_risks(design.X, design.y, levels, "logistic", models),
        "doubly robust": doubly_robust_risks(design.X, design.y, levels, model, models),
        "overlap-weighted": overlap_weighted_risks(design.y, list(levels), model, models),
    }
    made = {}
    for name, risks in found.items():
        assert isinstance(risks, LevelRisks)
        made[name] = [risks.risk_ratio(level, first) for level in others]
    return made


def covers(ratios: list[Ratio]) -> list[bool]:
    """Whether the interval of each quarter's ratio includes the true one."""
    return [bool(r.ci_low <= np.exp(t) <= r.ci_high) for r, t in zip(ratios, TRUTH[1:], strict=True)]


def shifted(people: pd.DataFrame, models: Models) -> Ratio:
    """The risk ratio of half an hour more within the 99th percentile.

    Raises:
        AssertionError: it is not estimable, which these cohorts are made not to be.
    """
    minutes = people["walking_minutes"].to_numpy()
    knots = knots_of(minutes, 3, "stata")
    names = ["s0", "s1"]
    design = prepare(
        people.assign(**dict(zip(names, basis(minutes, knots).T, strict=True))),
        [*map(Linear, names), *COVARIATES],
        models,
    )
    assert isinstance(design, Design)
    more = raised(minutes, MORE, float(np.quantile(minutes, 0.99)))
    moved = design.X.assign(**dict(zip(names, basis(more, knots).T, strict=True)))
    found = shifted_risk(design.X.to_numpy(), moved.to_numpy(), design.y, models)
    assert isinstance(found, LevelRisks)
    return found.risk_ratio(SHIFTED, OBSERVED)


def falling_linearly(minutes: np.ndarray) -> np.ndarray:
    """n: the log risk ratio of the third scenario."""
    return LINEAR * (minutes - 100).clip(-90, None)


def true_shift(protocol: Protocol) -> float:
    """The true risk ratio of half an hour more, in a large cohort of the third scenario."""
    _, frame, baseline = next(cohorts(1, 400_000, 0, protocol))
    minutes = frame["walking_minutes"].to_numpy()
    more = raised(minutes, MORE, float(np.quantile(minutes, 0.99)))
    risks = [float(np.exp(baseline + falling_linearly(each)).mean()) for each in (minutes, more)]
    return risks[1] / risks[0]


Outcomes = dict[tuple[str, float], list[float]]


def scenarios(asked: argparse.Namespace, protocol: Protocol) -> Outcomes:
    """By what is reported and the share that is expected: whether it happened, in each cohort."""
    models, term = protocol.models, category_term("walking_minutes", protocol)
    names = [term.coefficient(level) for level in term.levels[1:]]
    found: Outcomes = {}

    def note(what: str, expected: float, share: float) -> None:
        found.setdefault((what, expected), []).append(share)

    truth = true_shift(protocol)
    for random, frame, baseline in cohorts(asked.cohorts, asked.people, asked.seed, protocol):
        category, minutes = frame["walking_minutes_category"].to_numpy(), frame["walking_minutes"].to_numpy()
        falling = drawn(random, frame, baseline + TRUTH[category - 1])
        unrelated = drawn(random, frame, baseline)
        straight = drawn(random, frame, baseline + falling_linearly(minutes))
        fit = fit_risk_ratio(falling, [term, *COVARIATES], models)
        nothing = fit_risk_ratio(unrelated, [term, *COVARIATES], models)
        columns = basis(minutes, knots_of(minutes, 3, "stata"))
        spline = fit_risk_ratio(
            straight.assign(s0=columns[:, 0], s1=columns[:, 1]), [Linear("s0"), Linear("s1"), *COVARIATES], models
        )
        assert isinstance(fit, Fit)
        assert isinstance(nothing, Fit)
        assert isinstance(spline, Fit)
        of_main = covers([fit.ratio(name) for name in names])
        for quarter, each in enumerate(of_main, start=2):
            note(f"main: interval of quarter {quarter}", CONFIDENCE, each)
        note("main: intervals of all three", CONFIDENCE, float(np.mean(of_main)))
        note("false positives of the joint test", 1 - CONFIDENCE, nothing.joint_wald(names).p_value < ALPHA)
        note("false positives of the test of non-linearity", 1 - CONFIDENCE, spline.joint_wald(["s1"]).p_value < ALPHA)
        if asked.main:
            continue
        more = shifted(straight, models)
        note("half an hour more: interval", CONFIDENCE, more.ci_low <= truth <= more.ci_high)
        none = shifted(unrelated, models)
        note("half an hour more: false positives", 1 - CONFIDENCE, none.p_value < ALPHA)
        for name, ratios in risk_ratios(falling, term, models).items():
            note(f"{name}: intervals of all three", CONFIDENCE, float(np.mean(covers(ratios))))
        for name, ratios in risk_ratios(unrelated, term, models).items():
            note(f"{name}: false positives of quarter 4", 1 - CONFIDENCE, ratios[-1].p_value < ALPHA)
    return found


def main() -> None:
    """Run the three scenarios and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=int, default=500)
    parser.add_argument("--people", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--main", action="store_true", help="the main models and the curve alone, for many cohorts")
    asked = parser.parse_args()
    found = scenarios(asked, Study.shipped().protocol)
    print(f"{asked.cohorts} cohorts of {asked.people:,} people, seed {asked.seed}")
    for (what, expected), each in found.items():
        share = float(np.mean(each))
        result = "PASS" if compatible(share, expected, asked.cohorts, len(found)) else "FAIL"
        print(f"{result} {what}: {share:.1%} (expected {expected:.0%})")


def compatible(share: float, expected: float, cohorts: int, numbers: int) -> bool:
    """Whether chance explains a share: a binomial test at 5 %, corrected for how many numbers are tested.

    A share of several contrasts is tested as if it were of one, since their errors are nearly the same.
    """
    return bool(binomtest(round(share * cohorts), cohorts, expected).pvalue >= ALPHA / numbers)


if __name__ == "__main__":
    main()
