"""Which run made each published table, when, and from what.

Belongs here: the memory of all publications as plain data, for a release to carry. Does not belong here: deciding by it
(``orchestration``). It holds names, hashes and protocol values: nothing of a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stegvis.assets.building.recipe import Recipe, normalized_sql, sql_text
from stegvis.assets.building.records import Records

if TYPE_CHECKING:
    import duckdb


def history(recipes: Mapping[str, Recipe], records: Records) -> list[dict[str, Any]]:
    """Every published partition, in the order the data flows.

    Returns:
        asset, partition, run, made_at (seconds since 1970), data_version, fingerprint, made_from (deliveries and
        upstream tables with their versions) and method (SQL, code, protocol values, engine).
    """
    return [
        {
            "asset": recipe.name,
            "partition": key,
            "run": made.run_id,
            "made_at": made.made_at,
            "data_version": made.data_version,
            "fingerprint": made.fingerprint,
            "made_from": {name: value for name, value in made.made_from.items() if is_data(name)},
            "method": {name: value for name, value in made.made_from.items() if not is_data(name)},
        }
        for recipe in recipes.values()
        for key, made in sorted(records.published(recipe).items())
    ]


def lineage(connection: duckdb.DuckDBPyConnection, stages: list[dict[str, Any]]) -> dict[str, Any]:
    """What leads from a row of the results back to the deliveries.

    Returns:
        ``stages``, as ``history`` gives them; ``analyses``, the stage that makes each analysis; ``sql``, the SELECTs by
        file name, without comments.
    """
    from stegvis.assets.building.graph import recipes
    from stegvis.assets.fitted_models import GROUPS

    analyses: dict[str, str] = {}
    # The last one that names an analysis is the one that makes it: fitted_models holds the rows of all groups.
    for table in ("pooled_models", "fitted_models", *GROUPS):
        for (analysis,) in connection.execute(f'select distinct analysis from "{table}" order by 1').fetchall():
            analyses[analysis] = table
    files = {file for recipe in recipes().values() for file in recipe.sql}
    return {
        "analyses": dict(sorted(analyses.items())),
        "sql": {f"sql/{file}.sql": normalized_sql(sql_text(file)) for file in sorted(files)},
        "stages": stages,
    }


def is_data(name: str) -> bool:
    """Whether a part of a provenance is data (a delivery, an upstream table), not method."""
    return not name.startswith(("library ", "sql/", "protocol ", "codebook ", "code ", "file ", "expectations"))
