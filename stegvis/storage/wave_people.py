"""Read the people of a wave, as the analyses need them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

from stegvis.analyses.shared_wave import from_either, shared_wave
from stegvis.analyses.wave_data import Analysis, WaveData, rows_of, walking_days
from stegvis.statistics.levels import covariate_levels
from stegvis.statistics.results import members_of, to_frame
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.study.study import Study

PEOPLE = "select * from analysis_set where wave = getvariable('wave') order by person"
ELIGIBLE = "select * from eligible_people where wave = getvariable('wave') order by person"
DAYS = """
with analyzed as (
    select person from analysis_set where wave = getvariable('wave')
)

select d.person, d.day, d.date, d.walking_slow, d.walking_moderate, d.walking_brisk, d.walking
from daily_exposures as d
inner join walking_exposures as w using (person, batch)
inner join analyzed as a using (person)
where d.valid
order by d.person, d.day
"""


# The tables behind the queries, and what was read last: the tables of a wave's estimates are made one after the other
# from the same people.
_READ = ("analysis_set", "eligible_people", "daily_exposures", "walking_exposures")
_LAST: list[tuple[Any, list[pd.DataFrame]]] = []


def wave_data(warehouse: Reader, study: Study) -> WaveData:
    """The people of the wave that is made."""
    people, eligible, days = _frames(warehouse)
    return WaveData(
        people=people,
        eligible=eligible,
        days=walking_days(days, study.protocol),
        protocol=study.protocol,
        levels=covariate_levels(study.codebook),
    )


def _frames(warehouse: Reader) -> list[pd.DataFrame]:
    with warehouse.session() as connection:
        versions = connection.execute(
            "select table_name, partition, data_version from materializations where table_name in ? order by all",
            [_READ],
        ).fetchall()
        place = (warehouse.warehouse.home.root, warehouse.partition.label, versions)
        for before, frames in _LAST:
            if before == place:
                return frames
        frames = warehouse.frames(PEOPLE, ELIGIBLE, DAYS)
    _LAST[:] = [(place, with_numbered_people(frames))]
    return _LAST[0][1]


def with_numbered_people(frames: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """People, eligible people and days with ``person`` as categories: who is behind each count is compared often."""
    everyone = pd.CategoricalDtype(frames[1]["person"])
    return [frame.astype({"person": everyone}) for frame in frames]


def fit_wave(
    group: str,
    analyses: Sequence[Analysis],
    warehouse: Reader,
    study: Study,
    report: Callable[[str], None],
    made: Collection[str] = (),
    cohort: pd.DataFrame | None = None,
) -> Rows:
    """The results of a group of analyses of the wave that is made, and the people behind each of them.

    Args:
        group: its table.
        analyses: of the group.
        warehouse: the tables they read.
        study: protocol and codebook.
        report: called with a line of progress.
        made: the tables that are made in the same run, whose analyses a second process may begin already.
        cohort: everyone at baseline, for analyses that need them; these are computed here, as the second process is not
            given the cohort.
    """
    data = wave_data(warehouse, study)
    if shared := shared_wave(data, made):
        record = partial(study.record, "protocol")
        analyses = [from_either(group, number, each, shared, record) for number, each in enumerate(analyses)]
    rows = rows_of(analyses, replace(data, cohort=cohort), report)
    results = to_frame(rows)
    not_estimable = int((results["status"] == "not_estimable").sum())
    return Rows(results, also={f"{group}_people": members_of(rows)}, metadata={"not_estimable": not_estimable})
