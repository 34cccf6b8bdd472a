"""One rule for dates and times: on the device's own clock, without a zone, within the codebook's bounds."""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import numpy.typing as npt
import pandas as pd

Mask = npt.NDArray[np.bool_]

DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
ZONE = r"(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)"

TIMESTAMP_TEXT = rf"{DATE}[ T]{TIME}"
DATE_TEXT = rf"{DATE}(?:[ T]{TIME})?"
ZONED_TEXT = re.compile(rf"{DATE}[ T]{TIME} ?{ZONE}")

NO_DATE = "the cell must hold a date written YYYY-MM-DD"
NO_TIME = "the cell must hold a time written YYYY-MM-DD HH:MM:SS, without a time zone"
ZONED = "the cell must hold a time without a time zone; give the time of the device's own clock"


def out_of_bounds(bounds: tuple[dt.date, dt.date]) -> str:
    """The rule of a date's or a time's bounds, in words."""
    return f"the date must be between {bounds[0]:%Y-%m-%d} and {bounds[1]:%Y-%m-%d}"


def limits(bounds: tuple[dt.date, dt.date]) -> tuple[np.datetime64, np.datetime64]:
    """The first moment within the bounds and the first one after them, in microseconds."""
    first, last = (np.datetime64(day, "us") for day in bounds)
    return first, last + np.timedelta64(1, "D")


def within(moments: pd.Series, bounds: tuple[dt.date, dt.date]) -> tuple[pd.Series, Mask]:
    """Moments as ``datetime64[us]``, missing where they are outside the bounds, and which are.

    Args:
        moments: ``datetime64`` of any unit, however far away; no unit is converted before the bounds are checked.
        bounds: first and last day.
    """
    array = moments.to_numpy()
    low, high = limits(bounds)
    unit = np.datetime_data(array.dtype)[0]
    if unit in ("s", "ms"):  # such a moment may be further away than microseconds can count
        outside = (array < low.astype(f"datetime64[{unit}]")) | (array >= high.astype(f"datetime64[{unit}]"))
        array = np.where(outside, np.datetime64("NaT"), array)
    else:
        outside = np.zeros(len(array), dtype=bool)
    exact = array.astype("datetime64[us]")
    outside |= (exact < low) | (exact >= high)
    return pd.Series(np.where(outside, np.datetime64("NaT", "us"), exact) if outside.any() else exact), outside
