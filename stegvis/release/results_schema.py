"""The JSON schema of a row of results, and the fields of each released table.

Names and types come from ``stegvis/statistics/results.py``, meanings from ``stegvis/study/dictionary.toml``.
"""

from __future__ import annotations

from typing import Any

from stegvis.analyses.characteristics import CHARACTERISTICS_COLUMNS
from stegvis.analyses.declared import DECLARED_COLUMNS, MEANINGS
from stegvis.statistics.results import ESTIMATE_COLUMNS, KEY_COLUMNS, RESULT_COLUMNS, STATUSES
from stegvis.study.dictionary import column_descriptions

# Released table -> (the table of the dictionary that describes it, its columns with their pandas types).
TABLES: dict[str, tuple[str, dict[str, str]]] = {
    "results": ("fitted_models", RESULT_COLUMNS),
    "characteristics": ("characteristics", CHARACTERISTICS_COLUMNS),
    "attrition": (
        "attrition",
        {"wave": "str", "step": "Int64", "rule": "str", "excluded": "Int64", "remaining": "Int64", "status": "str"},
    ),
    "declared_estimates": ("fitted_models", DECLARED_COLUMNS),
}
_TYPES = {"str": "string", "Int64": "integer", "float64": "number"}
_STATUS_COLUMNS = {
    "results": STATUSES,
    "characteristics": ("ok", "suppressed"),
    "attrition": ("ok", "suppressed"),
    "declared_estimates": STATUSES,
}


def fields(table: str) -> list[dict[str, Any]]:
    """The columns of a released table in order, as Table Schema: name, type, description and constraints."""
    described_by, columns = TABLES[table]
    meanings = column_descriptions(described_by) | MEANINGS | {"status": _status_meaning(table)}
    return [
        {
            "name": name,
            "type": _TYPES[kind],
            "description": meanings[name],
            **({"constraints": limits} if (limits := _constraints(table, name, kind)) else {}),
        }
        for name, kind in columns.items()
    ]


def results_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of one row of results, missing numbers being null."""
    properties: dict[str, Any] = {}
    for each in fields("results"):
        limits = each.get("constraints", {})
        number = each["type"] != "string"
        properties[each["name"]] = {
            "type": [each["type"], "null"] if number else "string",
            "description": each["description"],
            **({"minimum": limits["minimum"]} if "minimum" in limits else {}),
            **({"maximum": limits["maximum"]} if "maximum" in limits else {}),
            **({"enum": limits["enum"]} if "enum" in limits else {}),
            **({"minLength": 1} if limits.get("required") and not number and "enum" not in limits else {}),
        }
    no_estimate = {name: {"type": "null"} for name in ESTIMATE_COLUMNS}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A row of results: one estimate",
        "type": "object",
        "properties": properties,
        "required": list(RESULT_COLUMNS),
        "additionalProperties": False,
        "if": {"properties": {"status": {"const": "ok"}}},
        "then": {"properties": {"estimate": {"type": "number"}}},
        "else": {"properties": no_estimate | {"note": {"minLength": 1}}},
    }


def _status_meaning(table: str) -> str:
    return "ok, not_estimable or suppressed" if _STATUS_COLUMNS[table] == STATUSES else "ok or suppressed"


def _constraints(table: str, name: str, kind: str) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    if kind == "Int64":
        limits["minimum"] = 0
    if name == "percent":
        limits |= {"minimum": 0, "maximum": 100}
    if name in ("p_value", "p_holm", "p_fdr"):
        limits |= {"minimum": 0, "maximum": 1}
    if name == "status":
        limits |= {"required": True, "enum": list(_STATUS_COLUMNS[table])}
    if name in ("wave", "step", "rule", "variable", "category") or (table == "results" and name in _NEVER_BLANK):
        limits["required"] = True
    return limits


_NEVER_BLANK = tuple(name for name in KEY_COLUMNS if name not in ("term", "level"))
