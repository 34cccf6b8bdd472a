from dataclasses import replace

import numpy as np
import pytest

from stegvis.statistics.e_value import e_value
from stegvis.statistics.results import RESULT_COLUMNS, ResultRow, ResultsError, options_note, to_frame, validate
from stegvis.statistics.risk_ratio import Ratio
from tests.stegvis.conftest import PROTOCOL

REFERENCE = ResultRow("2021-2023", "main", "all", "age", "walking_met", level="<3.00", n=10, events=4, estimate=1.0)
RATIO = replace(REFERENCE, level="3.00-3.11").with_ratio(Ratio(0.85, 0.75, 0.96, 0.063, 0.01))
LOST = replace(REFERENCE, level=">=3.27", estimate=np.nan, n=None).not_estimable("too few events")


def test_columns_and_types_are_the_agreed_ones():
    frame = to_frame([REFERENCE, RATIO, LOST])
    assert ",".join(RESULT_COLUMNS) == (
        "wave,analysis,population,model,exposure,term,level,reference,n,events,measure,estimate,ci_low,ci_high,"
        "std_error,p_value,e_value,e_value_ci,status,note"
    )
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == RESULT_COLUMNS
    assert {name: str(dtype) for name, dtype in to_frame([]).dtypes.items()} == RESULT_COLUMNS


def test_a_ratio_carries_its_e_values_and_the_reference_none():
    frame = to_frame([REFERENCE, RATIO])
    assert frame["e_value"].isna().tolist() == [True, False]
    assert frame.loc[1, "e_value"] == pytest.approx(e_value(0.85))
    assert frame.loc[1, "e_value_ci"] == pytest.approx(e_value(0.96))


def test_a_row_that_is_not_estimable_says_why():
    assert (LOST.status, LOST.note) == ("not_estimable", "too few events")
    assert replace(REFERENCE, note="strict").not_estimable("why").note == "strict; why"


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (replace(LOST, estimate=0.9), "not ok but has an estimate"),
        (replace(LOST, e_value=1.2), "not ok but has an estimate"),
        (replace(LOST, note=""), "gives no reason"),
        (replace(RATIO, estimate=np.nan), "ok but has no estimate"),
        (replace(RATIO, estimate=0.99), "outside its interval"),
        (replace(RATIO, status="fine"), "status"),
        (replace(RATIO, events=11), "more events than people"),
        (REFERENCE, "same key"),
    ],
)
def test_rows_that_break_a_rule_are_refused(row, rule):
    with pytest.raises(ResultsError, match=rule):
        to_frame([REFERENCE, row])


def test_other_columns_and_types_are_refused():
    frame = to_frame([REFERENCE])
    with pytest.raises(ResultsError, match="columns"):
        validate(frame.drop(columns="note"))
    with pytest.raises(ResultsError, match="wrong type: n, p_value"):
        validate(frame.assign(n=[1.0], p_value=["0.1"]))


def test_the_note_names_mode_and_options():
    assert options_note(PROTOCOL) == "as_published; sample_quartiles; stata variance"
