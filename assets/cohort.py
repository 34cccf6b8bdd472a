"""cohort: everyone at baseline, with typed covariates."""

from __future__ import annotations

from stegvis.assets.baseline_questionnaire import baseline_questionnaire
from stegvis.assets.epoch_classification import epoch_classification
from stegvis.assets.table import table
from stegvis.sql import sql_text
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.study.covariates import composed
from stegvis.study.study import Study

# People of each batch, and those of them whom no baseline has.
LINKAGE = """
select
    count(distinct person) as people,
    count(distinct person) filter (where person not in (select person from baseline_questionnaire)) as unlinked
from recordings
where person is not null
group by batch
"""


@table(deps=[baseline_questionnaire, epoch_classification], group_name="cohort", kinds={"duckdb", "sql"})
def cohort(warehouse: Reader, study: Study) -> Rows:
    """Everyone at baseline, with typed covariates and chronic low back pain at baseline."""
    batches = warehouse.frame(LINKAGE)
    linked = 1 - batches["unlinked"] / batches["people"]
    summary = {
        "recorded_people": float(batches["people"].sum()),
        "unlinked_people": float(batches["unlinked"].sum()),
        "least_linked_share": float(linked.min()) if len(batches) else 1.0,
    }
    return Rows(composed("cohort", sql_text("cohort"), study.codebook), summary=summary)
