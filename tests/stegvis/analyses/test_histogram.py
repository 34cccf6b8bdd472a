"""The counts behind a curve add up, and no small one is published."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stegvis.analyses.histogram import HISTOGRAM_COLUMNS, edges, histogram
from stegvis.study.protocol import EXPOSURES
from tests.stegvis.conftest import PROTOCOL


def people(minutes: list[float], met: float = 3.02) -> pd.DataFrame:
    return pd.DataFrame({"wave": "A", "walking_minutes": minutes, "walking_met": met})


def counts(frame: pd.DataFrame, exposure: str = "walking_minutes") -> pd.DataFrame:
    return histogram(frame, PROTOCOL).query("exposure == @exposure").set_index("low")


def test_everyone_is_in_one_bin_and_a_value_on_an_edge_is_in_the_upper():
    found = counts(people([29.999] * 15 + [30.0] * 20 + [5.0] * 25 + [500.0] * 10))
    assert found.loc[20.0, "n"] == 15
    assert found.loc[30.0, "n"] == 20
    assert found["n"].iloc[0] == 25
    assert found["n"].iloc[-1] == 10
    assert found["n"].sum() == 70
    assert set(found["status"]) == {"ok"}


def test_a_small_bin_is_hidden_and_cannot_be_worked_out_since_the_others_are_rounded():
    minutes = [25.0] * 3 + [35.0] * 7 + [45.0] * 21
    found = counts(people(minutes))
    hidden = found[found["status"] == "suppressed"]
    assert hidden.index.tolist() == [20.0]
    assert hidden["n"].isna().all()
    assert found.loc[[30.0, 40.0], "n"].tolist() == [5, 20]
    assert len(minutes) - found["n"].sum() != 3


def test_the_outer_bins_are_open_and_the_others_touch():
    table = histogram(people([50.0] * 9), PROTOCOL)
    assert {name: str(dtype) for name, dtype in table.dtypes.items()} == HISTOGRAM_COLUMNS
    for exposure in EXPOSURES:
        rows = table[table["exposure"] == exposure]
        assert np.isnan(rows["low"].iloc[0])
        assert np.isnan(rows["high"].iloc[-1])
        assert rows["high"].iloc[:-1].tolist() == rows["low"].iloc[1:].tolist() == edges(exposure, PROTOCOL).tolist()


def test_one_wave_at_a_time():
    with pytest.raises(ValueError, match="one wave"):
        histogram(pd.concat([people([50.0]), people([50.0]).assign(wave="B")]), PROTOCOL)
