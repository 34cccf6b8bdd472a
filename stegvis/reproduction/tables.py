"""The tables that the commands read: of one wave, and of all together.

Belongs here: which frames they are, with the categories the analyses give them. Does not belong here: reading them,
and who may have them (``stegvis.orchestration.export``).
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from stegvis.analyses.pooled import first_response_cuts, stack
from stegvis.statistics.categories import cuts, with_categories
from stegvis.study.protocol import EXPOSURES, Protocol


def tables_of_wave(
    people: pd.DataFrame, eligible: pd.DataFrame, days: pd.DataFrame, protocol: Protocol
) -> Mapping[str, pd.DataFrame]:
    """``analysis_set``, ``eligible_people`` (cut where the analyzed people are) and ``days``, as in ``WaveData``."""
    found = {exposure: cuts(people[exposure], exposure, protocol) for exposure in EXPOSURES}
    return {"analysis_set": people, "eligible_people": with_categories(eligible, found), "days": days}


def tables_across(stacked: pd.DataFrame, histories: pd.DataFrame, protocol: Protocol) -> Mapping[str, pd.DataFrame]:
    """``answers`` and ``histories``, both cut on each person's first answer, as ``fit_across_waves`` takes them.

    Raises:
        ValueError: there is no wave, or a person stands twice in one.
    """
    answers = stack(stacked, protocol)
    return {"answers": answers, "histories": with_categories(histories, first_response_cuts(answers, protocol))}
