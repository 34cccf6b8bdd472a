"""The bridge: which estimates are new, gone or changed since the previous release."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stegvis.release.bridge import KEY, VALUES, bridge
from stegvis.statistics.results import ResultRow, to_frame

ROW = ResultRow("A", "main", "all", "adjusted", "walking_met", "category", "<3.00", "<3.00", 100, 10)


def results(*rows: ResultRow) -> pd.DataFrame:
    return to_frame(rows)


def estimate(wave: str = "A", level: str = ">=3.27", **values: object) -> ResultRow:
    numbers = {"estimate": 0.8, "ci_low": 0.7, "ci_high": 0.9, "std_error": 0.06, "p_value": 0.01}
    return ResultRow(**vars(ROW) | {"wave": wave, "level": level} | numbers | values)


REFERENCE = ResultRow(**vars(ROW) | {"estimate": 1.0})
BEFORE = results(REFERENCE, estimate())


def test_nothing_changed() -> None:
    assert bridge(BEFORE, BEFORE).empty


def test_the_order_of_the_estimates_does_not_matter() -> None:
    assert bridge(BEFORE, BEFORE.iloc[::-1]).empty


def test_missing_before_and_now_is_no_change() -> None:
    refused = estimate(**dict.fromkeys(["estimate", "ci_low", "ci_high", "std_error", "p_value"], np.nan))
    table = results(refused.not_estimable("too few events")).assign(n=pd.array([pd.NA], dtype="Int64"))
    assert bridge(table, table.copy()).empty


def test_without_a_previous_release_every_estimate_is_new() -> None:
    changes = bridge(None, BEFORE)
    assert list(changes["change"]) == ["new", "new"]
    assert changes["estimate_before"].isna().all()
    assert sorted(changes["estimate_now"]) == [0.8, 1.0]


def test_a_new_wave_is_new_and_a_withdrawn_one_is_gone() -> None:
    later = results(REFERENCE, estimate(), estimate("B"))
    for before, now, change in ((BEFORE, later, "new"), (later, BEFORE, "gone")):
        changes = bridge(before, now)
        assert changes[["wave", "change"]].to_numpy().tolist() == [["B", change]]


@pytest.mark.parametrize(
    ("value", "now"),
    [("estimate", 0.81), ("ci_low", 0.71), ("ci_high", 0.91), ("n", 101), ("events", 11)],
)
def test_any_value_that_differs_is_a_change_and_shows_both(value: str, now: object) -> None:
    after = BEFORE.copy()
    after.loc[1, value] = now
    changes = bridge(BEFORE, after)
    assert list(changes["change"]) == ["changed"]
    assert list(changes["level"]) == [">=3.27"]
    assert changes.loc[0, f"{value}_before"] == BEFORE.loc[1, value]
    assert changes.loc[0, f"{value}_now"] == now


@pytest.mark.parametrize("status", ["suppressed", "not_estimable"])
def test_what_fails_a_gate_in_either_release_is_not_compared(status: str) -> None:
    after = BEFORE.copy()
    after.loc[1, ["estimate", "ci_low", "ci_high"]] = np.nan
    after.loc[1, "status"] = status
    for before, now in ((BEFORE, after), (after, BEFORE)):
        (change,) = bridge(before, now).to_dict("records")
        assert change["change"] == "not compared"
        assert {change["status_before"], change["status_now"]} == {"ok", status}
        for name in ("estimate", "ci_low", "ci_high"):
            assert np.isnan([change[f"{name}_before"], change[f"{name}_now"]]).all()
        assert change["n_before"] == change["n_now"] == 100


@pytest.mark.parametrize("value", ["estimate", "ci_low", "n"])
def test_a_value_that_came_or_went_is_a_change(value: str) -> None:
    without = BEFORE.copy()
    without.loc[1, value] = pd.NA if value == "n" else np.nan
    for before, now in ((BEFORE, without), (without, BEFORE)):
        assert list(bridge(before, now)["change"]) == ["changed"]


def test_a_note_is_not_an_estimate() -> None:
    assert bridge(BEFORE, BEFORE.assign(note="another note", p_value=0.02)).empty


def test_the_columns_are_the_key_each_value_twice_and_the_change() -> None:
    twice = [f"{value}_{when}" for value in VALUES for when in ("before", "now")]
    assert set(bridge(BEFORE, BEFORE).columns) == {*KEY, *twice, "change"}


def test_a_release_read_back_from_parquet_has_not_changed(tmp_path) -> None:
    BEFORE.to_parquet(tmp_path / "results.parquet", index=False)
    assert bridge(pd.read_parquet(tmp_path / "results.parquet"), BEFORE).empty
