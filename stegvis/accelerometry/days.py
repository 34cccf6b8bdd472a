"""Epochs to days: seconds of each activity, wear, and which days count.

The warehouse does the same by SQL (``daily_exposures``); this is for one recording without a warehouse.

Belongs here: sums by device-local date, and the rules of a day. Does not belong here: sums by person.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from stegvis.accelerometry.activity import ActivityCode, SpeedCode
from stegvis.study.protocol import protocol

WALKING_SPEEDS = tuple(code for code in SpeedCode if code is not SpeedCode.NOT_WALKING)


def day_table(epochs: pd.DataFrame) -> pd.DataFrame:
    """One row per device-local date of a recording.

    Args:
        epochs: one row per epoch: ``epoch_start`` datetime64, ``activity`` and ``speed`` codes, ``wear_back`` and
            ``wear_thigh`` bool.

    Returns:
        ``date`` datetime64[s]; int64 seconds ``lying`` ... ``cycling``, ``walking_slow`` ..., ``nonwear``,
        ``wear_back``, ``wear_thigh``; bool ``as_published``, ``whole_day``, ``worn``, one for each rule of a day, and
        ``valid``, the one of the protocol's rule.
    """
    seconds = protocol().epochs.seconds
    columns = {f"{code.name.lower()}": epochs["activity"] == code for code in ActivityCode}
    for code in WALKING_SPEEDS:
        columns[f"walking_{code.name.lower()}"] = columns["walking"] & (epochs["speed"] == code)
    columns |= {name: epochs[name] for name in ("wear_back", "wear_thigh")}
    # Plain days: the epochs' own resolution would make the dates' depend on it.
    date = epochs["epoch_start"].to_numpy().astype("datetime64[D]").astype("datetime64[s]")
    table = pd.DataFrame(columns).groupby(date).sum().astype(np.int64) * seconds
    table = pd.concat([table, day_rules(table)], axis=1).rename_axis("date").reset_index()
    return table.assign(valid=table[protocol().days.rule])


def day_rules(days: pd.DataFrame) -> pd.DataFrame:
    """Whether each day counts by each rule.

    Args:
        days: seconds of each activity, columns ``lying`` ... ``cycling``, by day.

    Returns:
        bool, indexed like ``days``: ``as_published`` (each of the protocol's activities above zero), ``whole_day``
        (worn for every second), ``worn`` (for at least the protocol's hours).
    """
    rules = protocol().days
    worn = days[[code.name.lower() for code in ActivityCode if code is not ActivityCode.NONWEAR]].sum(axis=1)
    return pd.DataFrame(
        {
            "as_published": (days[list(rules.must_be_positive)] > 0).all(axis=1),
            "whole_day": worn >= rules.seconds_per_day,
            "worn": worn >= 3600 * rules.smallest_wear_hours,
        }
    )
