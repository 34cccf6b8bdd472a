"""outcome_questionnaire: chronic low back pain at follow-up, with severity."""

from __future__ import annotations

from stegvis.assets.cohort import cohort
from stegvis.assets.followup_questionnaire import followup_questionnaire
from stegvis.assets.home import WAVES
from stegvis.assets.table import table
from stegvis.plausibility.measures import wave_profile
from stegvis.plausibility.ranges import compare
from stegvis.sql import sql_text
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.study.study import Study


@table(
    deps=[followup_questionnaire, cohort],
    partitions_def=WAVES,
    group_name="outcome",
    kinds={"duckdb", "sql"},
    until_accepted=True,
)
def outcome_questionnaire(warehouse: Reader, study: Study) -> Rows:
    """Chronic low back pain at follow-up by the two-step question, with severity.

    A new delivery that is far from the other waves, or from what the protocol expects, waits until it is accepted.
    """
    rules = study.protocol.plausibility
    answers, people = warehouse.frames(sql_text("outcome_questionnaire"), "select * from cohort")
    profile = wave_profile(answers, people[["person", *study.protocol.exclusions.complete_case]])
    compared = compare(profile, warehouse.other_profiles(), rules.wave.items(), rules)
    return Rows(sql_text("outcome_questionnaire"), profile=profile, compared=compared)
