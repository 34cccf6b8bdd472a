"""What leads from a row of the results back to the deliveries, as ``lineage.json`` of a release holds it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from stegvis.provenance.sql import normalized
from stegvis.sql import SQL, sql_text
from stegvis.statistics.results import GROUPS

if TYPE_CHECKING:
    import duckdb


def lineage(connection: duckdb.DuckDBPyConnection, partitions: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The tables behind every analysis.

    Args:
        connection: the open warehouse.
        partitions: what is published and from what (``stegvis.storage.tables.history``).

    Returns:
        ``stages``, the partitions; ``analyses``, the table that holds each analysis; ``sql``, the SELECTs by file name,
        without comments.
    """
    analyses: dict[str, str] = {}
    # The last one that names an analysis is the one that makes it: fitted_models holds the rows of all groups.
    for table in ("pooled_models", "fitted_models", *GROUPS):
        for (analysis,) in connection.execute(f'select distinct analysis from "{table}" order by 1').fetchall():
            analyses[analysis] = table
    files = sorted(file.stem for file in SQL.glob("*.sql"))
    return {
        "analyses": dict(sorted(analyses.items())),
        "sql": {f"sql/{name}.sql": normalized(sql_text(name)) for name in files},
        "stages": list(partitions),
    }
