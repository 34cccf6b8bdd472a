"""Units of day totals: the codebook's unit converts to seconds, and a table in the wrong unit is recognized."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from stegvis.deliveries.problems import file_problem
from stegvis.study.codebook import Column

SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
SPEEDS = ("walking_slow", "walking_moderate", "walking_brisk")
ACTIVITIES = ("lying", "sitting", "standing", *SPEEDS, "walking", "running", "cycling")
MINUTES_PER_DAY = 1440


def to_seconds(table: pd.DataFrame, columns: Mapping[str, Column]) -> pd.DataFrame:
    """A table whose columns with a unit of time other than seconds are converted; others are as they were."""
    factors = {name: SECONDS[column.unit] for name, column in columns.items() if column.unit in SECONDS}
    return table.assign(**{name: table[name] * factor for name, factor in factors.items() if factor != 1})


def seconds_of_day(days: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Sum of the activities of each day; walking is the total if delivered, else the sum of its speed classes."""
    there = days.reindex(columns=list(ACTIVITIES))
    walking = there["walking"].astype("float64").fillna(there[list(SPEEDS)].sum(axis=1))
    others = there[["lying", "sitting", "standing", "running", "cycling"]].sum(axis=1)
    total: npt.NDArray[np.float64] = (others + walking).to_numpy(dtype="float64")
    return total


def in_minutes(sums: npt.NDArray[np.float64], file: str, seconds_per_day: int) -> pd.DataFrame | None:
    """The problem of a table that holds minutes where seconds are expected, or None.

    No day may exceed 1,440, and most days must be half as long at least: nobody's days have twenty minutes.

    Args:
        sums: sum of the activities of each day.
        file: for the list of problems.
        seconds_per_day: of the protocol.
    """
    sums = sums[sums > 0]
    if not len(sums) or sums.max() > MINUTES_PER_DAY + 5 or np.median(sums) < MINUTES_PER_DAY / 2:
        return None
    message = (
        f"the days of the whole table sum to about {MINUTES_PER_DAY:,} instead of {seconds_per_day:,}: they are in "
        'minutes. If so, write unit = "min" and range = [0, 1440] in the codebook\'s [days.columns]; nothing is used'
    )
    return file_problem(file, "minutes_not_seconds", message)
