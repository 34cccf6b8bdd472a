"""Steps and walks of days, on epochs whose sums are known."""

import numpy as np
import pandas as pd

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.daily_walks import daily_walks

STANDING, WALKING = ActivityCode.STANDING, ActivityCode.WALKING


def epochs(start: str, *parts: tuple[int, int, float]) -> pd.DataFrame:
    """Consecutive epochs: activity, number of epochs, cadence."""
    activity = np.concatenate([np.full(count, code, dtype=np.uint8) for code, count, _ in parts])
    cadence = np.concatenate([np.full(count, steps, dtype=np.float32) for _, count, steps in parts])
    times = pd.date_range(start, periods=len(activity), freq="5s").astype("datetime64[ms]")
    return pd.DataFrame({"epoch_start": times, "seconds": 5, "activity": activity, "cadence": cadence})


def test_walks_steps_and_long_walks_are_counted():
    day = epochs(
        "2018-05-02 10:00",
        (WALKING, 12, 96.0),  # a minute
        (STANDING, 1, np.nan),
        (WALKING, 119, 120.0),  # 9 minutes 55 seconds
        (STANDING, 1, np.nan),
        (WALKING, 120, 108.0),  # 10 minutes
        (STANDING, 20, np.nan),
        (WALKING, 6, np.nan),  # no rhythm was found
    )
    found = daily_walks(day)
    assert found.index.tolist() == [pd.Timestamp("2018-05-02")]
    assert found.iloc[0].to_dict() == {
        "steps": 96 + 1190 + 1080,
        "walks": 4,
        "longest_walk": 600,
        "long_walks": 1,
        "in_long_walks": 600,
    }


def test_a_walk_ends_at_midnight_and_at_a_gap():
    night = epochs("2018-05-02 23:55", (WALKING, 120, 100.0))  # until five past twelve
    later = epochs("2018-05-03 00:06", (WALKING, 12, 100.0))
    found = daily_walks(pd.concat([night, later], ignore_index=True))
    assert found["walks"].tolist() == [1, 2]
    assert found["longest_walk"].tolist() == [300, 300]
    assert found["long_walks"].tolist() == [0, 0]
    assert found["steps"].tolist() == [500, 600]


def test_a_day_without_walking_has_zeros():
    found = daily_walks(epochs("2018-05-02 10:00", (STANDING, 12, np.nan)))
    assert found.loc["2018-05-02"].tolist() == [0, 0, 0, 0, 0]


def test_seconds_of_mixed_epochs_belong_to_the_walk():
    minute = epochs("2018-05-02 10:00", (WALKING, 12, 120.0))
    start = pd.Timestamp("2018-05-02 10:01:00")
    activity = np.array([WALKING, WALKING, WALKING, STANDING, STANDING], dtype=np.uint8)
    mixed = pd.DataFrame(
        {
            "epoch_start": start + pd.to_timedelta(np.arange(5), unit="s"),
            "seconds": 1,
            "activity": activity,
            "cadence": np.where(activity == WALKING, 120.0, np.nan),
        }
    )
    found = daily_walks(pd.concat([minute, mixed], ignore_index=True))
    assert found.iloc[0].tolist() == [126, 1, 63, 0, 0]
