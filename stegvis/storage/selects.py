"""Which tables a SELECT reads, found by parsing it with DuckDB, so that nobody lists them by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

_READ: dict[str, frozenset[str]] = {}


def tables_read(text: str, connection: duckdb.DuckDBPyConnection | None = None) -> frozenset[str]:
    """The tables and views a SELECT reads, its own common table expressions left out; found once for each text.

    Args:
        text: the SELECT.
        connection: an open database that may parse it, whatever is in it: opening one for that takes twenty times as
            long.

    Raises:
        ValueError: the text is not one SELECT.
    """
    if text not in _READ:
        _READ[text] = _tables_in(_parsed(text, connection))
    return _READ[text]


def _parsed(text: str, connection: duckdb.DuckDBPyConnection | None) -> dict[str, Any]:
    import duckdb

    if connection is None:
        with duckdb.connect() as mine:
            return _parsed(text, mine)
    (found,) = connection.execute("select json_serialize_sql(?)", [text]).fetchall()
    parsed: dict[str, Any] = json.loads(found[0])
    if parsed.get("error"):
        raise ValueError(f"not a SELECT: {parsed.get('error_message')}")
    return parsed


def _tables_in(parsed: dict[str, Any]) -> frozenset[str]:
    tables: set[str] = set()
    named: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, list):
            for each in node:
                walk(each)
        elif isinstance(node, dict):
            if node.get("type") == "BASE_TABLE":
                tables.add(node["table_name"])
            if isinstance(node.get("cte_map"), dict):
                named.update(each["key"] for each in node["cte_map"].get("map", []))
            for each in node.values():
                walk(each)

    walk(parsed)
    return frozenset(tables - named)
