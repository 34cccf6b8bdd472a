"""Read the deliveries of a register: deaths and emigrations, later drops replacing the rows of the same person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from stegvis.deliveries.problems import row_problems
from stegvis.deliveries.vital_status import first_event
from stegvis.storage.delivered_files import DeliveryContract
from stegvis.storage.drops import Delivered, empty, read_drops
from stegvis.storage.landing import Drop

COLUMNS = ["person", "date", "event", "in_cohort", "delivery"]


def latest_day(synthetic: bool) -> dt.date | None:
    """The last day on which something can have happened: today, and no such day for synthetic people."""
    return None if synthetic else dt.datetime.now(dt.UTC).date()


def read_vital_status(
    drops: Sequence[Drop],
    contract: DeliveryContract,
    people: pd.DataFrame,
    without_withdrawn: Callable[[pd.DataFrame], pd.DataFrame],
    report: Callable[[str], None],
) -> tuple[pd.DataFrame, Delivered]:
    """The first event of each person, and what happened on the way.

    Args:
        drops: of the register, in the order they apply.
        contract: codebook and protocol.
        people: person and baseline_date of everyone at baseline. An event before that day is quarantined: who takes
            part is neither dead nor abroad.
        without_withdrawn: leaves out people whose consent is withdrawn.
        report: called with a line after each drop.
    """
    contract = replace(contract, latest=latest_day(any(drop.synthetic for drop in drops)))
    delivered = read_drops("vital_status", drops, contract.codebook.vital_status.file, contract, report)
    if not delivered.frames:
        nothing = empty("vital_status", contract.codebook, "delivery")
        return nothing.assign(in_cohort=pd.Series(dtype="bool"))[COLUMNS], delivered
    rows = without_withdrawn(pd.concat(delivered.frames, ignore_index=True))
    baseline = rows["person"].map(people.set_index("person")["baseline_date"])
    rows = rows.assign(in_cohort=baseline.notna())
    early = (rows["date"] < pd.to_datetime(baseline)).to_numpy(dtype=bool)
    # A later drop cures what an earlier one has wrong.
    newest = rows.groupby("person", sort=False)["delivery"].transform("last") == rows["delivery"]
    _quarantine(rows[early & newest.to_numpy()], contract, delivered)
    return first_event(rows[~early])[COLUMNS], delivered


def _quarantine(rows: pd.DataFrame, contract: DeliveryContract, delivered: Delivered) -> None:
    """List rows that only the baseline shows to be wrong."""
    column = contract.codebook.vital_status.columns["date"].source[0]
    message = "the date must not be earlier than the person's baseline"
    for (drop, file), broken in rows.groupby(["delivery", "delivered_file"], sort=False):
        numbers = np.sort(broken["source_row"].to_numpy())
        delivered.problems.append(row_problems(f"{drop}/{file}", "before_baseline", message, numbers, column))
        delivered.rows_quarantined += len(broken)
    if delivered.rows_read:
        share = delivered.rows_quarantined / delivered.rows_read
        delivered.largest_share = max(delivered.largest_share, share)
