"""From which columns a column comes, for the UI.

Belongs here: reading it out of a stage's SELECT, or of the codebook for what is delivered. Does not belong here: stages
made by code, whose module says what they do.
"""

from __future__ import annotations

from functools import cache

import dagster as dg

from stegvis.assets.building.recipe import Recipe, sql_text
from stegvis.assets.building.sources import source_key
from stegvis.study.codebook import LayoutName, codebook
from stegvis.study.dictionary import dictionary

_LAYOUTS: dict[str, LayoutName] = {
    "withdrawals": "withdrawals",
    "baseline_questionnaire": "participants",
    "followup_questionnaire": "questionnaire",
}

# What a SELECT reads besides the stages' tables: epochs of the lake and delivered day totals, both of `recordings`.
_BESIDE = {
    "epochs": ("batch", "person", "epoch_start", "activity", "speed", "confidence", "wear_back",
               "wear_thigh"),
    "delivered_days": ("batch", "person", "day", "lying", "sitting", "standing", "walking_slow", "walking_moderate",
                       "walking_brisk", "walking", "running", "cycling"),
}  # fmt: skip

Sources = dict[str, list[tuple[str, str]]]


def column_lineage(recipe: Recipe) -> dg.TableColumnLineage | None:
    """The columns that each column of a stage's table is made from; None where no SELECT or codebook says it."""
    found = columns_from(recipe)
    if not found:
        return None
    keys = {table: dg.AssetKey(table.split("/")) for columns in found.values() for table, _ in columns}
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(keys[table], name) for table, name in columns]
            for column, columns in found.items()
            if columns
        }
    )


def columns_from(recipe: Recipe) -> Sources:
    """By column: the (asset, column) it is made from."""
    if recipe.name in _LAYOUTS and recipe.delivery:
        place = "/".join(source_key(recipe.delivery).path)
        layout = codebook()[_LAYOUTS[recipe.name]]
        return {name: [(place, column.source[0])] for name, column in layout.columns.items()}
    if recipe.name in recipe.sql:
        return _of_select(sql_text(recipe.name))
    return {}


@cache
def _of_select(sql: str) -> Sources:
    """Of each column of a SELECT, the columns of stored tables behind it."""
    # Half a second to import, and only a materialization needs it.
    import logging

    from sqlglot import exp, parse_one
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it tells of subqueries whose columns it takes as they are
    known = {table: tuple(columns) for table, columns in dictionary().items()} | _BESIDE
    tables: dict[str, object] = {table: dict.fromkeys(columns, "varchar") for table, columns in known.items()}
    query = parse_one(sql, dialect="duckdb")
    qualify(query, schema=tables, dialect="duckdb", validate_qualify_columns=False)
    assert isinstance(query, exp.Query)
    scope = build_scope(query)
    found: Sources = {}
    for column in query.named_selects:
        nodes = lineage(column, query, dialect="duckdb", scope=scope, schema=tables).walk()
        leaves = [node for node in nodes if not node.downstream and isinstance(node.source, exp.Table)]
        places = {(leaf.source.name, exp.to_identifier(leaf.name.split(".")[-1].strip('"')).name) for leaf in leaves}
        stored = [(table, name) for table, name in places if name in known.get(table, ())]
        found[column] = sorted({("recordings" if table in _BESIDE else table, name) for table, name in stored})
    return found
