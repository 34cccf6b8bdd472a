"""Withdrawals from the list to the last byte: counts, alerts, what cannot be read, and what is restored."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from stegvis.orchestration.dagster_erasure import REPLACEMENT, erase_from_dagster
from stegvis.orchestration.withdraw import WithdrawalError, apply_withdrawals, read_withdrawals, register
from stegvis.storage import delivered_files
from stegvis.storage.alerts import read_alerts
from stegvis.storage.home import Home
from stegvis.storage.landing import scan
from stegvis.storage.withdrawal_list import add_to_list, is_pending, read_list
from tests.orchestration.story import Story, complete
from tests.study import CODEBOOK, home_with_study


def residue(home: Home, person: str) -> list[str]:
    """What is left of a person in the home outside the landing zone: files with a byte, names, rows of the lake."""
    found = []
    for file in home.root.rglob("*"):
        name = file.relative_to(home.root).as_posix()
        if file.is_relative_to(home.landing):
            continue
        if person in name or (file.is_file() and person.encode() in file.read_bytes()):
            found.append(name)
        elif file.suffix == ".parquet" and (frame := pd.read_parquet(file)).get("person", pd.Series()).eq(person).any():
            found.append(f"{name} ({len(frame)} rows)")
    return found


def deliver_list(home: Home, name: str, content: bytes) -> None:
    """A withdrawal drop arrives."""
    folder = home.landing / "withdrawals"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.csv").write_bytes(content)
    manifest = {"files": {f"{name}.csv": {"sha256": hashlib.sha256(content).hexdigest()}}}
    (folder / f"{name}.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("person", ["12,5", '"abc', 'a"b"c', "a;b", "00042", "NA", "person", "å b"])
def test_an_identifier_comes_back_from_the_drop_as_it_was_given(tmp_path: Path, person: str) -> None:
    home = home_with_study(tmp_path / "home", tmp_path / "landing")
    file = tmp_path / "list.csv"
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([["person"], [person], ["P2"]])
    name, people = register(home, file, CODEBOOK.withdrawals)
    read = apply_withdrawals(home, scan(home.landing, None))
    assert people == 2
    assert [(drop.drop, len(drop.people)) for drop in read.drops] == [(name, 2)]
    assert read.problems == []
    assert person in read_list(home.root)
    assert "P2" in read_list(home.root)


@pytest.mark.parametrize("person", ["a\nb", '="0147"', "1.262E+03"])
def test_an_identifier_that_may_have_changed_on_the_way_is_refused_without_a_drop(tmp_path: Path, person: str) -> None:
    home = home_with_study(tmp_path / "home", tmp_path / "landing")
    with (tmp_path / "list.csv").open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([["person"], ["P2"], [person]])
    with pytest.raises(
        WithdrawalError, match=r"list\.csv row 3: the identifier must be text or a whole number"
    ) as refused:
        register(home, tmp_path / "list.csv", CODEBOOK.withdrawals)
    assert person not in str(refused.value)
    assert not (tmp_path / "landing" / "withdrawals").exists()


def test_an_empty_list_registers_nothing(tmp_path: Path) -> None:
    home = home_with_study(tmp_path / "home", tmp_path / "landing")
    (tmp_path / "list.csv").write_text("person\n")
    with pytest.raises(WithdrawalError, match="no rows"):
        register(home, tmp_path / "list.csv", CODEBOOK.withdrawals)
    assert not (tmp_path / "landing" / "withdrawals").exists()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("person\nP1\n".encode("utf-16"), "withdrawals/june.csv"),
        (b"id;name\nP1;x\n", "the required column person"),
        (b"", "withdrawals/june.csv"),
    ],
)
def test_a_list_that_cannot_be_read_is_an_error_and_costs_no_other(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    home = home_with_study(tmp_path / "home", tmp_path / "landing").create()
    deliver_list(home, "june", content)
    deliver_list(home, "may", b"person\nP2\n")
    read = apply_withdrawals(home, scan(home.landing, None))
    assert any(problem in each for each in read.problems)
    assert "P2" in read_list(home.root)
    assert [alert.severity for alert in read_alerts(home.root)] == ["error"] * len(read.problems)
    assert read_withdrawals(home, scan(home.landing, None)).problems == read.problems


def test_a_broken_row_is_an_error_and_the_other_rows_count(tmp_path: Path) -> None:
    home = home_with_study(tmp_path / "home", tmp_path / "landing").create()
    deliver_list(home, "june", b"person,reason\nP1,x\n,y\nP3,z\n")
    deliver_list(home, "wrong.hash", b"person\nP4\n")
    (home.landing / "withdrawals" / "wrong.hash.csv").write_bytes(b"person\nP5\n")
    read = apply_withdrawals(home, scan(home.landing, None))
    assert [problem.split(":")[0] for problem in read.problems] == [
        "withdrawals/wrong.hash",
        "withdrawals/june.csv row 3",
    ]
    assert len(read_list(home.root)) == 2


@pytest.fixture
def files_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of withdrawal files as they are opened and read."""
    read: list[str] = []
    real = delivered_files.read_delivered

    def noted(file: Path, *rest: Any) -> Any:
        read.append(file.name)
        return real(file, *rest)

    monkeypatch.setattr(delivered_files, "read_delivered", noted)
    return read


