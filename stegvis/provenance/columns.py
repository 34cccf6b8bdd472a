"""From which columns a column comes, read out of a table's SELECT or, for deliveries, out of the codebook."""

from __future__ import annotations

from functools import cache

from stegvis.study.codebook import Codebook, LayoutName, secondary_outcomes, study_columns
from stegvis.study.covariates import composed
from stegvis.study.dictionary import dictionary

_LAYOUTS: dict[str, LayoutName] = {
    "withdrawals": "withdrawals",
    "baseline_questionnaire": "participants",
    "followup_questionnaire": "questionnaire",
    "vital_status": "vital_status",
}
# What a SELECT reads besides tables: the epochs of the lake, as bouts or as rows.
_EPOCHS = ("batch", "person", "epoch_start", "activity", "speed", "confidence", "wear_back", "wear_thigh")
_BOUTS = ("batch", "person", "start", "seconds", "activity", "speed", "confidence", "wear_back", "wear_thigh")
_VIEWS = {"epochs": _EPOCHS, "bouts": _BOUTS}
_TABLE_OF_EPOCHS = "epoch_classification"

Sources = dict[str, list[tuple[str, str]]]


def columns_from(table: str, delivery: str | None, codebook: Codebook) -> Sources:
    """By column: the (asset, column) it is made from; empty where no SELECT or codebook says it.

    Args:
        table: its name.
        delivery: the kind of delivery it is read from; None where it is made from tables.
        codebook: of the study.
    """
    from stegvis.sql import SQL, sql_text

    if delivery and table in _LAYOUTS:
        columns = codebook[_LAYOUTS[table]].columns
        return {name: [(f"landing/{delivery}", column.source[0])] for name, column in columns.items()}
    if not (SQL / f"{table}.sql").is_file():
        return {}
    return _of_select(composed(table, sql_text(table), codebook), _known(codebook))


def _known(codebook: Codebook) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The columns of every table: those of the dictionary, and those that the codebook defines."""
    own = tuple(study_columns(codebook))
    others = secondary_outcomes(codebook)
    further = {
        "baseline_questionnaire": tuple(codebook.participants.columns),
        "followup_questionnaire": tuple(codebook.questionnaire.columns),
        "cohort": (*own, *(f"baseline_outcome_{name}" for name in others)),
        "eligible_people": (*own, *(f"outcome_{name}" for name in others)),
        "outcome_questionnaire": tuple(f"outcome_{name}" for name in others),
        **_VIEWS,
    }
    tables = {name: tuple(columns) for name, columns in dictionary().items()}
    return tuple(
        (name, tuple(dict.fromkeys((*tables.get(name, ()), *further.get(name, ()))))) for name in {**tables, **further}
    )


@cache
def _of_select(sql: str, columns: tuple[tuple[str, tuple[str, ...]], ...]) -> Sources:
    """Of each column of a SELECT, the columns of stored tables behind it.

    Args:
        sql: the SELECT.
        columns: the columns of every table.
    """
    # Half a second to import, and only a materialization needs it.
    import logging

    from sqlglot import exp, parse_one
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope
    from sqlglot.schema import MappingSchema

    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of subqueries whose columns it takes as they are
    known = dict(columns)
    tables = MappingSchema({table: dict.fromkeys(columns, "varchar") for table, columns in known.items()})
    query = parse_one(sql, dialect="duckdb")
    qualify(query, schema=tables, dialect="duckdb", validate_qualify_columns=False)
    assert isinstance(query, exp.Query)
    scope = build_scope(query)
    found: Sources = {}
    for column, made in lineage(
        None, query, tables, dialect="duckdb", scope=scope, copy=False, trim_selects=False
    ).items():
        leaves = [node for node in made.walk() if not node.downstream and isinstance(node.source, exp.Table)]
        places = {(leaf.source.name, exp.to_identifier(leaf.name.split(".")[-1].strip('"')).name) for leaf in leaves}
        stored = [(table, name) for table, name in places if name in known.get(table, ())]
        found[column] = sorted({(_TABLE_OF_EPOCHS if table in _VIEWS else table, name) for table, name in stored})
    return found
