"""One rule for identifiers, times and codes: every spelling, file type and layout, for refresh and validate alike.

Each spelling of a person is that person or is refused; none is anybody else.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pyreadstat
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from stegvis.deliveries.cells import read_cells
from stegvis.deliveries.identifiers import INVISIBLE
from stegvis.storage.arrow_columns import to_series
from stegvis.storage.delivered_files import DeliveredFile, read_delivered
from stegvis.storage.validation import validate_drop
from stegvis.study.codebook import LayoutName
from tests.sizes import examples
from tests.stegvis.storage.epoch_files import CONTRACT
from tests.stegvis.storage.test_validation import epochs, sign, table

PLACES: dict[LayoutName, str] = {
    "participants": "baseline/a/participants",
    "questionnaire": "followup/2024/questionnaire",
    "days": "recordings/b/days",
    "epochs": "recordings/b/epochs",
}
TABLES = ("participants", "questionnaire", "days")


def one_row(layout: LayoutName) -> pd.DataFrame:
    """A faultless row as text; of day totals the first day alone, since seven cost seven times as much."""
    row = table(layout, 1)
    return row.drop(columns=[name for name in row if layout == "days" and re.search("D[2-7]$", name)])


def arrow(layout: LayoutName, **columns: pa.Array) -> pa.Table:
    """One faultless row of a layout, with some of its columns as given."""
    raw = epochs(1) if layout == "epochs" else one_row(layout)
    whole = pa.Table.from_pandas(raw, preserve_index=False)
    for name, cells in columns.items():
        whole = whole.set_column(whole.schema.get_field_index(name), name, cells)
    return whole


def both(folder: Path, layout: LayoutName, ending: str, write: Callable[[Path], object]) -> DeliveredFile:
    """A file as the refresh reads it, after making sure that validating its drop finds the same."""
    file = (folder / PLACES[layout]).with_suffix(ending)
    file.parent.mkdir(parents=True)
    write(file)
    sign(file.parent)
    found = read_delivered(file, file.name, layout, CONTRACT)
    validation = validate_drop(file.parent, CONTRACT)
    listed = validation.problems[validation.problems["rule"] != "too_many_quarantined"].reset_index(drop=True)
    pd.testing.assert_frame_equal(listed, found.problems)
    used = len(found.frame) if layout != "epochs" else round(found.frame["hours"].sum() * 720)
    assert found.unreadable or found.rows_read == used + found.rows_quarantined
    return found


def of_arrow(folder: Path, layout: LayoutName, ending: str, **columns: pa.Array) -> DeliveredFile:
    whole = arrow(layout, **columns)
    if ending == ".csv":
        return both(folder, layout, ending, lambda file: pa.csv.write_csv(whole, file))
    return both(folder, layout, ending, lambda file: pq.write_table(whole, file))


def meaning(found: DeliveredFile, column: str = "person") -> Any:
    """The one value that was read, or the rule by which it was refused."""
    if len(found.problems):
        return found.problems["rule"].iloc[0]
    value = found.frame[column].iloc[0]
    return str(value) if isinstance(value, pd.Timestamp) else value


# ---- identifiers ----

TEXT_TYPES = [
    pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view(),
]  # fmt: skip
WHOLE_TYPES = [pa.int64(), pa.int32(), pa.uint32(), pa.uint64(), pa.float64()]


def as_text(person: str, kind: pa.DataType) -> pa.Array:
    return pa.array([person.encode() if "binary" in str(kind) else person], kind)


def same_text(person: str, padding: str) -> dict[str, pa.Array]:
    """Spellings of a person, of digits or not, that keep every character."""
    forms = {str(kind): as_text(person, kind) for kind in TEXT_TYPES}
    encoded = person.encode()
    return forms | {
        "padded": pa.array([padding + person + padding]),
        "padded bytes": pa.array([(padding + person + padding).encode()]),
        "fixed width": pa.array([encoded], pa.binary(len(encoded))),
        "fixed width with zeros": pa.array([encoded + bytes(7)], pa.binary(len(encoded) + 7)),
        "dictionary": pa.array([person]).dictionary_encode(),
        "dictionary of bytes": pa.array([encoded]).dictionary_encode(),
    }


def same_number(number: int) -> dict[str, pa.Array]:
    """Spellings of a person whose identifier is a whole number below ten million."""
    forms = {str(kind): pa.array([number], kind) for kind in WHOLE_TYPES}
    return forms | {
        "single precision": pa.array(np.array([number], dtype=np.float32)),
        "decimal": pa.array([Decimal(number)], pa.decimal128(20, 0)),
        "decimal with zeros": pa.array([Decimal(number)], pa.decimal128(20, 3)),
        "long decimal": pa.array([Decimal(number)], pa.decimal256(60, 2)),
        "text with zeros": pa.array([f"{number}.00"]),
        "text with a point": pa.array([f"{number}."]),
        "dictionary of numbers": pa.array([number]).dictionary_encode(),
    }


def refused(number: int) -> dict[str, pa.Array]:
    """What can have been another identifier, or is none."""
    text = str(number)
    day = dt.date(2018, 3, 1)
    return {
        "scientific": pa.array([f"{number:.3E}"]),
        "scientific, short": pa.array(["1e5"]),
        "scientific, decimal comma": pa.array(["1,262E+03"]),
        "formula": pa.array([f'="{text}"']),
        "quoted by a spreadsheet": pa.array([f"'{text}"]),
        "error of a spreadsheet": pa.array(["#N/A"]),
        "decimal comma": pa.array([f"{text},0"]),
        "comma between thousands": pa.array([f"{number:,}" if number > 999 else "1,001"]),
        "zero with a minus sign": pa.array(["-0"]),
        "plus": pa.array([f"+{text}"]),
        "invisible inside": pa.array([f"{text}\u200b{text}"]),
        "line end inside": pa.array([f"{text}\n{text}"]),
        "other digits": pa.array(["\uff11\uff10\uff10\uff11"]),
        "not UTF-8": pa.array([b"\xc5" + text.encode()]),
        "single precision, 8 digits": pa.array(np.array([10_000_000 + number], dtype=np.float32)),
        "double, 17 digits": pa.array([float(2**53 + number)]),
        "fraction": pa.array([number + 0.5]),
        "decimal fraction": pa.array([Decimal(f"{number}.5")]),
        "infinite": pa.array([np.inf]),
        "truth value": pa.array([True]),
        "date": pa.array([day]),
        "time": pa.array([dt.datetime(2018, 3, 1)]),
        "zoned time": pa.array([dt.datetime(2018, 3, 1)], pa.timestamp("us", "UTC")),
        "time of day": pa.array([dt.time(10)]),
        "duration": pa.array([dt.timedelta(1)]),
        "list": pa.array([[number]]),
        "structure": pa.array([{"a": number}]),
        "very long": pa.array(["9" * 1000]),
    }


NAMES = st.sampled_from(["P1", "Åse 7", "a-b_c", "12-34", "0042", "00", "007", "x,5", "NA", "nan"])
NO_SHRINKING = (Phase.explicit, Phase.generate)  # an example costs two readings of a drop
LAYOUTS = st.sampled_from(list(PLACES))
PADDING = st.text(st.sampled_from(INVISIBLE), max_size=3)


@settings(max_examples=examples(20), deadline=None, phases=NO_SHRINKING)
@given(LAYOUTS, st.sampled_from(list(same_text("P1", ""))), NAMES, PADDING)
def test_text_in_every_type_is_the_same_person(
    tmp_path_factory: pytest.TempPathFactory, layout: LayoutName, form: str, person: str, padding: str
) -> None:
    cells = same_text(person, padding)[form]
    assert meaning(of_arrow(tmp_path_factory.mktemp("d"), layout, ".parquet", person=cells)) == person


@settings(max_examples=examples(20), deadline=None, phases=NO_SHRINKING)
@given(LAYOUTS, st.sampled_from(list(same_number(1))), st.integers(0, 9_999_999))
def test_a_number_in_every_type_is_the_same_person(
    tmp_path_factory: pytest.TempPathFactory, layout: LayoutName, form: str, number: int
) -> None:
    cells = same_number(number)[form]
    assert meaning(of_arrow(tmp_path_factory.mktemp("d"), layout, ".parquet", person=cells)) == str(number)


@settings(max_examples=examples(25), deadline=None, phases=NO_SHRINKING)
@given(LAYOUTS, st.sampled_from(list(refused(1))), st.integers(1, 9_999_999))
def test_what_may_have_been_somebody_else_is_refused(
    tmp_path_factory: pytest.TempPathFactory, layout: LayoutName, form: str, number: int
) -> None:
    found = of_arrow(tmp_path_factory.mktemp("d"), layout, ".parquet", person=refused(number)[form])
    assert meaning(found) == "wrong_type"
    assert found.problems["message"].str.startswith("the identifier must be text or a whole number").all()


@settings(max_examples=examples(6), deadline=None, phases=NO_SHRINKING)
@given(st.sampled_from(TABLES), NAMES, PADDING.filter(lambda text: not set(text) & set("\r\n")))
def test_a_csv_means_the_same_as_a_typed_file(
    tmp_path_factory: pytest.TempPathFactory, layout: LayoutName, person: str, padding: str
) -> None:
    cells = pa.array([padding + person + padding])
    assert meaning(of_arrow(tmp_path_factory.mktemp("d"), layout, ".csv", person=cells)) == person


@pytest.mark.parametrize(("layout", "ending"), [("participants", ".sav"), ("questionnaire", ".zsav"), ("days", ".dta")])
@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (1001, "1001"), (1001.0, "1001"), ("0042", "0042"), ("1001.0", "1001"), (" 1001\u00a0", "1001"),
        (0.5, "wrong_type"), (2.0**53, "wrong_type"), ("1.2E+05", "wrong_type"), ('="0042"', "wrong_type"),
        (dt.datetime(2018, 3, 1), "wrong_type"),
    ],
)  # fmt: skip
def test_a_file_of_a_statistics_program_means_the_same(
    tmp_path: Path, layout: LayoutName, ending: str, cell: Any, expected: str
) -> None:
    frame = one_row(layout).assign(person=[cell])
    write = pyreadstat.write_dta if ending == ".dta" else pyreadstat.write_sav
    more = {"compress": True} if ending == ".zsav" else {}  # of the writer: zlib
    assert meaning(both(tmp_path, layout, ending, lambda file: write(frame, str(file), **more))) == expected


def test_single_precision_of_stata_is_exact_to_seven_digits(tmp_path: Path) -> None:
    frame = table("participants", 3).assign(person=np.array([1001, 9_999_999, 12_345_678], dtype="float32"))

    def write(file: Path) -> None:
        frame.to_stata(file, write_index=False)

    found = both(tmp_path, "participants", ".dta", write)
    assert found.frame["person"].tolist() == ["1001", "9999999"]
    assert found.problems["rule"].tolist() == ["wrong_type"]


def cells_of(cells: pa.Array) -> Any:
    """A cell of any type by the rule alone."""
    read = read_cells(to_series(pa.chunked_array([cells])), CONTRACT.codebook["participants"].columns["person"])
    return read.breaches[0].rule if read.breaches else read.values.iloc[0]


@settings(max_examples=examples(20), deadline=None)
@given(st.integers(0, 9_999_999), NAMES, PADDING)
def test_every_form_by_the_rule_alone(number: int, person: str, padding: str) -> None:
    for form, cells in same_text(person, padding).items():
        assert cells_of(cells) == person, form
    for form, cells in same_number(number).items():
        assert cells_of(cells) == str(number), form
    for form, cells in refused(number + 1).items():
        assert cells_of(cells) == "wrong_type", form


# ---- times ----

MOMENT = dt.datetime(2018, 3, 1, 8, 0, 5)
TIMES: dict[str, tuple[pa.Array, str]] = {
    **{unit: (pa.array([MOMENT], pa.timestamp(unit)), "same") for unit in ("s", "ms", "us", "ns")},
    "text": (pa.array(["2018-03-01 08:00:05"]), "same"),
    "text with a T and digits": (pa.array(["2018-03-01T08:00:05.000000000"]), "same"),
    "bytes": (pa.array([b"2018-03-01 08:00:05"]), "same"),
    "padded": (pa.array(["\u200b\t2018-03-01 08:00:05\u00a0\x00"]), "same"),
    "dictionary": (pa.array(["2018-03-01 08:00:05"]).dictionary_encode(), "same"),
    "zone": (pa.array([MOMENT], pa.timestamp("us", "Europe/Oslo")), "wrong_type"),
    "text with a zone": (pa.array(["2018-03-01 08:00:05+01:00"]), "wrong_type"),
    "text in UTC": (pa.array(["2018-03-01T08:00:05Z"]), "wrong_type"),
    "hour 24": (pa.array(["2018-03-01 24:00:00"]), "wrong_type"),
    "no such day": (pa.array(["2018-02-30 10:00:00"]), "wrong_type"),
    "another order": (pa.array(["01.03.2018 08:00:05"]), "wrong_type"),
    "number": (pa.array([1519891205]), "wrong_type"),
    "float": (pa.array([43160.333]), "wrong_type"),
    "truth value": (pa.array([True]), "wrong_type"),
    "list": (pa.array([[MOMENT]]), "wrong_type"),
    "not UTF-8": (pa.array([b"\xff2018-03-01 08:00:05"]), "wrong_type"),
    "before": (pa.array(["1970-01-01 00:00:00"]), "out_of_range"),
    "typed, before": (pa.array([dt.datetime(1582, 10, 14)], pa.timestamp("us")), "out_of_range"),
    "after": (pa.array(["2108-08-15 00:00:00"]), "out_of_range"),
    "year 9999": (pa.array([dt.datetime(9999, 12, 31)], pa.timestamp("ms")), "out_of_range"),
}


@pytest.mark.parametrize("form", TIMES)
@pytest.mark.parametrize(
    ("layout", "column", "name"),
    [
        ("participants", "PartDat_NT4BLM", "baseline_date"),
        ("epochs", "epoch_start", "start"),
    ],
)
def test_a_time_in_every_type(tmp_path: Path, layout: LayoutName, column: str, name: str, form: str) -> None:
    cells, expected = TIMES[form]
    same = str(pd.Timestamp(MOMENT) if layout == "epochs" else pd.Timestamp(MOMENT).normalize())
    found = of_arrow(tmp_path, layout, ".parquet", **{column: cells})
    assert meaning(found, name) == (same if expected == "same" else expected)


@pytest.mark.parametrize("ending", [".sav", ".zsav", ".dta"])
def test_a_date_that_no_calendar_holds_costs_its_row(tmp_path: Path, ending: str) -> None:
    days = pd.Series(pd.to_datetime(["2018-03-01"] * 3))
    frame = table("participants", 3).assign(PartDat_NT4BLM=days)
    if ending == ".dta":
        frame["PartDat_NT4BLM"] = [21244.0, 9e9, np.nan]  # days since 1960
        write, form = pyreadstat.write_dta, "%td"
    else:
        frame["PartDat_NT4BLM"] = [13739241600.0, 6.4e12, np.nan]  # seconds since 1582-10-14
        write, form = pyreadstat.write_sav, "DATE11"
    found = both(
        tmp_path,
        "participants",
        ending,
        lambda file: write(frame, str(file), variable_format={"PartDat_NT4BLM": form}),
    )
    assert found.problems[["row", "rule"]].to_numpy().tolist() == [[3, "out_of_range"]]
    assert str(found.frame["baseline_date"].iloc[0].date()) == "2018-03-01"


# ---- codes ----

CODES: dict[str, tuple[pa.Array, Any]] = {
    **{str(kind): (pa.array([1], kind), "same") for kind in (pa.int8(), pa.uint64(), pa.float32(), pa.float64())},
    "decimal": (pa.array([Decimal("1.00")]), "same"),
    "text": (pa.array(["01"]), "same"),
    "float as text": (pa.array(["1.0"]), "same"),
    "bytes": (pa.array([b"1\x00\x00"], pa.binary(3)), "same"),
    "padded": (pa.array(["\ufeff 1\u2003"]), "same"),
    "dictionary": (pa.array(["1"]).dictionary_encode(), "same"),
    "fraction": (pa.array([1.5]), "unknown_code"),
    "list": (pa.array([[1]]), "unknown_code"),
    "scientific": (pa.array(["1E0"]), "unknown_code"),
    "not UTF-8": (pa.array([b"\xff1"]), "unknown_code"),
    "day": (pa.array([dt.date(2018, 3, 1)]), "unknown_code"),
}


@pytest.mark.parametrize("form", CODES)
@pytest.mark.parametrize(
    ("layout", "column", "name", "level"),
    [
        ("participants", "Sex", "sex", "male"),
        ("epochs", "activity", "hours", 5 / 3600),
    ],
)
def test_a_code_in_every_type(
    tmp_path: Path, layout: LayoutName, column: str, name: str, level: Any, form: str
) -> None:
    cells, expected = CODES[form]
    found = of_arrow(tmp_path, layout, ".parquet", **{column: cells})
    assert meaning(found, name) == (level if expected == "same" else expected)


def test_a_truth_value_is_a_code_only_beside_its_opposite(tmp_path: Path) -> None:
    yes = pa.array([True])
    assert meaning(of_arrow(tmp_path / "1", "participants", ".parquet", Sex=yes), "sex") == "male"
    assert meaning(of_arrow(tmp_path / "2", "participants", ".parquet", SmoStat_NT4BLQ1=yes), "smoking") == "former"
    assert meaning(of_arrow(tmp_path / "3", "participants", ".parquet", Educ_NT4BLQ1=yes)) == "unknown_code"
    assert meaning(of_arrow(tmp_path / "4", "epochs", ".parquet", activity=yes)) == "unknown_code"


# ---- value labels ----


@pytest.mark.parametrize("ending", [".sav", ".dta"])
@pytest.mark.parametrize(
    ("labels", "stops"),
    [
        ({0: "Female", 1: "Male"}, False),
        ({0: "Kvinne", 1: "Mann"}, False),
        ({0: "Male", 1: "Female"}, True),
        ({1: "1 = female", 2: "2 = male"}, True),
    ],
)
def test_value_labels_that_contradict_the_codebook_stop_the_file(
    tmp_path: Path, ending: str, labels: dict[int, str], stops: bool
) -> None:
    frame = table("participants", 3).assign(Sex=[0, 1, 1])
    write = pyreadstat.write_dta if ending == ".dta" else pyreadstat.write_sav
    found = both(
        tmp_path, "participants", ending, lambda file: write(frame, str(file), variable_value_labels={"Sex": labels})
    )
    assert found.refused == stops
    assert set(found.problems["rule"]) == ({"labels_contradict"} if stops else set())
    assert len(found.frame) == (0 if stops else 3)
