"""An epochs file, read to the lake's schema: which of its columns are used, and how its problems are reported."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stegvis.deliveries.contract import apply_contract
from stegvis.storage.reading import UnreadableFile
from tests.sizes import examples
from tests.stegvis.storage.epoch_files import CONTRACT, deliver, read

SECRET = "a secret value"


def epochs(**columns: list) -> pd.DataFrame:
    """Three epochs of one person, some of their columns replaced."""
    moments = ["2018-03-01 08:00:00", "2018-03-01 08:00:05", "2018-03-01 08:00:10"]
    return pd.DataFrame({"person": ["P1"] * 3, "epoch_start": moments, "activity": ["lying"] * 3} | columns)


def test_epochs_come_with_full_confidence(tmp_path: Path) -> None:
    found = read(deliver(tmp_path, epochs()))
    assert found.accepted == [
        ("P1", "2018-03-01 08:00:00", "lying", None, 255),
        ("P1", "2018-03-01 08:00:05", "lying", None, 255),
        ("P1", "2018-03-01 08:00:10", "lying", None, 255),
    ]
    assert found.rows == 3


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_typed_columns_read_like_text(tmp_path: Path, unit: str) -> None:
    typed = epochs(activity=[1.0, 8.0, 13.0], speed=["slow"] * 3)
    typed["epoch_start"] = typed["epoch_start"].astype(f"datetime64[{unit}]")
    text = epochs(activity=["walking", "lying", "cycling"], speed=["slow"] * 3)
    one, other = read(deliver(tmp_path / "typed", typed)), read(deliver(tmp_path / "text", text))
    assert one.accepted == other.accepted
    assert one.rules == other.rules == {}


def test_another_name_of_the_codebook_is_found_and_a_strange_column_is_ignored(tmp_path: Path) -> None:
    file = deliver(tmp_path, epochs().rename(columns={"person": "PID"}).assign(comment=SECRET))
    assert [row[0] for row in read(file).accepted] == ["P1"] * 3


def test_without_a_speed_column_walking_has_no_speed(tmp_path: Path) -> None:
    found = read(deliver(tmp_path, epochs(activity=["walking"] * 3)))
    assert [row[2:4] for row in found.accepted] == [("walking", None)] * 3


def test_a_person_is_the_same_with_blanks_around(tmp_path: Path) -> None:
    frame = epochs(person=["P1", " P1 ", "P1"], epoch_start=["2018-03-01 08:00:00"] * 3)
    found = read(deliver(tmp_path, frame))
    assert [row[0] for row in found.accepted] == ["P1"]
    assert found.rules == {3: "duplicate", 4: "duplicate"}


@pytest.mark.parametrize("column", ["person", "epoch_start", "activity"])
def test_a_missing_required_column_refuses_the_file_and_is_named(tmp_path: Path, column: str) -> None:
    with pytest.raises(UnreadableFile, match=column):
        read(deliver(tmp_path, epochs().drop(columns=column)))


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    file = deliver(tmp_path, epochs())
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(UnreadableFile, match="not a whole Parquet file"):
        read(file)


def test_problems_name_file_row_column_and_rule_and_no_value(tmp_path: Path) -> None:
    broken = epochs(person=["P1", None, "P1"], activity=["lying", "lying", SECRET])
    problems = read(deliver(tmp_path, broken)).problems
    assert problems[["file", "row", "column", "rule"]].to_numpy().tolist() == [
        ["north/epochs.parquet", 3, "person", "blank"],
        ["north/epochs.parquet", 4, "activity", "unknown_code"],
    ]
    assert problems["message"].notna().all()
    assert SECRET not in problems.to_string()


def test_a_file_without_problems_has_an_empty_list(tmp_path: Path) -> None:
    assert read(deliver(tmp_path, epochs())).problems.empty


def test_each_person_has_a_start_and_the_hours_of_the_epochs_that_count(tmp_path: Path) -> None:
    later = epochs(person=["P2"] * 3, epoch_start=["2018-03-02 08:00:05", "2018-03-02 08:00:00", "2018-03-02 08:00:00"])
    found = read(deliver(tmp_path, pd.concat([later, epochs(activity=["lying", "dancing", "lying"])])))
    assert found.people == [
        ("P1", "2018-03-01 08:00:00", pytest.approx(2 * 5 / 3600)),
        ("P2", "2018-03-02 08:00:00", pytest.approx(2 * 5 / 3600)),
    ]


def test_only_the_people_asked_for_are_taken(tmp_path: Path) -> None:
    both = pd.concat([epochs(person=["P2"] * 3), epochs()])
    assert {row[0] for row in read(deliver(tmp_path, both), people=["P2"]).accepted} == {"P2"}


def test_the_lake_is_in_order_whatever_the_order_of_the_file(tmp_path: Path) -> None:
    both = pd.concat([epochs(person=["P2"] * 3), epochs()])
    in_order = read(deliver(tmp_path / "one", both.sort_values(["person", "epoch_start"])))
    backwards = read(deliver(tmp_path / "other", both.iloc[::-1]))
    padded = read(deliver(tmp_path / "padded", pd.concat([epochs()[:1], epochs(person=[" P2"] * 3)[:1]])))
    assert padded.accepted == sorted(padded.accepted)
    assert in_order.accepted == backwards.accepted
    assert in_order.accepted == sorted(in_order.accepted)


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["P1", "P1", "P2", " P2", "", None]),
        st.sampled_from(["2018-03-01 08:00:00", "2018-03-01 08:00:05", "2018-03-01 08:00:10", "soon", None]),
        st.sampled_from(["lying", "walking", "1", "08", "2.0", "dancing", "", None]),
        st.sampled_from(["slow", "brisk", "swift", "", None]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=examples(20), deadline=None)
@given(rows=ROWS)
def test_it_accepts_the_rows_that_the_contract_of_every_other_delivery_accepts(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple]
) -> None:
    frame = pd.DataFrame(rows, columns=["person", "epoch_start", "activity", "speed"]).astype("string")
    found = read(deliver(tmp_path_factory.mktemp("epochs"), frame))
    contracted = apply_contract(frame, CONTRACT.codebook["epochs"], "epochs.parquet")
    used = contracted.frame.sort_values(["person", "epoch_start"])
    assert [(row[0], row[1], row[2]) for row in found.accepted] == [
        (row.person, str(row.epoch_start), row.activity) for row in used.itertuples()
    ]
    assert found.rows == contracted.rows_read
    assert set(found.rules) == set(contracted.problems["row"])