def test_a_list_is_read_once(tmp_path: Path, files_read: list[str]) -> None:
    home = home_with_study(tmp_path / "home", tmp_path / "landing").create()
    deliver_list(home, "june", b"person\nP1\nP2\n")
    first = apply_withdrawals(home, scan(home.landing, None))
    again = apply_withdrawals(home, scan(home.landing, None))
    assert files_read == ["june.csv"]
    assert again == first == read_withdrawals(home, scan(home.landing, None))


def test_a_list_is_read_again_where_anything_that_decides_who_it_names_has_changed(
    tmp_path: Path, files_read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = home_with_study(tmp_path / "home", tmp_path / "landing").create()

    def people() -> tuple[int, int]:
        files_read.clear()
        named = apply_withdrawals(home, scan(home.landing, None)).drops[0].people
        return len(files_read), len(named)

    deliver_list(home, "june", b"person,withdrew\nP1,P9\n")
    assert people() == (1, 1)
    deliver_list(home, "june", b"person,withdrew\nP1,P9\nP2,P8\n")
    assert people() == (1, 2)
    codebook = home.root / "study" / "codebook.toml"
    codebook.write_text(codebook.read_text().replace('source = ["person", "PID"]', 'source = ["withdrew"]'))
    assert people() == (1, 2)
    assert "P9" in read_list(home.root)
    monkeypatch.setattr("stegvis.storage.withdrawals_read.code_parts", lambda module: {module: "other code"})
    assert people() == (1, 2)
    assert people() == (0, 2)
    (home.root / "withdrawals" / "list.jsonl").unlink()
    assert people() == (1, 2)
    assert "P9" in read_list(home.root)


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"june": {}}', '{"june": {"people": [], "reads": {}, "made_from": ""}}']
)
def test_a_damaged_or_forged_record_of_what_was_read_counts_for_nothing(
    tmp_path: Path, files_read: list[str], content: str
) -> None:
    home = home_with_study(tmp_path / "home", tmp_path / "landing").create()
    deliver_list(home, "june", b"person\nP1\n")
    apply_withdrawals(home, scan(home.landing, None))
    (home.root / "withdrawals" / "read.json").write_text(content)
    assert len(apply_withdrawals(home, scan(home.landing, None)).drops[0].people) == 1
    assert files_read == ["june.csv"] * 2


def test_a_list_with_a_problem_is_read_every_time(tmp_path: Path, files_read: list[str]) -> None:
    home = home_with_study(tmp_path / "home", tmp_path / "landing").create()
    deliver_list(home, "june", b"person,reason\nP1,x\n,y\n")
    for _time in range(2):
        assert len(apply_withdrawals(home, scan(home.landing, None)).problems) == 1
    assert files_read == ["june.csv"] * 2


