"""The delivery contract: what is used, what is quarantined, and that no value ever shows in a message."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stegvis.deliveries.contract import Contracted, apply_contract, contract_days, contract_signal
from stegvis.deliveries.problems import PROBLEM_COLUMNS
from stegvis.study.codebook import DAY
from tests.sizes import examples
from tests.study import CODEBOOK, PROTOCOL

PARTICIPANTS = CODEBOOK["participants"]
DAYS = CODEBOOK["days"]
SIGNAL = CODEBOOK["signal"]
RULES = PROTOCOL.days
EPOCHS = CODEBOOK["epochs"]

DAY_SECONDS = {
    "lying": 30000,
    "sitting": 30000,
    "standing": 15000,
    "walking_slow": 3000,
    "walking_moderate": 2000,
    "walking_brisk": 1000,
    "walking": 6000,
    "running": 0,
    "cycling": 600,
}


def participants(rows: int = 3) -> pd.DataFrame:
    """A faultless delivery as a csv gives it: every cell text."""
    valid = {"text": None, "number": "20", "date": "2018-03-01", "code": "1", "tick": "1"}
    cells = {column.source[0]: [valid[column.type]] * rows for column in PARTICIPANTS.columns.values()}
    cells["person"] = [f"P{number}" for number in range(rows)]
    return pd.DataFrame(cells, dtype="str")


def day_totals(rows: int = 2) -> pd.DataFrame:
    cells = {"person": [f"P{number}" for number in range(rows)]}
    for day in range(1, 8):
        for name, seconds in DAY_SECONDS.items():
            cells[DAYS.columns[name].source[0].replace(DAY, str(day))] = [str(seconds)] * rows
    return pd.DataFrame(cells, dtype="str")


def signal(rows: int = 5) -> pd.DataFrame:
    times = pd.date_range("2018-03-01", periods=rows, freq="20ms")
    axes = {name: np.linspace(-1, 1, rows) for name in SIGNAL.columns if name != "timestamp"}
    return pd.DataFrame({"timestamp": times, **axes})


def found(contracted: Contracted) -> set[tuple[int | None, str, str]]:
    problems = contracted.problems
    rows = [None if pd.isna(row) else int(row) for row in problems["row"]]
    return set(zip(rows, problems["column"], problems["rule"], strict=True))


def test_a_delivery_without_faults_is_used_entirely() -> None:
    contracted = apply_contract(participants(), PARTICIPANTS, "participants.csv")
    frame = contracted.frame
    assert list(frame.columns) == [*PARTICIPANTS.columns, "source_row"]
    assert frame["source_row"].tolist() == [2, 3, 4]
    assert frame["sex"].tolist() == ["male"] * 3
    assert contracted.problems.empty
    assert list(contracted.problems.columns) == list(PROBLEM_COLUMNS)
    assert (contracted.rows_read, contracted.rows_quarantined, contracted.notes) == (3, 0, ())
    assert not contracted.refused


def test_the_dtypes_are_fixed_even_when_nothing_is_used() -> None:
    expected = {"text": "str", "code": "str", "number": "float64", "date": "datetime64[us]", "tick": "bool"}
    for raw in (participants(), participants(0), participants().drop(columns="Sex")):
        frame = apply_contract(raw, PARTICIPANTS, "f").frame
        assert {n: str(frame[n].dtype) for n in PARTICIPANTS.columns} == {
            n: expected[c.type] for n, c in PARTICIPANTS.columns.items()
        }


def test_a_broken_row_is_quarantined_and_the_rest_is_used() -> None:
    raw = participants(6)
    raw.loc[1, "Sex"] = "7"
    raw.loc[2, "PartAg_NT4BLM"] = "old"
    raw.loc[3, "HADSDepr_NT4BLQ2"] = "22"
    raw.loc[4, "person"] = " "
    contracted = apply_contract(raw, PARTICIPANTS, "participants.csv")
    assert found(contracted) == {
        (3, "Sex", "unknown_code"),
        (4, "PartAg_NT4BLM", "wrong_type"),
        (5, "HADSDepr_NT4BLQ2", "out_of_range"),
        (6, "person", "blank"),
    }
    assert contracted.frame["source_row"].tolist() == [2, 7]
    assert contracted.rows_quarantined == 4


def test_a_row_with_two_faults_is_listed_twice_and_counted_once() -> None:
    raw = participants()
    raw.loc[0, ["Sex", "WorCu_NT4BLI"]] = "9"
    contracted = apply_contract(raw, PARTICIPANTS, "f")
    assert len(contracted.problems) == 2
    assert contracted.rows_quarantined == 1


def test_blank_answers_are_missing_not_wrong() -> None:
    raw = participants()
    raw.loc[0, ["Sex", "PartAg_NT4BLM", "PartDat_NT4BLM", "MSPaLum_NT4BLQ2"]] = None
    frame = apply_contract(raw, PARTICIPANTS, "f").frame
    assert frame.loc[0, ["sex", "age", "baseline_date"]].isna().all()
    assert frame["low_back_box"].tolist() == [False, True, True]


def test_a_missing_required_column_refuses_the_file_and_names_the_nearest() -> None:
    raw = participants().rename(columns={"Educ_NT4BLQ1": "Educ_NT4BLQ2", "Sex": "sex "})
    contracted = apply_contract(raw, PARTICIPANTS, "f")
    assert contracted.refused
    assert contracted.frame.empty
    assert contracted.rows_quarantined == contracted.rows_read == 3
    messages = dict(zip(contracted.problems["column"], contracted.problems["message"], strict=True))
    assert set(messages) == {"Educ_NT4BLQ1", "Sex"}
    assert "'Educ_NT4BLQ2'" in messages["Educ_NT4BLQ1"]
    assert "'sex '" in messages["Sex"]


def test_a_file_without_a_header_does_not_have_its_first_row_repeated() -> None:
    raw = participants(1)
    headless = pd.DataFrame(columns=["person07", "2018-03-01", *raw.iloc[0, 2:]], dtype="str")
    contracted = apply_contract(headless, PARTICIPANTS, "f")
    assert contracted.refused
    assert not contracted.problems["message"].str.contains("person07|2018").any()
    assert contracted.problems["message"].str.contains("header").all()
    assert contracted.notes == ()


def test_optional_and_unknown_columns_are_notes() -> None:
    raw = participants().drop(columns="DiaEv_NT4BLQ1").assign(ShoeSize="43")
    contracted = apply_contract(raw, PARTICIPANTS, "f")
    assert contracted.problems.empty
    assert contracted.frame["diabetes"].isna().all()
    assert any("DiaEv_NT4BLQ1" in note for note in contracted.notes)
    assert any("ShoeSize" in note for note in contracted.notes)


def test_the_codebooks_first_name_wins() -> None:
    raw = participants().assign(PID="same for all")
    contracted = apply_contract(raw, PARTICIPANTS, "f")
    assert contracted.frame["person"].tolist() == ["P0", "P1", "P2"]
    assert any("PID" in note for note in contracted.notes)


def test_a_column_that_is_in_the_file_twice_refuses_it() -> None:
    raw = participants()
    contracted = apply_contract(pd.concat([raw, raw[["Sex"]]], axis=1), PARTICIPANTS, "f")
    assert found(contracted) == {(None, "Sex", "repeated_column")}


def test_a_header_without_rows_is_a_problem() -> None:
    contracted = apply_contract(participants(0), PARTICIPANTS, "f")
    assert contracted.problems["rule"].tolist() == ["empty"]
    assert contracted.rows_read == contracted.rows_quarantined == 0


def test_of_duplicates_the_first_is_kept_and_named() -> None:
    raw = participants(4)
    raw.loc[2, "person"] = raw.loc[3, "person"] = "P0"
    raw.loc[3, "Sex"] = "0"
    raw.loc[2, ["Sex"]] = "1"
    contracted = apply_contract(raw, PARTICIPANTS, "f")
    assert found(contracted) == {(4, "person", "duplicate"), (5, "person", "duplicate")}
    exact, other = contracted.problems["message"]
    assert exact.startswith("an exact repeat of row 2")
    assert other.startswith("the same person as row 2, with other contents")
    assert contracted.frame["source_row"].tolist() == [2, 3]


def test_a_broken_row_does_not_block_a_later_good_one() -> None:
    raw = participants(2)
    raw["person"] = "P0"
    raw.loc[0, "Sex"] = "9"
    assert apply_contract(raw, PARTICIPANTS, "f").frame["source_row"].tolist() == [3]


def test_epochs_are_identified_by_person_and_time_and_row_numbers_continue() -> None:
    raw = pd.DataFrame(
        {"person": ["a", "a", "b", "a"], "epoch_start": pd.Timestamp("2018-03-01"), "activity": [1, 8, 4, 1]}
    )
    contracted = apply_contract(raw, EPOCHS, "epochs.parquet", first_row=1002)
    assert contracted.frame["activity"].tolist() == ["walking", "walking"]
    assert {row for row, _, _ in found(contracted)} == {1003, 1005}
    assert contracted.frame["speed"].isna().all()


def test_days_become_rows() -> None:
    contracted = contract_days(day_totals(), DAYS, "days.csv", RULES)
    frame = contracted.frame
    assert list(frame.columns) == ["person", "day", *DAY_SECONDS, "source_row"]
    assert len(frame) == contracted.rows_read == 14
    assert frame["day"].tolist() == [1, 2, 3, 4, 5, 6, 7] * 2
    assert frame.loc[0, list(DAY_SECONDS)].to_dict() == DAY_SECONDS
    assert str(frame["day"].dtype) == "int64"


def test_a_day_without_recording_is_no_row_and_no_problem() -> None:
    raw = day_totals(1)
    raw.loc[0, [name for name in raw.columns if "TmD7" in name]] = None
    raw.loc[0, "CyclTmD6_NT4ActMX"] = None
    contracted = contract_days(raw, DAYS, "f", RULES)
    assert contracted.frame["day"].tolist() == [1, 2, 3, 4, 5, 6]
    assert contracted.frame["cycling"].isna().tolist() == [False] * 5 + [True]
    assert (contracted.rows_read, contracted.rows_quarantined) == (6, 0)


def test_a_broken_day_is_quarantined_alone() -> None:
    raw = day_totals()
    raw.loc[0, "LyTmD2_NT4ActMX"] = "32000"  # 83,600 s together with the others
    raw.loc[0, "LyTmD3_NT4ActMX"] = "35000"  # 86,600 s
    raw.loc[0, "SitTmD4_NT4ActMX"] = "-1"
    raw.loc[1, "SitTmD5_NT4ActMX"] = "much"
    contracted = contract_days(raw, DAYS, "f", RULES)
    assert found(contracted) == {
        (2, "day 3", "day_over_24_hours"),
        (2, "SitTmD4_NT4ActMX", "out_of_range"),
        (3, "SitTmD5_NT4ActMX", "wrong_type"),
    }
    assert contracted.frame.groupby("person")["day"].apply(list).to_dict() == {
        "P0": [1, 2, 5, 6, 7],
        "P1": [1, 2, 3, 4, 6, 7],
    }
    assert (contracted.rows_read, contracted.rows_quarantined) == (14, 3)


@pytest.mark.parametrize(("lying", "kept"), [(34800, True), (34805, True), (34806, False)])
def test_24_hours_is_the_limit_within_the_protocols_tolerance(lying: int, kept: bool) -> None:
    raw = day_totals(1)
    raw["LyTmD1_NT4ActMX"] = str(lying)
    assert (1 in contract_days(raw, DAYS, "f", RULES).frame["day"].tolist()) is kept


def test_without_a_total_the_speed_classes_count_as_walking() -> None:
    raw = day_totals(1)
    raw["WalkTmD1_NT4ActMX"] = None
    raw["LyTmD1_NT4ActMX"] = "34806"
    assert found(contract_days(raw, DAYS, "f", RULES)) == {(2, "day 1", "day_over_24_hours")}


def test_a_person_delivered_twice_keeps_the_days_of_the_first_row() -> None:
    raw = pd.concat([day_totals(2), day_totals(1)], ignore_index=True)
    raw.loc[1, "person"] = None
    contracted = contract_days(raw, DAYS, "f", RULES)
    assert found(contracted) == {(3, "person", "blank"), (4, "person", "duplicate")}
    assert contracted.frame["source_row"].unique().tolist() == [2]
    assert (contracted.rows_read, contracted.rows_quarantined) == (21, 14)


def test_day_columns_may_come_without_their_suffix() -> None:
    raw = day_totals().rename(columns=lambda name: name.removesuffix("_NT4ActMX"))
    assert len(contract_days(raw, DAYS, "f", RULES).frame) == 14


def test_a_missing_day_column_refuses_the_file() -> None:
    contracted = contract_days(day_totals().drop(columns="RunTmD7_NT4ActMX"), DAYS, "f", RULES)
    assert found(contracted) == {(None, "RunTmD7_NT4ActMX", "missing_column")}
    assert "nearest" not in contracted.problems["message"][0]  # the column of day 6 is taken
    assert list(contracted.frame.columns) == ["person", "day", *DAY_SECONDS, "source_row"]


def test_a_signal_is_used_entirely_with_its_label() -> None:
    contracted = contract_signal(signal().assign(label=[6, 6, 1, 1, 1]), SIGNAL, "P1.parquet")
    assert list(contracted.frame.columns) == [*SIGNAL.columns, "label"]
    assert contracted.frame["label"].tolist() == [6, 6, 1, 1, 1]
    assert not contracted.refused
    assert contracted.notes == ()


def test_a_signal_without_labels_and_with_text_times() -> None:
    raw = signal().astype({"timestamp": "str"})
    assert contract_signal(raw, SIGNAL, "f").frame["timestamp"].equals(signal()["timestamp"].astype("datetime64[us]"))


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("thigh_x", 17.5, "out_of_range"),
        ("back_z", None, "blank"),
        ("timestamp", pd.Timestamp("2018-03-01"), "time_not_increasing"),
        ("timestamp", pd.NaT, "blank"),
    ],
)
def test_one_broken_sample_refuses_the_signal(column: str, value: object, rule: str) -> None:
    raw = signal()
    raw.loc[3, column] = value
    contracted = contract_signal(raw, SIGNAL, "f")
    assert found(contracted) == {(None, column, rule)}
    assert "first in row 5, in 1 of 5 rows" in contracted.problems["message"][0]
    assert contracted.frame.empty
    assert contracted.rows_quarantined == 5


# What a person might type into a cell; never a valid value of any column, so that it must be reported.
SECRET = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=12).map(
    lambda text: f"secret{text}"
)
CHECKED = [c.source[0] for c in PARTICIPANTS.columns.values() if c.type != "text"]


@settings(max_examples=examples(40), deadline=None)
@given(secret=SECRET, column=st.sampled_from(CHECKED), row=st.integers(0, 2))
def test_no_message_contains_a_delivered_value(secret: str, column: str, row: int) -> None:
    raw = participants()
    raw.loc[row, column] = secret
    raw.loc[2, "person"] = raw.loc[0, "person"] = "secretperson"
    contracted = apply_contract(raw, PARTICIPANTS, "f")
    assert (row + 2, column) in {(r, c) for r, c, _ in found(contracted)}
    said = " ".join([*contracted.problems["message"], *contracted.notes])
    assert "secret" not in said


@settings(max_examples=examples(20), deadline=None)
@given(secret=SECRET, day=st.integers(1, 7), activity=st.sampled_from(list(DAY_SECONDS)))
def test_no_message_about_a_day_contains_a_delivered_value(secret: str, day: int, activity: str) -> None:
    raw = day_totals()
    column = DAYS.columns[activity].source[0].replace(DAY, str(day))
    raw.loc[1, column] = secret
    contracted = contract_days(raw, DAYS, "f", RULES)
    assert found(contracted) == {(3, column, "wrong_type")}
    assert "secret" not in " ".join([*contracted.problems["message"], *contracted.notes])


CELL = st.sampled_from(["0", "1", "2", "3", "20", "150", "", "x", "1,5", "2018-03-01", "P0", "P1"])


@settings(max_examples=examples(40), deadline=None)
@given(data=st.data())
def test_every_row_is_used_or_quarantined_for_any_order_of_columns(data: st.DataObject) -> None:
    raw = participants(5)
    for _ in range(data.draw(st.integers(0, 8))):
        raw.loc[data.draw(st.integers(0, 4)), data.draw(st.sampled_from(list(raw.columns)))] = data.draw(CELL)
    contracted = apply_contract(raw, PARTICIPANTS, "f")
    assert contracted.rows_read == len(contracted.frame) + contracted.rows_quarantined == 5
    kept = set(contracted.frame["source_row"])
    optional = [column.source[0] for column in PARTICIPANTS.columns.values() if not (column.required or column.filled)]
    only_a_cell = contracted.problems["column"].isin(optional)
    assert kept.isdisjoint(contracted.problems.loc[~only_a_cell, "row"])
    assert kept | set(contracted.problems.loc[~only_a_cell, "row"]) == {2, 3, 4, 5, 6}

    other = apply_contract(raw[data.draw(st.permutations(list(raw.columns)))], PARTICIPANTS, "f")
    pd.testing.assert_frame_equal(contracted.frame, other.frame)
    assert found(contracted) == found(other)


@settings(max_examples=examples(20), deadline=None)
@given(data=st.data())
def test_every_day_is_used_or_quarantined(data: st.DataObject) -> None:
    raw = day_totals(3)
    for _ in range(data.draw(st.integers(0, 8))):
        raw.loc[data.draw(st.integers(0, 2)), data.draw(st.sampled_from(list(raw.columns)))] = data.draw(CELL)
    contracted = contract_days(raw, DAYS, "f", RULES)
    assert contracted.rows_read == len(contracted.frame) + contracted.rows_quarantined == 21


@pytest.mark.slow
def test_a_cohort_of_60_000_takes_seconds_not_minutes() -> None:
    raw = participants(60_000)
    raw.loc[::7, "Bmi_NT4BLM"] = "27,4"
    started = time.perf_counter()
    contracted = apply_contract(raw, PARTICIPANTS, "f")
    assert time.perf_counter() - started < 5  # about 0.2 s on an idle core
    assert len(contracted.problems) == len(range(0, 60_000, 7))
    assert contracted.rows_quarantined == 0


def test_ticks_are_words_or_numbers_and_two_columns_may_share_a_source() -> None:
    raw = participants(6)
    raw["MSPaLum_NT4BLQ2"] = ["1", "Yes", "checked", "0", "no", "Unchecked"]
    box = PARTICIPANTS.columns["low_back_box"]
    columns = {**PARTICIPANTS.columns, "second_box": box}
    shared = type(PARTICIPANTS).model_validate(PARTICIPANTS.model_dump() | {"columns": columns})
    contracted = apply_contract(raw, shared, "f")
    assert contracted.problems.empty
    for name in ("low_back_box", "second_box"):
        assert list(contracted.frame[name]) == [True, True, True, False, False, False]
