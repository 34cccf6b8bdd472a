"""Descriptions of the columns of each table, read from ``dictionary.toml``."""

from __future__ import annotations

import tomllib
from functools import cache

from stegvis.data_files import data_file

# Tables with the same columns as another.
_SAME_AS = {
    "pooled_models": "fitted_models",
    "risk_ratios": "fitted_models",
    "absolute_risks": "fitted_models",
    "bias_models": "fitted_models",
    "dose_response": "fitted_models",
    "sensitivity_models": "fitted_models",
    "time_use_models": "fitted_models",
    "published_results": "fitted_models",
    "absolute_risks_people": "risk_ratios_people",
    "bias_models_people": "risk_ratios_people",
    "dose_response_people": "risk_ratios_people",
    "sensitivity_models_people": "risk_ratios_people",
    "time_use_models_people": "risk_ratios_people",
    "characteristics_people": "risk_ratios_people",
    "pooled_models_people": "risk_ratios_people",
    "published_attrition": "attrition",
    "published_characteristics": "characteristics",
    "published_histogram": "exposure_histogram",
}


@cache
def dictionary() -> dict[str, dict[str, str]]:
    """Descriptions by table and column."""
    tables: dict[str, dict[str, str]] = tomllib.loads(data_file("study/dictionary.toml").read_text(encoding="utf-8"))
    return tables | {name: tables[like] for name, like in _SAME_AS.items()}


def column_descriptions(table: str) -> dict[str, str]:
    """Descriptions of a table's columns; empty for an unknown table."""
    return dictionary().get(table, {})
