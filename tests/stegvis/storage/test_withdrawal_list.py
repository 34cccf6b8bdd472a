"""The list of withdrawals: keyed hashes, append-only, never silently lost."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from stegvis.storage.home_key import KEY_FILE, HomeKeyError
from stegvis.storage.identifiers_in_text import spans
from stegvis.storage.landing import scan
from stegvis.storage.withdrawal_list import LIST, add_to_list, is_pending, read_list
from stegvis.storage.withdrawn_rows import leave_out, to_remove
from tests.orchestration.story import complete

ODD = ["12,5", 'a"b', "00042", "a\nb", "NA", "å-é", "\ud800"]


def test_who_was_added_is_on_the_list_and_nobody_else(tmp_path: Path) -> None:
    assert add_to_list(tmp_path, "june", ODD) == len(ODD)
    assert add_to_list(tmp_path, "july", [*ODD[:2], "42"]) == 1
    withdrawn = read_list(tmp_path)
    assert all(person in withdrawn for person in [*ODD, "42"])
    assert not any(person in withdrawn for person in ["0042", "12", "", "na", None, 42])
    column = pd.Series(["42", None, "43", "42"], dtype="str")
    assert withdrawn.among(column).tolist() == [True, False, False, True]


def test_no_identifier_is_in_the_files_of_the_list(tmp_path: Path) -> None:
    add_to_list(tmp_path, "june", ["QWITHDRAWN"])
    read_list(tmp_path).note_found(["QWITHDRAWN", "QOTHER"])
    assert len(read_list(tmp_path).found()) == 1
    for file in tmp_path.rglob("*"):
        assert b"QWITHDRAWN" not in (file.read_bytes() if file.is_file() else b"")
        assert b"QOTHER" not in (file.read_bytes() if file.is_file() else b"")


def test_the_home_is_marked_before_anybody_is_on_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(file: Path, text: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("stegvis.storage.withdrawal_list.write_whole", killed)
    with pytest.raises(KeyboardInterrupt):
        add_to_list(tmp_path, "june", ["P1"])
    assert is_pending(tmp_path)
    assert "P1" not in read_list(tmp_path)


@pytest.mark.parametrize("harm", ["", "{}\n", "[1]\n", '{"key": "another"}\n', None])
def test_a_damaged_list_is_refused_and_never_taken_for_a_shorter_one(tmp_path: Path, harm: str | None) -> None:
    add_to_list(tmp_path, "june", ["P1", "P2"])
    text = (tmp_path / LIST).read_text()
    (tmp_path / LIST).write_text(text[:-20] if harm is None else harm)
    with pytest.raises(HomeKeyError, match=r"withdrawals/list\.jsonl"):
        read_list(tmp_path)


def test_a_list_with_another_key_is_refused(tmp_path: Path) -> None:
    add_to_list(tmp_path, "june", ["P1"])
    (tmp_path / KEY_FILE).write_bytes(bytes(32))
    with pytest.raises(HomeKeyError, match="restore both from one backup"):
        read_list(tmp_path)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("QX1_back.cwa", True),
        ("batch/QX1.csv", True),
        ("QX1.csv is not the file that drop.json describes", True),
        ("copy-of-QX1-2.csv", True),
        ("QX12_back.cwa", False),
        ("1001.csv", True),
        ("batch/1001_thigh.cwa cannot be opened", True),
        ("1001 rows, 2019-1001", False),
        ("21001.csv", False),
        ("P-7_back.cwa", True),
        ("12,5.csv", True),
        ("7f3c1001-1001-1001-1001-7f3c10017f3c", False),
    ],
)
def test_people_are_recognized_in_file_names_and_messages(tmp_path: Path, text: str, named: bool) -> None:
    add_to_list(tmp_path, "june", ["QX1", "1001", "P-7", "12,5"])
    assert bool(read_list(tmp_path).named_in(text)) is named
    assert list(spans(text))


def test_files_to_remove_are_listed_and_one_named_after_a_person_by_its_drop(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    batch = landing / "recordings" / "2018"
    batch.mkdir(parents=True)
    for name in ("days.csv", "QX1.csv"):
        (batch / name).write_text("person\nQX1\n")
    complete(batch)
    add_to_list(tmp_path, "june", ["QX1", "QX2"])
    rows = pd.DataFrame(
        [
            ("QX1", "2018", "days.csv"),
            ("QX2", "2018", "days.csv"),
            ("QX1", "2018", "QX1.csv"),
            ("P9", "2018", "P9.csv"),
        ],
        columns=["person", "delivery", "delivered_file"],
    )
    kept = leave_out(read_list(tmp_path), "recordings", "2018", "recordings", rows)
    assert kept["person"].tolist() == ["P9"]
    listed = {each.delivery: each.people for each in to_remove(tmp_path, scan(landing, None))}
    assert listed == {"recordings/2018/days.csv": 2, "recordings/2018, files named after them": 1}
    leave_out(read_list(tmp_path), "recordings", "2018", "recordings", rows[3:])
    assert to_remove(tmp_path, scan(landing, None)) == []
