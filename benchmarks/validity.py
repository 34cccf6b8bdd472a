"""Coverage of the intervals and error rates of the tests, in simulated cohorts whose truth is known.

    python -m benchmarks.validity [--cohorts 500] [--people 5000] [--seed 1]

Three scenarios: the risk falls by category (coverage of the 95 % intervals), walking has no effect (false positives of
the joint test), and the log risk falls linearly (false positives of the test of non-linearity). Prints PASS or FAIL for
each; with 500 cohorts a share of 0.95 has a standard error of 0.010.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
import pandas as pd

from stegvis.statistics.categories import add_categories
from stegvis.statistics.restricted_cubic_spline import basis, knots_of
from stegvis.statistics.risk_ratio import Fit, fit_risk_ratio
from stegvis.statistics.terms import Categorical, Linear, category_term
from stegvis.study.protocol import Protocol
from stegvis.study.study import Study

COVARIATES = (Linear("age"), Categorical("sex", ("female", "male")))
# Log risk ratios of quarters 2 to 4 against the lowest: about the published ones.
TRUTH = np.log([1.0, 0.87, 0.77, 0.76])
LINEAR = np.log(0.93) / 20  # per minute
COVERAGE, FALSE_POSITIVES = (0.93, 0.97), (0.04, 0.06)


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


def main() -> None:
    """Run the three scenarios and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=int, default=500)
    parser.add_argument("--people", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    protocol = Study.shipped().protocol
    models, term = protocol.models, category_term("walking_minutes", protocol)
    names = [term.coefficient(level) for level in term.levels[1:]]
    covered, joint, curved = [], [], []
    for random, frame, baseline in cohorts(asked.cohorts, asked.people, asked.seed, protocol):
        category = frame["walking_minutes_category"].to_numpy()
        fit = fit_risk_ratio(drawn(random, frame, baseline + TRUTH[category - 1]), [term, *COVARIATES], models)
        nothing = fit_risk_ratio(drawn(random, frame, baseline), [term, *COVARIATES], models)
        minutes = frame["walking_minutes"].to_numpy()
        straight = drawn(random, frame, baseline + LINEAR * (minutes - 100).clip(-90, None))
        columns = basis(minutes, knots_of(minutes, 3, "stata"))
        spline = fit_risk_ratio(
            straight.assign(s0=columns[:, 0], s1=columns[:, 1]), [Linear("s0"), Linear("s1"), *COVARIATES], models
        )
        assert isinstance(fit, Fit)
        assert isinstance(nothing, Fit)
        assert isinstance(spline, Fit)
        ratios = [fit.ratio(name) for name in names]
        covered.append([r.ci_low <= np.exp(t) <= r.ci_high for r, t in zip(ratios, TRUTH[1:], strict=True)])
        joint.append(nothing.joint_wald(names).p_value < 0.05)
        curved.append(spline.joint_wald(["s1"]).p_value < 0.05)
    print(f"{asked.cohorts} cohorts of {asked.people:,} people, seed {asked.seed}")
    for number, share in enumerate(np.mean(covered, axis=0), start=2):
        report(f"95 % intervals of quarter {number} cover the true ratio", share, COVERAGE)
    report("all three together", float(np.mean(covered)), COVERAGE)
    report("false positives of the joint test", float(np.mean(joint)), FALSE_POSITIVES)
    report("false positives of the test of non-linearity", float(np.mean(curved)), FALSE_POSITIVES)


def report(what: str, share: float, limits: tuple[float, float]) -> None:
    """Print one line, with PASS or FAIL."""
    result = "PASS" if limits[0] <= share <= limits[1] else "FAIL"
    print(f"{result} {what}: {share:.1%} (limits {limits[0]:.0%} to {limits[1]:.0%})")


if __name__ == "__main__":
    main()
