"""Reading the cells of one column: the same meaning in whatever form it was delivered."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stegvis.deliveries.cells import Cells, read_cells
from stegvis.study.codebook import Column

TEXT = Column(source=("x",), type="text", filled=True)
NUMBER = Column(source=("x",), type="number", range=(0, 100))
DATE = Column(source=("x",), type="date")
TIMESTAMP = Column(source=("x",), type="timestamp")
CODE = Column(source=("x",), type="code", codes={"1": "never", "2": "current"})
TICK = Column(source=("x",), type="tick", required=True)


def read(column: Column, raw: Any) -> Cells:
    return read_cells(raw if isinstance(raw, pd.Series) else pd.Series(raw), column)


def rules(cells: Cells) -> dict[int, str]:
    return {int(row): breach.rule for breach in cells.breaches for row in np.flatnonzero(breach.cells)}


def plain(cells: Cells) -> list[Any]:
    return [None if pd.isna(value) else value for value in cells.values]


@pytest.mark.parametrize(
    "raw",
    [
        ["1", "01", "1.0", " 1 "],
        [1, 1, 1, 1],
        [1.0, 1.0, 1.0, 1.0],
        [1, "1", 1.0, b"1"],
        ["\u200b1", "1\x00", "\ufeff1\r\n", "\u00a01\u3000"],
        pd.Series(["1"] * 4, dtype="category"),
        pd.Series([1] * 4, dtype="Int8"),
    ],
)
def test_one_code_in_every_spelling_and_type(raw: Any) -> None:
    cells = read(CODE, raw)
    assert plain(cells) == ["never"] * 4
    assert cells.values.dtype == "str"
    assert not cells.breaches


def test_blank_codes_are_missing_and_unknown_ones_are_breaches() -> None:
    cells = read(CODE, ["2", "", "  ", None, "3", "-9", "x", "1.5"])
    assert plain(cells) == ["current", None, None, None, None, None, None, None]
    assert rules(cells) == dict.fromkeys((4, 5, 6, 7), "unknown_code")
    assert "1 (never), 2 (current), or blank" in cells.breaches[0].message


def test_a_box_is_ticked_or_not_never_missing() -> None:
    cells = read(TICK, ["1", "", "0", None, "1.0", "2"])
    assert cells.values.tolist() == [True, False, False, False, True, False]
    assert cells.values.dtype == "bool"
    assert rules(cells) == {5: "unknown_code"}


def test_numbers_from_text_and_from_numbers() -> None:
    text = read(NUMBER, ["1", " 2.5 ", "", "1e1", "101", "twelve", "nan", "inf", "True", "0x10"])
    assert plain(text) == [1.0, 2.5, None, 10.0, None, None, None, None, None, None]
    assert rules(text) == {4: "out_of_range"} | dict.fromkeys(range(5, 10), "wrong_type")
    assert plain(read(NUMBER, pd.Series([1, None], dtype="Int64"))) == [1.0, None]
    assert plain(read(NUMBER, [Decimal("3.5"), None])) == [3.5, None]


def test_the_range_includes_its_ends() -> None:
    assert rules(read(NUMBER, [0, 100, -0.001, 100.001])) == {2: "out_of_range", 3: "out_of_range"}


def test_a_decimal_comma_is_explained() -> None:
    cells = read(NUMBER, ["27,4", "27.4"])
    assert rules(cells) == {0: "wrong_type"}
    assert "decimal comma" in cells.breaches[0].message


def test_dates_from_text_and_from_dates() -> None:
    day = pd.Timestamp("2018-03-01")
    assert plain(read(DATE, ["2018-03-01", "2018-03-01 10:00:00", ""])) == [day, day, None]
    assert plain(read(DATE, [dt.date(2018, 3, 1), np.nan, None])) == [day, None, None]
    assert plain(read(DATE, pd.Series(pd.to_datetime(["2018-03-01 10:00", None])))) == [day, None]
    assert read(DATE, ["2018-03-01"]).values.dtype == "datetime64[us]"


def test_invalid_dates() -> None:
    cells = read(DATE, ["01.03.2018", "2018-02-30", "2018-13-01", "2018", "2018-03-01T10:00:00Z"])
    assert rules(cells) == dict.fromkeys(range(5), "wrong_type")
    assert rules(read(DATE, [13209.0, np.nan])) == {0: "wrong_type"}


def test_a_time_has_a_clock_and_no_zone() -> None:
    cells = read(
        TIMESTAMP, ["2018-03-01 10:00:00.020", "2018-03-01", "2018-03-01 25:00:00", "2018-03-01 10:00:00+01:00"]
    )
    assert plain(cells)[0] == pd.Timestamp("2018-03-01 10:00:00.020")
    assert rules(cells) == dict.fromkeys((1, 2, 3), "wrong_type")
    zoned = pd.Series(pd.to_datetime(["2018-03-01 10:00"]).tz_localize("UTC"))
    assert rules(read(TIMESTAMP, zoned)) == {0: "wrong_type"}


@pytest.mark.parametrize("raw", [["1001"], ["1001.0"], [1001], [1001.0], pd.Series([1001], dtype="Int64"), [" 1001"]])
def test_an_identifier_is_the_same_in_every_type(raw: Any) -> None:
    assert plain(read(TEXT, raw)) == ["1001"]


def test_identifiers_keep_their_zeros_and_are_never_rounded() -> None:
    assert plain(read(TEXT, ["0042"])) == ["0042"]
    assert plain(read(TEXT, pd.Series([2**60 + 1], dtype="Int64"))) == [str(2**60 + 1)]
    assert rules(read(TEXT, [float(2**60), 1.5])) == {0: "wrong_type", 1: "wrong_type"}


def test_a_cell_that_must_be_filled() -> None:
    assert rules(read(TEXT, ["a", "", "  ", None])) == dict.fromkeys((1, 2, 3), "blank")


def test_a_cell_has_at_most_one_breach() -> None:
    filled = NUMBER.model_copy(update={"filled": True})
    cells = read(filled, ["x", "", "1,5", "999", "5"])
    assert sum(breach.cells for breach in cells.breaches).max() == 1
    assert rules(cells) == {0: "wrong_type", 1: "blank", 2: "wrong_type", 3: "out_of_range"}


def test_nested_cells_are_breaches_not_crashes() -> None:
    assert rules(read(CODE, pd.Series([[1], [2]]))) == dict.fromkeys((0, 1), "unknown_code")
    assert rules(read(NUMBER, pd.Series([[1], [2]]))) == dict.fromkeys((0, 1), "wrong_type")
