"""Epochs of a day add up to the day, in delivered words and on the clock."""

import numpy as np
import pytest

from study.twin.draws import stream
from study.twin.epochs import KINDS, NONWEAR, epoch_table, order_day
from study.twin.parameters import parameters

# lying, sitting, standing, slow, moderate, brisk, walking, running, cycling
TOTALS = np.array([30_000, 36_400, 13_000, 4_000, 1_500, 500, 6_000, 400, 600], dtype=float)
ALWAYS_WORN = parameters().epochs.model_copy(update={"nonwear_days": 0.0})
NEVER_WHOLE = parameters().epochs.model_copy(update={"nonwear_days": 1.0})


def test_a_day_keeps_its_totals():
    kinds = order_day(TOTALS, ALWAYS_WORN, stream(1, "day"))
    assert kinds.size == 17_280
    seconds = 5 * np.bincount(kinds, minlength=len(KINDS))
    assert seconds[:NONWEAR].tolist() == [TOTALS[place] for _, _, place in KINDS[:NONWEAR]]


def test_non_wear_is_taken_from_sitting():
    seconds = 5 * np.bincount(order_day(TOTALS, NEVER_WHOLE, stream(1, "day")), minlength=len(KINDS))
    assert seconds[NONWEAR] == 3_600
    assert seconds[1] == 36_400 - 3_600


def test_bouts_are_bouts():
    kinds = order_day(TOTALS, ALWAYS_WORN, stream(1, "day"))
    changes = np.count_nonzero(np.diff(kinds))
    # About 137 bouts by their mean lengths; neighbors of one kind run together, and some are empty.
    assert 137 / 2 < changes < 137 + 2


def test_totals_that_do_not_fill_a_day_are_refused():
    with pytest.raises(ValueError, match="do not fill a day"):
        order_day(TOTALS / 2, ALWAYS_WORN, stream(1, "day"))


def test_the_table_runs_every_five_seconds_from_midnight():
    kinds = order_day(TOTALS, ALWAYS_WORN, stream(1, "day"))
    table = epoch_table("PABCDEF", np.array(["2018-05-01"], dtype="datetime64[D]"), kinds).to_pandas()
    assert str(table["epoch_start"].iloc[0]) == "2018-05-01 00:00:00"
    assert str(table["epoch_start"].iloc[-1]) == "2018-05-01 23:59:55"
    assert (table["epoch_start"].diff().dropna().dt.total_seconds() == 5).all()
    assert (table["speed"].notna() == (table["activity"] == "walking")).all()
    assert set(table["speed"].dropna()) == {"slow", "moderate", "brisk"}
