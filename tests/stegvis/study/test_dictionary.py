"""The data dictionary describes every column of every table, and no column that is not there."""

from __future__ import annotations

import pytest

from stegvis.analyses.characteristics import CHARACTERISTICS_COLUMNS
from stegvis.analyses.histogram import HISTOGRAM_COLUMNS
from stegvis.assets.table import TABLES
from stegvis.claims.evaluation import COLUMNS as CLAIM_COLUMNS
from stegvis.disclosure.suppression import SUPPRESSED_COLUMNS
from stegvis.release.bridge_steps import compared
from stegvis.sql import SQL
from stegvis.statistics.results import GROUPS, RESULT_COLUMNS
from stegvis.storage.recordings import COLUMNS as RECORDING_COLUMNS
from stegvis.storage.recordings import DAY_COLUMNS
from stegvis.study.dictionary import column_descriptions, dictionary
from stegvis.study.protocol import EXPOSURES
from tests.sql.tables import columns_of
from tests.stegvis.conftest import CODEBOOK, PROTOCOL

# What the asset's own code adds to its SELECT, or makes without one.
ADDED = {
    "withdrawals": ["delivery", "source_row"],
    "baseline_questionnaire": [*CODEBOOK["participants"].columns, "delivery"],
    "vital_status": [*CODEBOOK["vital_status"].columns, "in_cohort", "delivery"],
    "recordings": list(RECORDING_COLUMNS),
    "followup_questionnaire": ["wave", *CODEBOOK["questionnaire"].columns, "delivery"],
    "epoch_classification": ["batch", "level", "status"],
    "analysis_set": [f"{exposure}_{kind}" for exposure in EXPOSURES for kind in ("category", "level")],
    "risk_ratios": list(RESULT_COLUMNS),
    "absolute_risks": list(RESULT_COLUMNS),
    "bias_models": list(RESULT_COLUMNS),
    "dose_response": list(RESULT_COLUMNS),
    "sensitivity_models": list(RESULT_COLUMNS),
    "time_use_models": list(RESULT_COLUMNS),
    "fitted_models": list(RESULT_COLUMNS),
    "pooled_models": list(RESULT_COLUMNS),
    "characteristics": list(CHARACTERISTICS_COLUMNS),
    "disclosure": list(SUPPRESSED_COLUMNS),
    "claims": CLAIM_COLUMNS,
    "delivered_days": ["batch", *DAY_COLUMNS],
    "exposure_histogram": list(HISTOGRAM_COLUMNS),
    "published_results": list(RESULT_COLUMNS),
    "published_attrition": columns_of("attrition"),
    "published_characteristics": list(CHARACTERISTICS_COLUMNS),
    "published_histogram": list(HISTOGRAM_COLUMNS),
    **{f"{name}_people": ["wave", "person", "numbers"] for name in (*GROUPS, "characteristics", "pooled_models")},
    "published_origins": ["wave", "deliveries", "method", "edition"],
    "released_people": ["wave", "person", "reason", *compared(PROTOCOL)],
    "report": ["wave", "file", "html", "bytes"],
    "release": ["release", "file", "sha256", "bytes"],
}


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_column_has_a_description_and_every_description_a_column(table: str) -> None:
    columns = set(ADDED.get(table, []))
    if (SQL / f"{table}.sql").is_file():
        columns |= set(columns_of(table))
    assert set(column_descriptions(table)) == columns


def test_the_dictionary_has_every_table() -> None:
    assert set(dictionary()) == set(TABLES)


def test_no_description_is_empty_or_ends_with_a_full_stop() -> None:
    for table, columns in dictionary().items():
        for column, description in columns.items():
            assert description.strip() == description != "", f"{table}.{column}"
            assert not description.endswith(".") or description.endswith("..."), f"{table}.{column}"


def test_an_unknown_table_has_no_descriptions() -> None:
    assert column_descriptions("of contents") == {}
