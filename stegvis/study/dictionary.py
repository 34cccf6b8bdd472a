"""What each column of each table means, read from ``dictionary.toml``.

Belongs here: descriptions. Does not belong here: types (DuckDB knows them) and rules (``expectations/``).
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

DICTIONARY_FILE = Path(__file__).with_name("dictionary.toml")

# Tables of the same shape as another.
_SAME_AS = {
    "pooled_models": "fitted_models",
    "risk_ratios": "fitted_models",
    "absolute_risks": "fitted_models",
    "bias_models": "fitted_models",
    "dose_response": "fitted_models",
    "sensitivity_models": "fitted_models",
    "time_use_models": "fitted_models",
}


@cache
def dictionary() -> dict[str, dict[str, str]]:
    """Descriptions by table and column."""
    tables: dict[str, dict[str, str]] = tomllib.loads(DICTIONARY_FILE.read_text(encoding="utf-8"))
    return tables | {name: tables[like] for name, like in _SAME_AS.items()}


def column_descriptions(table: str) -> dict[str, str]:
    """Descriptions of a table's columns; empty for an unknown table."""
    return dictionary().get(table, {})