def test_dagsters_storage_forgets_file_names_and_keeps_the_rest(tmp_path: Path) -> None:
    home = home_with_study(tmp_path / "home", tmp_path / "landing").create()
    database = home.dagster / "index.db"
    event = json.dumps({"message": "b/QGONE01_back.cwa is cut off", "rows": 1001, "run": "1001a", "file": "1001.csv"})
    with sqlite3.connect(database) as connection:
        connection.execute("create table event_logs (id integer primary key, event text)")
        connection.executemany("insert into event_logs (event) values (?)", [(event,), ("QGONE012 stays",)])
    connection.close()
    (home.dagster / "tick.log").write_text("b/QGONE01.csv cannot be opened\nanother line\n")
    add_to_list(home.root, "june", ["QGONE01", "1001"])
    assert erase_from_dagster(home, read_list(home.root)) == 2
    with sqlite3.connect(database) as connection:
        first, second = (row[0] for row in connection.execute("select event from event_logs order by id"))
    connection.close()
    assert json.loads(first) == {
        "message": f"b/{REPLACEMENT}_back.cwa is cut off", "rows": 1001, "run": "1001a", "file": f"{REPLACEMENT}.csv",
    }  # fmt: skip
    assert second == "QGONE012 stays"
    assert database.read_bytes().count(b"QGONE01") == 1
    assert (home.dagster / "tick.log").read_text() == f"b/{REPLACEMENT}.csv cannot be opened\nanother line\n"
    assert erase_from_dagster(home, read_list(home.root)) == 0


def test_a_storage_in_use_is_reported_and_cleaned_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stegvis.orchestration.dagster_erasure._WAIT_SECONDS", 0.1)
    home = home_with_study(tmp_path / "home", tmp_path / "landing").create()
    deliver_list(home, "june", b"person\nQGONE01\n")
    connection = sqlite3.connect(home.dagster / "index.db", isolation_level=None)
    connection.execute("create table event_logs (id integer primary key, event text)")
    connection.execute("insert into event_logs (event) values ('QGONE01.csv')")
    connection.execute("begin exclusive")
    (problem,) = apply_withdrawals(home, scan(home.landing, None)).problems
    assert "Dagster's storage (index.db) is in use" in problem
    connection.execute("commit")
    connection.close()
    assert apply_withdrawals(home, scan(home.landing, None)).problems == []
    assert b"QGONE01" not in (home.dagster / "index.db").read_bytes()


@pytest.mark.slow
def test_nothing_is_left_of_a_person_and_a_restored_warehouse_is_cleaned(story: Story, tmp_path: Path) -> None:
    home = story.home
    people = story.table("select person from analysis_set order by person")["person"]
    gone = people[0]
    # A recording that cannot be used puts the name of its file, the person's, into quarantine.
    batch = home.landing / "recordings" / "2019-02"
    (batch / f"{gone}_back.cwa").write_bytes(b"no recording")
    complete(batch)
    shutil.copy(home.warehouse, tmp_path / "copy.duckdb")
    story.withdraw("2025-01", [gone, "QNOBODY"])

    done = story.refresh()
    assert done.ok, (done.failed, done.withdrawal_problems)
    counts = "2 people; 1 found and erased, 1 not found in any delivery (erased if they are delivered later)"
    assert f"withdrawals/2025-01: {counts}" in done.withdrawals
    assert counts in [alert.message for alert in read_alerts(home.root)]
    assert residue(home, gone) == []
    assert not is_pending(home.root)
    facts = story.status()["withdrawals"]
    assert facts["not_found"] == 1
    listed = [place["delivery"] for place in facts["to_remove"]]
    assert "recordings/2019-02, files named after them" in listed
    assert "withdrawals/2025-01.csv" in listed
    assert gone not in json.dumps(facts)
    assert story.steps() == []

    # A list nobody can read is an error of the refresh, and stays one.
    deliver_list(home, "2025-02", f"person\n{people[1]}\n".encode("utf-16"))
    assert not story.refresh().ok
    assert not story.refresh().ok
    assert len(story.status()["withdrawals"]["not_applied"]) == 1

    # The data owner has removed the list, and the warehouse is an older one: the person stays out all the same.
    for file in (home.landing / "withdrawals").glob("2025-0*"):
        file.unlink()
    shutil.copy(tmp_path / "copy.duckdb", home.warehouse)
    planned = story.planned()
    assert residue(home, gone) == []
    assert {"analysis_set [2021-2023]", "risk_ratios [2021-2023]"} <= planned.keys()
    assert "a row of a withdrawn participant is gone" in planned["analysis_set [2021-2023]"]
