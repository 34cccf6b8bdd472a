"""outcome_questionnaire: the outcomes at follow-up, with severity."""

from __future__ import annotations

from stegvis.assets.cohort import cohort
from stegvis.assets.followup_questionnaire import followup_questionnaire
from stegvis.assets.home import WAVES
from stegvis.assets.table import table
from stegvis.sql import sql_text
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.study.covariates import composed
from stegvis.study.study import Study


@table(
    deps=[followup_questionnaire, cohort],
    partitions_def=WAVES,
    group_name="outcome",
    kinds={"duckdb", "sql"},
    until_accepted=True,
)
def outcome_questionnaire(warehouse: Reader, study: Study) -> Rows:
    """The outcomes at follow-up, as the codebook defines them, with severity.

    A new delivery that is far from the other waves, or from what the protocol expects, waits until it is accepted.
    """
    from stegvis.plausibility.measures import wave_profile
    from stegvis.plausibility.ranges import compare

    rules = study.protocol.plausibility
    select = composed("outcome_questionnaire", sql_text("outcome_questionnaire"), study.codebook)
    answers, people = warehouse.frames(select, "select * from cohort")
    profile = wave_profile(answers, people[["person", *study.protocol.exclusions.complete_case]])
    compared = compare(profile, warehouse.other_profiles(), rules.wave.items(), rules)
    return Rows(select, profile=profile, compared=compared)
