"""Opening delivered files: the same table from every format, and a clear reason when a file cannot be read."""

from __future__ import annotations

import datetime as dt
import errno
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from stegvis.deliveries.contract import apply_contract
from stegvis.storage.reading import UnreadableFile, as_unreadable, read_columns, read_table
from tests.study import CODEBOOK

PARTICIPANTS = CODEBOOK["participants"]
SECRET = "a secret value"


def people() -> pd.DataFrame:
    """Three people as a statistics program holds them: numbers, dates, missing cells."""
    cells: dict[str, object] = {}
    for column in PARTICIPANTS.columns.values():
        match column.type:
            case "text":
                cells[column.source[0]] = ["P1", "P2", "P3"]
            case "date":
                cells[column.source[0]] = [dt.date(2018, 3, 1), None, dt.date(2018, 12, 31)]
            case "number":
                cells[column.source[0]] = [20.5 if "Bmi" in column.source[0] else 20.0, 15.0, np.nan]
            case "tick":
                cells[column.source[0]] = [1.0, np.nan, np.nan]
            case _:
                cells[column.source[0]] = [1.0, np.nan, float(list(column.codes or {})[1])]
    return pd.DataFrame(cells)


def write(path: Path, table: pd.DataFrame) -> Path:
    match path.suffix:
        case ".csv":
            table.to_csv(path, index=False)
        case ".parquet":
            table.to_parquet(path)
        case ".sav" | ".zsav":
            pyreadstat.write_sav(table, str(path), compress=path.suffix == ".zsav")
        case ".dta":
            pyreadstat.write_dta(table, str(path))
    return path


def reason(path: Path) -> str:
    with pytest.raises(UnreadableFile) as refused:
        read_table(path)
    assert refused.value.file == path.name
    assert str(refused.value) == f"{path.name}: {refused.value.reason}"
    assert refused.value.__cause__ is None  # a library's own message may hold data
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    return refused.value.reason


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".sav", ".dta"])
def test_every_format_gives_the_same_canonical_table(tmp_path: Path, ending: str) -> None:
    read = apply_contract(read_table(write(tmp_path / f"participants{ending}", people())), PARTICIPANTS, "f")
    direct = apply_contract(people(), PARTICIPANTS, "f")
    assert direct.problems.empty
    assert read.problems.empty
    pd.testing.assert_frame_equal(read.frame, direct.frame)
    assert read.frame["baseline_date"].iloc[0] == pd.Timestamp("2018-03-01")
    assert read.frame["low_back_box"].tolist() == [True, False, False]


