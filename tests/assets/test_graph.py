"""The graph: every table upstream before downstream, and every table that a SELECT reads among its dependencies."""

from __future__ import annotations

from stegvis.assets.graph import tables
from stegvis.sql import SQL, sql_text
from stegvis.storage.selects import tables_read
from stegvis.study.covariates import composed
from tests.study import CODEBOOK


def test_a_table_comes_after_those_it_is_made_from() -> None:
    seen: set[str] = set()
    for table in tables().values():
        assert {upstream.name for upstream in table.upstream} <= seen
        seen.add(table.name)


def test_every_select_reads_only_what_its_table_depends_on() -> None:
    for name, table in tables().items():
        if (SQL / f"{name}.sql").is_file():
            assert tables_read(composed(name, sql_text(name), CODEBOOK)) <= table.readable | {"epochs"}, name
