"""The printed description of each exclusion step."""

from __future__ import annotations

import pandas as pd

DESCRIPTIONS = {
    "cohort": "took part at baseline",
    "no_accelerometer_day": "no day with accelerometer data",
    "no_valid_walking_day": "no valid day of walking",
    "baseline_screen_missing": "pain question at baseline not answered",
    "baseline_low_back_pain": "chronic low back pain at baseline",
    "followup_screen_missing": "pain question at follow-up not answered",
    "covariate_missing": "a covariate missing",
}


def described(attrition: pd.DataFrame) -> pd.DataFrame:
    """The attrition table with a ``description`` of each step.

    Raises:
        KeyError: a rule has no description.
    """
    return attrition.assign(description=[DESCRIPTIONS[rule] for rule in attrition["rule"]])
