"""Who of the eligible is alive and in the country: whom weights and tipping points are about.

Without a registry of deaths and emigrations everyone who did not respond counts as living, as nothing else is known.
"""

from __future__ import annotations

import pandas as pd

ANSWERED, SILENT, DEAD, ABROAD = "answered", "silent", "dead", "emigrated"
STATES = (ANSWERED, SILENT, DEAD, ABROAD)
LIVING = "living"


def vital_status_known(eligible: pd.DataFrame) -> bool:
    """Whether a registry of deaths and emigrations was delivered (columns of ``eligible_people``)."""
    return "vital_status_known" in eligible and bool(eligible["vital_status_known"].any())


def living(eligible: pd.DataFrame) -> pd.DataFrame:
    """The eligible without those who died or emigrated by the wave; everyone where that is not known."""
    return eligible[~eligible["state"].isin((DEAD, ABROAD))] if vital_status_known(eligible) else eligible


def gone(eligible: pd.DataFrame) -> pd.Series:
    """The eligible people (column ``person``) who died or emigrated by the wave; nobody where that is not known."""
    people = eligible["person"]
    return people[eligible["state"].isin((DEAD, ABROAD))] if vital_status_known(eligible) else people.iloc[:0]
