"""The contract of a delivery from a register: who died or emigrated, and when.

A person may have two rows, an emigration and a later death. Rows that cannot both be true are quarantined together:
which of them is right, the register has to say.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from stegvis.deliveries.contract import Contracted, apply_contract
from stegvis.deliveries.problems import join_problems, row_problems
from stegvis.study.codebook import Layout

DIED, EMIGRATED = "died", "emigrated"


def contract_vital_status(
    raw: pd.DataFrame, layout: Layout, file: str, latest: dt.date | None, names: Sequence[str] | None = None
) -> Contracted:
    """Check a delivered table of deaths and emigrations.

    Args:
        raw: the columns as delivered.
        layout: the codebook's layout of vital status: person, date, event.
        file: the file's name, for the list of problems.
        latest: the last day on which something can have happened; None for no such day.
        names: of all columns of the file, if ``raw`` has only some of them.

    Returns:
        As ``apply_contract``, without events after ``latest`` and without people whose rows contradict each other.
    """
    found = apply_contract(raw, layout, file, names=names)
    if found.refused:
        return found
    source = layout.columns["event"].source[0], layout.columns["date"].source[0]
    rows = found.frame
    future = np.zeros(len(rows), dtype=bool) if latest is None else (rows["date"] > pd.Timestamp(latest)).to_numpy()
    conflict = _contradictory(rows[~future]).reindex(rows.index, fill_value=False).to_numpy()
    numbers = rows["source_row"].to_numpy()
    problems = [
        row_problems(file, "in_the_future", "the date must not be later than today", numbers[future], source[1]),
        row_problems(
            file,
            "contradictory",
            "the rows of this person contradict each other: one death, one emigration, and no emigration after death; "
            "none of them is used",
            numbers[conflict],
            source[0],
        ),
    ]
    kept = rows[~(future | conflict)].reset_index(drop=True)
    lost = len(rows) - len(kept)
    return replace(
        found,
        frame=kept,
        problems=join_problems([found.problems, *problems]),
        rows_quarantined=found.rows_quarantined + lost,
    )


def _contradictory(rows: pd.DataFrame) -> pd.Series:
    """By row: whether the rows of its person cannot all be true."""
    twice = rows.duplicated(["person", "event"], keep=False)
    dates = {event: rows[rows["event"] == event].groupby("person")["date"].min() for event in (DIED, EMIGRATED)}
    both = pd.DataFrame(dates)
    backwards = both.index[both[EMIGRATED] > both[DIED]]
    return rows["person"].isin({*rows.loc[twice, "person"], *backwards})


def first_event(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per person: of the newest delivery that has the person, the earlier event.

    Args:
        rows: person, date, event and ``delivery``, in the order in which deliveries apply.
    """
    newest = rows.groupby("person", sort=False)["delivery"].transform("last")
    current = rows[rows["delivery"] == newest]
    # On the same day, who died has not emigrated.
    order = current.assign(last=current["event"] != DIED).sort_values(["person", "date", "last"], kind="stable")
    return order.drop_duplicates("person", keep="first").drop(columns="last").reset_index(drop=True)
