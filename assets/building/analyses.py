"""How an asset fits a group of analyses.

Belongs here: reading a wave's people for the analyses, and fitting. Does not belong here: which analyses
(``stegvis/analyses``).
"""

from __future__ import annotations

from collections.abc import Sequence

from stegvis.analyses.wave_data import Analysis, WaveData, rows_of, walking_days
from stegvis.assets.building.build import Build
from stegvis.assets.building.recipe import Rows
from stegvis.statistics.levels import covariate_levels
from stegvis.statistics.results import members_of, to_frame
from stegvis.study.codebook import codebook

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
# What the frames above are made from, and the protocol values every analysis reads.
UPSTREAM = ("analysis_set", "eligible_people", "walking_exposures", "daily_exposures")
PROTOCOL = ("models", "exposures", "disclosure", "study.mode")


def wave_data(build: Build) -> WaveData:
    """The people of this build's wave."""
    people, eligible, days = build.read_each(PEOPLE, ELIGIBLE, DAYS)
    return WaveData(
        people=people,
        eligible=eligible,
        days=walking_days(days, build.protocol),
        protocol=build.protocol,
        levels=covariate_levels(codebook()),
    )


def fitted(build: Build, analyses: Sequence[Analysis]) -> Rows:
    """The results of a group of analyses, and the people behind them; every line of progress goes to the run's log."""
    rows = rows_of(analyses, wave_data(build), build.log.info)
    results = to_frame(rows)
    people = {f"{build.recipe.name}_people": members_of(rows)}
    return Rows(results, also=people, metadata={"not_estimable": int((results["status"] == "not_estimable").sum())})
