"""Days of one recording without a warehouse: sums by date, and each rule of a valid day."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import stegvis.sql
from stegvis.storage.day_sums import day_rules, day_table
from tests.study import PROTOCOL

SELECT = Path(stegvis.sql.__file__).with_name("daily_exposures.sql").read_text(encoding="utf-8")


def test_each_rule_of_a_valid_day_is_reported():
    columns = ["lying", "sitting", "standing", "walking", "running", "cycling"]
    days = pd.DataFrame(
        [
            [28_800, 30_000, 20_000, 7_600, 0, 0],  # everything
            [40_000, 30_000, 16_400, 0, 0, 0],  # no walking
            [28_800, 30_000, 20_000, 7_595, 0, 0],  # five seconds short
            [20_000, 30_000, 20_000, 2_000, 0, 0],  # exactly 20 hours
            [20_000, 30_000, 20_000, 1_995, 0, 0],
        ],
        columns=columns,
    )
    assert day_rules(days, PROTOCOL, SELECT).to_numpy().tolist() == [
        [True, True, True],
        [False, True, True],
        [True, False, True],
        [True, False, True],
        [True, False, False],
    ]


def test_epochs_belong_to_the_date_they_begin_on():
    start = pd.to_datetime(["2018-05-02 23:59:50", "2018-05-02 23:59:55", "2018-05-03 00:00:00"])
    epochs = pd.DataFrame(
        {
            "epoch_start": start.astype("datetime64[ms]"),
            "activity": np.array([4, 4, 0], dtype=np.uint8),
            "speed": np.array([1, 3, 0], dtype=np.uint8),
            "wear_back": [True, True, True],
            "wear_thigh": [True, True, False],
        }
    )
    days = day_table(epochs, PROTOCOL, SELECT)
    assert days["date"].astype(str).tolist() == ["2018-05-02", "2018-05-03"]
    assert days[["walking", "walking_slow", "walking_moderate", "walking_brisk"]].iloc[0].tolist() == [10, 5, 0, 5]
    assert days[["nonwear", "wear_back", "wear_thigh", "walking"]].iloc[1].tolist() == [5, 5, 0, 0]


@pytest.mark.parametrize("sunday", ["2018-03-25", "2018-10-28"])
def test_a_day_has_24_hours_in_a_week_in_which_the_clocks_change(sunday):
    # The device's clock goes on, so there is an epoch for each five seconds of every date (docs/clocks.md).
    start = pd.date_range(pd.Timestamp(sunday) - pd.Timedelta(days=1), periods=3 * 17_280, freq="5s")
    activity = np.where(start.hour < 8, 1, 2).astype(np.uint8)
    worn = np.ones(len(start), dtype=bool)
    epochs = pd.DataFrame({"epoch_start": start.astype("datetime64[ms]"), "activity": activity, "speed": np.uint8(0)})
    days = day_table(epochs.assign(wear_back=worn, wear_thigh=worn), PROTOCOL, SELECT)
    assert days[["lying", "sitting"]].to_numpy().tolist() == [[28_800, 57_600]] * 3
