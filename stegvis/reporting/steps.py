"""The printed description of each exclusion step."""

from __future__ import annotations

import pandas as pd

from stegvis.reporting.words import Words

_DESCRIPTIONS = {
    "cohort": "took part at baseline",
    "no_accelerometer_day": "no day with accelerometer data",
    "no_valid_walking_day": "no valid day of walking",
    "baseline_screen_missing": "{question} at baseline not answered",
    "baseline_low_back_pain": "{outcome} at baseline",
    "followup_screen_missing": "{question} at follow-up not answered",
    "covariate_missing": "a covariate missing",
}


def description(rule: str, words: Words) -> str:
    """The description of a step.

    Raises:
        KeyError: a rule has no description.
    """
    return _DESCRIPTIONS[rule].format(question=words.english.researchers.question, outcome=words.outcome.name)


def described(attrition: pd.DataFrame, words: Words) -> pd.DataFrame:
    """The attrition table with a ``description`` of each step.

    Raises:
        KeyError: a rule has no description.
    """
    return attrition.assign(description=[description(rule, words) for rule in attrition["rule"]])
