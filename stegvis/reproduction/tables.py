"""The tables that the commands read, of one wave and of all waves, with the categories of the analyses."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from stegvis.analyses.pooled import first_response_cuts, stack
from stegvis.statistics.categories import cuts, with_categories
from stegvis.study.protocol import EXPOSURES, Protocol


def tables_of_wave(
    people: pd.DataFrame, eligible: pd.DataFrame, days: pd.DataFrame, cohort: pd.DataFrame, protocol: Protocol
) -> Mapping[str, pd.DataFrame]:
    """``analysis_set``, ``eligible_people`` with the cut points of the former, ``days``, ``cohort``: ``WaveData``."""
    found = {exposure: cuts(people[exposure].dropna(), exposure, protocol) for exposure in protocol.exposures.names}
    eligible = with_categories(_of_study(eligible, protocol), found)
    cohort = _of_study(cohort, protocol)
    return {"analysis_set": people, "eligible_people": eligible, "days": days, "cohort": cohort}


def tables_across(stacked: pd.DataFrame, histories: pd.DataFrame, protocol: Protocol) -> Mapping[str, pd.DataFrame]:
    """``answers`` and ``histories`` with the cut points of first responses, as in ``fit_across_waves``.

    Raises:
        ValueError: there is no wave, or a person occurs twice in one.
    """
    answers = stack(stacked, protocol)
    found = first_response_cuts(answers, protocol)
    return {"answers": answers, "histories": with_categories(_of_study(histories, protocol), found)}


def _of_study(people: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """People without the columns of exposures that the study does not have."""
    absent = [exposure for exposure in EXPOSURES if exposure not in protocol.exposures.names]
    return people.drop(columns=absent, errors="ignore")