def test_text_stays_text(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text('person,x\n007,1.50\n"a,b",NA\n', encoding="utf-8")
    table = read_table(file)
    assert table["person"].tolist() == ["007", "a,b"]
    assert table["x"].tolist() == ["1.50", "NA"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_byte_order_mark_and_letters(tmp_path: Path, separator: str, mark: bytes) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes(mark + "person,x\r\nÅ1,1\r\n".replace(",", separator).encode())
    assert read_table(file).to_dict("list") == {"person": ["Å1"], "x": ["1"]}


def test_blank_lines_count_in_the_middle_and_not_at_the_end(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("person,x\na,1\n\nb,2\n\n\n", encoding="utf-8")
    table = read_table(file)
    assert len(table) == 3
    assert table["person"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize("end", ["\n", "", "\n,\n,\n", '\n"",\n', "\r\n,\r\n\r\n", "many"])
def test_a_last_row_that_is_blank_only_in_the_columns_that_are_read_is_a_row(tmp_path: Path, end: str) -> None:
    file = tmp_path / "t.csv"
    end = "\n" + ",\n" * 700_000 if end == "many" else end
    file.write_text("person,reason\na,moved\n,tired\n,ill" + end, encoding="utf-8", newline="")
    assert read_columns(file, {"person"}).frame["person"].isna().tolist() == [False, True, True]


def test_long_whole_numbers_beside_blanks_keep_their_digits(tmp_path: Path) -> None:
    table = pd.DataFrame({"person": pd.array([2**60 + 1, None], dtype="Int64")})
    assert read_table(write(tmp_path / "t.parquet", table))["person"].iloc[0] == 2**60 + 1


def test_declared_missing_values_are_missing_and_labels_stay_codes(tmp_path: Path) -> None:
    file = tmp_path / "t.sav"
    table = pd.DataFrame({"person": ["a", "b"], "Sex": [1.0, 9.0]})
    pyreadstat.write_sav(table, str(file), missing_ranges={"Sex": [9]}, variable_value_labels={"Sex": {1: "man"}})
    read = read_table(file)["Sex"]
    assert read.iloc[0] == 1
    assert np.isnan(read.iloc[1])


def test_a_signal_may_be_read_with_its_types(tmp_path: Path) -> None:
    file = tmp_path / "P1.csv"
    file.write_text("timestamp,back_x\n2018-03-01 00:00:00.000,0.5\n2018-03-01 00:00:00.020,-1\n", encoding="utf-8")
    table = read_table(file, infer_types=True)
    assert pd.api.types.is_datetime64_dtype(table["timestamp"])
    assert table["back_x"].tolist() == [0.5, -1.0]


def test_a_column_that_turns_into_text_late_is_read_as_text(tmp_path: Path) -> None:
    file = tmp_path / "P1.csv"
    file.write_text("back_x\n" + "0.123456789012\n" * 200_000 + "oops\n", encoding="utf-8")
    assert read_table(file, infer_types=True)["back_x"].iloc[-1] == "oops"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", b"", "empty"),
        ("t.parquet", b"", "empty"),
        ("t.csv", b"\nperson,x\n", "first line is blank"),
        ("t.csv", f"person,x\n1,2\n{SECRET},3,4\n".encode(), "line 3 does not have the 2 fields"),
        ("t.csv", f"person,x\n1,2\n{SECRET}\n".encode(), "line 3"),
        ("t.csv", "person,x\nÅ1,1\n".encode("latin-1"), "UTF-8"),
        ("t.csv", "pårørende,x\n1,1\n".encode("latin-1"), "UTF-8"),
        ("t.csv", "person,x\n1,1\n".encode("utf-16"), "UTF-8"),
        ("t.csv", f"{SECRET},{SECRET}\n1,1\n".encode(), "columns 1 and 2 have the same name"),
        ("t.xlsx", b"PK", "ending"),
        ("t", b"person\n", "ending"),
        ("t.parquet", b"person,x\n1,2\n", "Parquet"),
        ("t.sav", b"person,x\n1,2\n", "SPSS"),
        ("t.dta", b"person,x\n1,2\n", "Stata"),
    ],
)
def test_an_unreadable_file_says_why_and_nothing_else(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    reported = reason(file)
    assert said in reported
    assert SECRET not in reported


@pytest.mark.parametrize("ending", [".parquet", ".sav", ".dta"])
def test_a_file_that_is_cut_off(tmp_path: Path, ending: str) -> None:
    file = write(tmp_path / f"t{ending}", people())
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert "cut off" in reason(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "no such file" in reason(tmp_path / "t.csv")


def test_lines_may_end_in_carriage_returns_alone(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes(b"person,x\r1001,1\r1002,2\r")
    assert read_table(file).to_dict("list") == {"person": ["1001", "1002"], "x": ["1", "2"]}


def test_only_the_wanted_columns_are_read_and_all_are_named(tmp_path: Path) -> None:
    for ending in (".csv", ".parquet", ".sav", ".zsav", ".dta"):
        table = read_columns(write(tmp_path / f"t{ending}", people()), {"Sex", "absent"})
        assert table.names == list(people().columns)
        assert list(table.frame.columns) == ["Sex"]
        assert len(table.frame) == 3


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_too_many_columns_are_refused_at_once(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"t{ending}"
    names = [f"c{number}" for number in range(100_000 if ending == ".csv" else 20_001)]
    if ending == ".csv":
        file.write_text(",".join(names) + "\n" + ",".join("1" * len(names)) + "\n")
    else:
        pq.write_table(pa.table([[1]] * len(names), names=names), file)
    assert reason(file) == "it has more than 20,000 columns"


def test_a_small_file_of_very_many_rows_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "t.parquet"
    rows = pa.table({name: pa.nulls(10_000_000, pa.string()) for name in "abcdefghijk"})
    pq.write_table(rows, file, compression="zstd")
    assert file.stat().st_size < 1_000_000
    assert reason(file) == "it has more than 100,000,000 cells to read"


@pytest.mark.parametrize("ending", [".sav", ".zsav"])
@pytest.mark.parametrize(("stated", "outcome"), [(1, "holds more rows than its header states"), (-1, None), (3, None)])
def test_the_rows_of_a_sav_are_counted_whatever_its_header_states(
    tmp_path: Path, ending: str, stated: int, outcome: str | None
) -> None:
    file = write(tmp_path / f"t{ending}", pd.DataFrame({"person": ["a", "b", "c"], "x": [1.0, 2.0, 3.0]}))
    content = bytearray(file.read_bytes())
    content[80:84] = stated.to_bytes(4, "little", signed=True)
    file.write_bytes(content)
    if outcome:
        assert outcome in reason(file)
    else:
        assert read_table(file)["person"].tolist() == ["a", "b", "c"]


def test_a_sav_that_claims_more_rows_than_it_can_hold_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "t.sav", people())
    content = bytearray(file.read_bytes())
    content[80:84] = (500_000_000).to_bytes(4, "little")  # the number of cases in the header
    file.write_bytes(content)
    assert "claims more rows" in reason(file)


def test_text_in_another_encoding_than_the_sav_states_is_named(tmp_path: Path) -> None:
    file = tmp_path / "t.sav"
    pyreadstat.write_sav(people().assign(person=["Å1", "Å2", "Å3"]), str(file))
    file.write_bytes(file.read_bytes().replace("Å".encode(), b"\xc5 "))
    assert "encoding" in reason(file)


def test_parquet_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    offsets, data = np.array([0, 4, 8], dtype="int32"), b"1001\xc61\xf82"
    cells = pa.StringArray.from_buffers(2, pa.py_buffer(offsets), pa.py_buffer(data))
    pq.write_table(pa.table({"person": cells}), tmp_path / "t.parquet")
    assert "damaged" in reason(tmp_path / "t.parquet")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "memory"),
        (pa.ArrowMemoryError("x"), "memory"),
        (PermissionError(), "may not be opened"),
        (OSError(errno.EIO, "x"), "cannot be read"),
        (RecursionError(SECRET), "cannot be read"),
    ],
)
def test_whatever_a_reader_raises_is_a_reason(error: Exception, said: str) -> None:
    found = as_unreadable(error, Path("t.csv"))
    assert isinstance(found, UnreadableFile)
    assert said in found.reason
    assert SECRET not in found.reason


def test_a_full_disk_is_not_the_files_fault() -> None:
    full = OSError(errno.ENOSPC, "x")
    assert as_unreadable(full, Path("t.csv")) is full
