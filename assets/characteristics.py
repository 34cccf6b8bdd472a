"""characteristics: Table 1 of a wave, and the histogram of each exposure."""

from __future__ import annotations

from stegvis.assets.analysis_set import analysis_set
from stegvis.assets.home import WAVES
from stegvis.assets.table import table
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.study.study import Study

PEOPLE = "select * from analysis_set where wave = getvariable('wave') order by person"


@table(
    deps=[analysis_set],
    partitions_def=WAVES,
    group_name="analysis",
    owners=["team:statistics"],
    kinds={"python"},
    also={
        "exposure_histogram": "People by bin of each exposure; small bins are hidden and the others rounded.",
        "characteristics_people": "Who is behind each count of Table 1; never published.",
    },
)
def characteristics(warehouse: Reader, study: Study) -> Rows:
    """Table 1: the analyzed people by category of walking volume."""
    from stegvis.analyses.characteristics import characteristics as table_one
    from stegvis.analyses.characteristics import characteristics_members
    from stegvis.analyses.histogram import histogram
    from stegvis.study.codebook import participant_levels

    people = warehouse.frame(PEOPLE)
    rows = table_one(people, study.protocol, participant_levels(study.codebook))
    also = {
        "exposure_histogram": histogram(people, study.protocol),
        "characteristics_people": characteristics_members(rows, people, study.protocol),
    }
    return Rows(rows, also=also)
