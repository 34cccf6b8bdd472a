"""Which tables a SELECT reads, found by parsing it with DuckDB, so that nobody lists them by hand."""

from __future__ import annotations

import json
from functools import cache
from typing import Any


@cache
def tables_read(text: str) -> frozenset[str]:
    """The tables and views a SELECT reads, its own common table expressions left out.

    Raises:
        ValueError: the text is not one SELECT.
    """
    import duckdb

    with duckdb.connect() as connection:
        (found,) = connection.execute("select json_serialize_sql(?)", [text]).fetchall()
    parsed = json.loads(found[0])
    if parsed.get("error"):
        raise ValueError(f"not a SELECT: {parsed.get('error_message')}")
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
