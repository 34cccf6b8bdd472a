"""The graph: every table upstream before downstream, and every table that a SELECT reads among its dependencies."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import dagster as dg

from stegvis.assets.graph import ASSETS, tables
from stegvis.assets.table import TABLES
from stegvis.assets.ui import ROWS_TAG
from stegvis.orchestration.asset_definitions import asset_definitions
from stegvis.sql import SQL, sql_text
from stegvis.storage.selects import tables_read
from stegvis.study.covariates import composed
from stegvis.study.study import Study
from tests.study import CODEBOOK, home_with_study


def test_a_table_comes_after_those_it_is_made_from() -> None:
    seen: set[str] = set()
    for table in tables().values():
        assert {upstream.name for upstream in table.upstream} <= seen
        seen.add(table.name)


def test_every_select_reads_only_what_its_table_depends_on() -> None:
    for name, table in tables().items():
        if (SQL / f"{name}.sql").is_file():
            assert tables_read(composed(name, sql_text(name), CODEBOOK)) <= table.readable | {"bouts", "epochs"}, name


# --- what the UI shows of an asset ------------------------------------------------------------------------------------

SPECS = {spec.key.to_user_string(): spec for asset in ASSETS for spec in asset.specs}


def test_every_table_links_to_its_module_and_its_select() -> None:
    for name, spec in SPECS.items():
        links = spec.metadata["dagster/code_references"].code_references
        (module, *select) = [Path(link.file_path) for link in links]
        assert module.parent.name == "assets", name
        assert module.is_file()
        table = TABLES[name].name
        assert [file.stem for file in select] == ([table] if (SQL / f"{table}.sql").is_file() else []), name


def test_tables_with_a_row_for_each_person_are_tagged() -> None:
    people = {name for name, spec in SPECS.items() if spec.tags[ROWS_TAG] == "people"}
    assert {"cohort", "exclusions", "analysis_set", "recordings", "released_people"} <= people
    assert not people & {"attrition", "risk_ratios", "disclosure", "published_results", "release"}


def test_what_is_published_is_overdue_as_the_protocol_says(tmp_path: Path) -> None:
    home = home_with_study(tmp_path / "home")
    specs = asset_definitions(home).resolve_all_asset_specs()
    policies = {spec.key.to_user_string(): spec.freshness_policy for spec in specs}
    days = Study.of(home.root).protocol.freshness.release
    assert days > 0
    for name in ("report", "release"):
        assert policies[name] == dg.FreshnessPolicy.time_window(timedelta(days=days))
    assert policies["cohort"] is None
