"""Steps and uninterrupted walks of each day of one recording."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stegvis.accelerometry.activity import ActivityCode

# Walks of at least this many minutes are counted by themselves, as in guidelines before 2018, which counted no others
# (Haskell et al. 2007, doi 10.1249/mss.0b013e3180616b27).
LONG_WALK_MINUTES = 10


def daily_walks(epochs: pd.DataFrame) -> pd.DataFrame:
    """Steps and walks by date.

    A walk is walking without anything else in between, stairs included; one that goes on at midnight is
    two. Steps are those of walking epochs in which a rhythm was found, so they are slightly too few.

    Args:
        epochs: in time order, as of ``mixed_epochs.split_mixed``: ``epoch_start`` datetime64, ``seconds``, ``activity``
            codes, ``cadence`` steps/min.

    Returns:
        int64 by ``date`` (datetime64): ``steps``, ``walks``, ``longest_walk`` (seconds), ``long_walks`` (walks of at
        least ``LONG_WALK_MINUTES``) and ``in_long_walks`` (seconds); zero on dates without walking.
    """
    date = epochs["epoch_start"].dt.normalize().rename("date")
    walking = epochs["activity"] == ActivityCode.WALKING
    end = epochs["epoch_start"] + pd.to_timedelta(epochs["seconds"], unit="s")
    follows = (epochs["epoch_start"] == end.shift()) & (date == date.shift())
    number = (~(walking & walking.shift(fill_value=False) & follows)).cumsum()
    parts = pd.DataFrame({"date": date, "number": number, "seconds": epochs["seconds"]})[walking]
    walks = parts.groupby(["date", "number"])["seconds"].sum()
    long = walks[walks >= 60 * LONG_WALK_MINUTES]
    steps = (epochs["cadence"].where(walking) * epochs["seconds"] / 60).groupby(date).sum()
    found = pd.DataFrame(
        {
            "steps": np.round(steps),
            "walks": walks.groupby(level="date").size(),
            "longest_walk": walks.groupby(level="date").max(),
            "long_walks": long.groupby(level="date").size(),
            "in_long_walks": long.groupby(level="date").sum(),
        }
    )
    return found.fillna(0).astype("int64")
