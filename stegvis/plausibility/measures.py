"""The profile of a wave or a batch: a few means and shares in which a wrong delivery differs from a right one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


Profile = Mapping[str, "Measure"]
ACTIVITIES = ("lying", "sitting", "standing", "walking", "running", "cycling")


@dataclass(frozen=True)
class Measure:
    """A mean over people.

    Attributes:
        mean: of a share, between 0 and 1.
        people: how many it is of.
        spread: standard deviation between people.
    """

    mean: float
    people: int
    spread: float

    @property
    def standard_error(self) -> float:
        """Of the mean."""
        return self.spread / math.sqrt(self.people)


def share(hits: int, people: int) -> Measure | None:
    """The share of people with a property; None of nobody.

    The spread is that of a share with two hits and two misses more (Agresti and Coull, Am Stat 1998;52(2):119-126, doi
    10.1080/00031305.1998.10480550): that of a share of 0 or 1 is not zero.
    """
    if not people:
        return None
    likely = (hits + 2) / (people + 4)
    return Measure(hits / people, people, math.sqrt(likely * (1 - likely)))


def mean(values: pd.Series) -> Measure | None:
    """The mean of what is present; None of fewer than two people, whose spread is not known."""
    present = values.dropna().to_numpy(dtype="float64")
    if len(present) < 2:
        return None
    return Measure(float(present.mean()), len(present), float(present.std(ddof=1)))


def together(measures: Sequence[Measure]) -> Measure | None:
    """The mean over the people of several waves or batches; None of none."""
    import numpy as np

    if not measures:
        return None
    people = np.array([each.people for each in measures])
    means = np.array([each.mean for each in measures])
    overall = float((means * people).sum() / people.sum())
    variance = float((np.array([each.spread for each in measures]) ** 2 * people).sum() / people.sum())
    return Measure(overall, int(people.sum()), math.sqrt(variance))


def wave_profile(answers: pd.DataFrame, cohort: pd.DataFrame) -> Profile:
    """The profile of a wave.

    Args:
        answers: rows of ``outcome_questionnaire``: person, pain_screen, low_back_pain, follow_up_years,
            severe_low_back_pain_as_published, in_cohort.
        cohort: person, sex, age (years at baseline), and the covariates that the analyses need.
    """
    known = cohort[cohort["person"].isin(answers["person"])]
    pain, severe = answers["low_back_pain"], answers["severe_low_back_pain_as_published"]
    lacks = known.drop(columns="person").isna().any(axis=1)
    sex = known["sex"].dropna()
    years = answers["follow_up_years"].dropna()
    found = {
        "response": share(int(answers["in_cohort"].sum()), len(cohort)),
        "screen_missing": share(int(answers["pain_screen"].isna().sum()), len(answers)),
        "prevalence": share(int((pain == 1).sum()), int(pain.notna().sum())),
        "limited": share(int((severe == 1).sum()), int((pain == 1).sum())) if severe.notna().any() else None,
        "date_missing": share(int(answers.loc[answers["in_cohort"], "follow_up_years"].isna().sum()),
                              int(answers["in_cohort"].sum())),
        "before_baseline": share(int((years < 0).sum()), len(years)),
        "covariate_missing": share(int(lacks.sum()), len(known)),
        "women": share(int((sex == "female").sum()), len(sex)),
        "mean_age": mean(known["age"]),
    }  # fmt: skip
    return {name: measure for name, measure in found.items() if measure is not None}


def batch_profile(days: pd.DataFrame) -> Profile:
    """The profile of a batch.

    Args:
        days: rows of ``daily_exposures``: person, recorded, valid, seconds of each activity and walking speed.
    """
    import pandas as pd

    recorded = days[days["recorded"].fillna(False).astype(bool)]
    people = recorded.groupby("person")[[*ACTIVITIES, "walking_slow", "walking_moderate", "walking_brisk"]].sum()
    number = recorded.groupby("person").size()
    total = people[list(ACTIVITIES)].sum(axis=1)
    total = total.where(total > 0)
    valid = days.groupby("person")["valid"].any() if len(days) else pd.Series(dtype="bool")
    found: dict[str, Measure | None] = {
        "without_valid_day": share(int((~valid.astype(bool)).sum()), len(valid)),
        "hours_a_day": mean(total / number / 3600),
        "walking_minutes": mean(people["walking"] / total * 1440),
        "brisk_share": mean(people["walking_brisk"] / people["walking"].where(people["walking"] > 0)),
        "slow_share": mean(people["walking_slow"] / people["walking"].where(people["walking"] > 0)),
    }
    # Where lying is not known, as for a thigh sensor alone, it is part of sitting.
    apart = recorded.groupby("person")["lying"].count() > 0
    found |= {f"{name}_hours": mean((people[name] / total * 24).where(apart)) for name in ("lying", "sitting")}
    found["standing_hours"] = mean(people["standing"] / total * 24)
    return {name: measure for name, measure in found.items() if measure is not None}
