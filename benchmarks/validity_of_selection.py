"""Coverage and false positives of what corrects for selection and missing values, in cohorts whose truth is known.

    python -m benchmarks.validity_of_selection [--cohorts 500] [--members 6000] [--seed 1]

Each cohort loses members at every step (recordings, answers at follow-up), more often those who are younger, walk
little or have little school; school is missing for some, more often for the younger. The log risk has no products, so
that the true ratio of the highest category is the same for whomever an estimator represents. The estimates are the rows
of the analyses themselves. Prints for each whether chance explains its distance from 95 % (coverage) and 5 % (false
positives without an effect), as ``benchmarks.validity`` does.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmarks.validity import compatible
from stegvis.analyses.attrition_weighted import attrition_weighted_rows
from stegvis.analyses.cross_estimator import cross_estimator_rows
from stegvis.analyses.imputed import imputed_rows
from stegvis.analyses.main_models import main_rows
from stegvis.analyses.selection_weighted import selection_weighted_rows
from stegvis.analyses.standardized_risk import standardized_risk_rows
from stegvis.analyses.wave_data import WaveData, fit
from stegvis.statistics.categories import add_categories
from stegvis.study.protocol import Protocol
from stegvis.study.study import Study

ANALYSES = (
    main_rows, cross_estimator_rows, standardized_risk_rows, attrition_weighted_rows, imputed_rows,
    selection_weighted_rows,
)  # fmt: skip
LEVELS = {"sex": ("female", "male"), "school": ("primary", "secondary", "university")}
# Log risk ratio of the highest of the published categories; the others are as the lowest.
TRUTH = float(np.log(0.76))
IMPUTATIONS = 5


def studied() -> Protocol:
    """The first study's protocol with the published cuts, three covariates, and fewer imputations."""
    protocol = Study.shipped().protocol
    order = tuple(rule for rule in protocol.exclusions.order if not rule.startswith("baseline_"))
    return protocol.model_copy(
        update={
            "exposures": protocol.exposures.model_copy(update={"categories": "fixed_published"}),
            "models": protocol.models.model_copy(update={"adjusted": ("age", "sex", "school")}),
            "exclusions": protocol.exclusions.model_copy(
                update={"order": order, "complete_case": ("age", "sex", "school")}
            ),
            "imputation": protocol.imputation.model_copy(update={"imputations": IMPUTATIONS}),
        }
    )


def waves(number: int, members: int, seed: int, effect: float, protocol: Protocol) -> Iterator[WaveData]:
    """Simulated waves in which the highest category of walking has this log risk ratio."""
    for child in np.random.SeedSequence(seed).spawn(number):
        random = np.random.default_rng(child)
        yield wave_of(random, members, effect, protocol)


def wave_of(random: np.random.Generator, members: int, effect: float, protocol: Protocol) -> WaveData:
    """One wave of a cohort."""
    age = random.normal(55, 14, members).clip(20, 95)
    older = np.tanh((age - 55) / 20)
    cohort = pd.DataFrame(
        {
            "person": [f"p{number:06d}" for number in range(members)],
            "age": age,
            "sex": np.where(random.random(members) < 0.41, "male", "female"),
            "school": random.choice(LEVELS["school"], members, p=[0.2, 0.5, 0.3]),
            "walking_minutes": random.gamma(8.6, 12.0, members) * np.exp(-0.004 * (age - 55)),
            "walking_met": 2.8 + random.normal(0.56, 0.18, members) ** 2,
        }
    )
    walks_much = (cohort["walking_minutes"] >= protocol.exposures.walking_minutes.published_lower_bounds[-1]).to_numpy()
    primary = (cohort["school"] == "primary").to_numpy()
    log_risk = np.log(0.17) + 0.008 * (age - 55) + 0.2 * primary + effect * walks_much
    outcome = (random.random(members) < np.exp(log_risk)).astype("int64")

    def passing(share: float, slope: np.ndarray) -> np.ndarray:
        return random.random(members) < 1 / (1 + np.exp(-(np.log(share / (1 - share)) + slope)))

    recorded = passing(0.7, 0.5 * older)
    answered = passing(0.7, 0.5 * older + 0.5 * walks_much - 0.4 * primary)
    cohort["school"] = cohort["school"].where(passing(0.95, 0.5 * older))
    cohort = cohort.assign(recorded=recorded, answered=answered, baseline_answered=True, had_outcome=False)
    eligible = cohort[recorded].assign(
        wave="2021-2023", low_back_pain=pd.Series(outcome, dtype="float64").where(answered)[recorded]
    )
    analyzed = eligible[eligible["answered"] & eligible["school"].notna()].astype({"low_back_pain": "int64"})
    days = pd.DataFrame({"person": pd.Series(dtype="str"), "day": pd.Series(dtype="int64")})
    return WaveData(
        people=add_categories(analyzed.reset_index(drop=True), protocol),
        eligible=eligible.reset_index(drop=True),
        days=days,
        protocol=protocol,
        levels=LEVELS,
        cohort=cohort,
    )


def highest_ratios(data: WaveData) -> pd.DataFrame:
    """The adjusted ratios of the highest category of walking minutes, by ``name``."""
    rows = fit(ANALYSES, data)
    wanted = (rows["measure"] == "rr") & (rows["model"] == "adjusted") & (rows["exposure"] == "walking_minutes")
    chosen = rows[wanted & rows["level"].str.startswith(">=")]
    name = (chosen["analysis"] + " " + chosen["term"].where(chosen["analysis"] == "cross_estimator", "")).str.strip()
    return chosen.assign(name=name).set_index("name")


def main() -> None:
    """Run the cohorts with and without an effect, and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=int, default=500)
    parser.add_argument("--members", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    protocol = studied()
    covered, positive = [], []
    for data in waves(asked.cohorts, asked.members, asked.seed, TRUTH, protocol):
        found = highest_ratios(data)
        covered.append((found["ci_low"] <= np.exp(TRUTH)) & (np.exp(TRUTH) <= found["ci_high"]))
    for data in waves(asked.cohorts, asked.members, asked.seed + 1, 0.0, protocol):
        positive.append(highest_ratios(data)["p_value"] < 0.05)
    print(f"{asked.cohorts} cohorts of {asked.members:,} members with and without an effect, seed {asked.seed}")
    shares = {"covers": (pd.concat(covered, axis=1).mean(axis=1), 0.95)}
    shares["false positives"] = pd.concat(positive, axis=1).mean(axis=1), 0.05
    numbers = sum(len(each) for each, _ in shares.values())
    for what, (each, expected) in shares.items():
        for name, share in each.items():
            result = "PASS" if compatible(float(share), expected, asked.cohorts, numbers) else "FAIL"
            print(f"{result} {name}, {what}: {share:.1%} (expected {expected:.0%})")


if __name__ == "__main__":
    main()
