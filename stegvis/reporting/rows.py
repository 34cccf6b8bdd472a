"""Selecting and ordering the rows of results that a page shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from stegvis.claims.ranks import level_order
from stegvis.reporting.wording import MODELS
from stegvis.study.protocol import EXPOSURES, Exposure


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as dictionaries, in order."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def chosen(results: pd.DataFrame, **values: Any) -> list[dict[str, Any]]:
    """The rows whose columns have these values, in the order they arrived."""
    wanted = np.ones(len(results), dtype=bool)
    for column, value in values.items():
        wanted &= (results[column] == value).to_numpy(dtype=bool, na_value=False)
    return records(results[wanted])  # taking rows of all columns is what costs


def by_level(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of an exposure's categories: the reference first, then in ascending order."""
    return sorted(rows, key=lambda row: (row["level"] != row["reference"], level_order(str(row["level"]))))


def highest(results: pd.DataFrame, exposure: Exposure, **values: Any) -> dict[str, Any] | None:
    """The fully adjusted ratio of the highest category against the reference, of an analysis and population."""
    rows = by_level(chosen(results, exposure=exposure, model="adjusted", measure="rr", **values))
    return rows[-1] if len(rows) > 1 and rows[-1]["level"] != rows[-1]["reference"] else None


def main_risk_ratios(results: pd.DataFrame, exposure: Exposure) -> pd.DataFrame:
    """The rows a forest plot and its table show: analysis main, measure rr, everyone, both models, this exposure.

    The reference comes first, then the categories in ascending order, age-adjusted before fully adjusted, whatever the
    order of the input.
    """
    wanted = (
        (results["analysis"] == "main")
        & (results["measure"] == "rr")
        & (results["exposure"] == exposure)
        & (results["population"] == "all")
        & results["model"].isin(list(MODELS))
    )
    rows = results[wanted]
    models = list(MODELS)
    rank = [
        (row["level"] != row["reference"], level_order(str(row["level"])), models.index(row["model"]))
        for row in records(rows)
    ]
    return rows.iloc[sorted(range(len(rows)), key=rank.__getitem__)]


def comparisons(results: pd.DataFrame, exposure: Exposure) -> list[dict[str, Any]]:
    """The fully adjusted rows against the reference, lowest category first."""
    rows = main_risk_ratios(results, exposure)
    return records(rows[(rows["model"] == "adjusted") & (rows["level"] != rows["reference"])])


def headline(results: pd.DataFrame, exposure: Exposure) -> dict[str, Any] | None:
    """The row a page leads with: fully adjusted, the highest category against the reference; None without one."""
    return next(reversed(comparisons(results, exposure)), None)


def people_and_cases(results: pd.DataFrame) -> tuple[int | None, int | None]:
    """Participants and cases of a wave, of one exposure's categories or of the test of all; None when suppressed."""
    for exposure in EXPOSURES:
        rows = main_risk_ratios(results, exposure)
        rows = rows[rows["model"] == "adjusted"]
        if len(rows) and (rows["status"] != "suppressed").all() and rows[["n", "events"]].notna().all(axis=None):
            return int(rows["n"].sum()), int(rows["events"].sum())
    joint = results[(results["analysis"] == "main") & (results["measure"] == "p_joint")]
    joint = joint[(joint["model"] == "adjusted") & joint[["n", "events"]].notna().all(axis=1)]
    return (int(joint["n"].iloc[0]), int(joint["events"].iloc[0])) if len(joint) else (None, None)
