"""Analyses ``follow_up_states`` and ``vital_status``: who answered, is silent, dead or abroad, and the risks of both.

There are none where no registry of deaths and emigrations was delivered. Everyone eligible is counted. How many that
are today is published once, at the first wave (``disclosure/published.py``), so no row has their number: deaths and
emigrations are counts, and those who answered or are silent are shares.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from stegvis.analyses.category_design import with_cuts_of_people
from stegvis.analyses.living import ABROAD, DEAD, STATES, vital_status_known
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.aalen_johansen import cumulative_incidence
from stegvis.statistics.contract import complete_rows
from stegvis.statistics.members import Members
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.terms import category_term
from stegvis.study.protocol import Exposure

STATES_ANALYSIS, INCIDENCE_ANALYSIS = "follow_up_states", "vital_status"
# The kinds of event, and the states that follow.
EVENTS = {"died": DEAD, "emigrated": ABROAD}
STATES_NOTE = "of everyone eligible in the category, at the wave's last response"


def follow_up_state_rows(data: WaveData) -> list[ResultRow]:
    """The share of each category in each state, and the cumulative incidence of death and emigration."""
    if not vital_status_known(data.eligible):
        return []
    return [row for exposure in data.protocol.exposures.names for row in _rows(exposure, data)]


def _rows(exposure: Exposure, data: WaveData) -> list[ResultRow]:
    known, _ = complete_rows(data.eligible, [exposure])
    eligible = with_cuts_of_people(known, data)
    term = category_term(exposure, data.protocol)
    years = _horizon(eligible)
    states, incidence = [], []
    for category, label in data.labels(exposure).items():
        people = eligible[(eligible[term.column] == category).to_numpy(dtype=bool)]
        states += _state_rows(people, data.template(STATES_ANALYSIS, "adjusted", exposure, "eligible"), label, data)
        row = data.template(INCIDENCE_ANALYSIS, "adjusted", exposure, "eligible")
        incidence += _incidence_rows(people, replace(row, level=label), years, data)
    return states + incidence


def _state_rows(people: pd.DataFrame, template: ResultRow, label: str, data: WaveData) -> list[ResultRow]:
    """One row for each state of a category's people."""
    smallest = data.protocol.disclosure.smallest_count
    counts = {state: int((people["state"] == state).sum()) for state in STATES}
    template = replace(template, level=label, measure="share", note=joined(template.note, STATES_NOTE))
    # The shares of the others would give a small one away.
    few = any(0 < number < smallest for number in counts.values())
    rows = []
    for state, number in counts.items():
        row = replace(template, term=state)
        if people.empty:
            rows.append(row.not_estimable("nobody is in this category"))
        elif few:
            rows.append(row.not_estimable(f"fewer than {smallest} people of the category are in one of the states"))
        else:
            counted = _counting(row, people, people["state"] == state) if state in EVENTS.values() else row
            rows.append(replace(counted, estimate=number / len(people)))
    return rows


def _counting(row: ResultRow, people: pd.DataFrame, which: pd.Series) -> ResultRow:
    """A row that counts some people as its events, and not all of whom they are."""
    found = people[which.to_numpy(dtype=bool)].assign(counted=1)
    return replace(row, events=len(found), members=Members.of(found, "counted"))


def _horizon(eligible: pd.DataFrame) -> int:
    """Whole years after baseline until which at least half of the living were followed; at least one."""
    followed = eligible.loc[eligible["vital_event"].isna(), "vital_years"]
    return max(int(np.floor(followed.median())), 1) if len(followed) else 1


def _incidence_rows(people: pd.DataFrame, row: ResultRow, years: int, data: WaveData) -> list[ResultRow]:
    """One row for each kind of event."""
    smallest = data.protocol.disclosure.smallest_count
    note = f"within {years} {'year' if years == 1 else 'years'} of baseline, the other event competing"
    row = replace(row, measure="cumulative_incidence", note=joined(row.note, note))
    causes = people["vital_event"].map({name: place for place, name in enumerate(EVENTS, start=1)}).fillna(0)
    # Whoever has an event on the day of the baseline has it just after.
    times = people["vital_years"].to_numpy(dtype="float64").clip(min=0)
    found = {}
    if len(people):
        codes = np.asarray(causes, dtype=np.int64)
        found = cumulative_incidence(times, codes, years, data.protocol.models.confidence)
    rows = []
    for place, name in enumerate(EVENTS, start=1):
        happened = (people["vital_event"] == name) & (people["vital_years"] <= years)
        each = replace(row, term=name)
        if (number := int(happened.sum())) < smallest:
            rows.append(each.not_estimable(f"fewer than {smallest} events" if number or len(people) else "nobody"))
            continue
        risk = found[place]
        each = _counting(each, people, happened)
        rows.append(
            replace(each, estimate=risk.estimate, std_error=risk.std_error, ci_low=risk.ci_low, ci_high=risk.ci_high)
        )
    return rows
