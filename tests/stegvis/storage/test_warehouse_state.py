"""The records of a warehouse are read again whenever it may have changed, and only then."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from stegvis.storage.home import Home
from stegvis.storage.records import Materialization, write_record
from stegvis.storage.tables import Records
from stegvis.storage.warehouse import Warehouse
from stegvis.storage.warehouse_state import warehouse_state
from stegvis.storage.withdrawal_list import add_to_list

# What another process does to a warehouse: a new version of the only record.
WRITE = """
import os, sys, duckdb
connection = duckdb.connect(sys.argv[1])
if sys.argv[3] == "killed":
    connection.execute("set wal_autocheckpoint = '1TB'")
connection.execute("update materializations set data_version = ?", [sys.argv[2]])
if sys.argv[3] == "killed":
    os._exit(1)
connection.close()
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home", tmp_path / "home" / "landing").create()
    with Warehouse(home).session("test") as connection:
        connection.execute("create table answers (wave varchar, person varchar)")
        connection.execute("insert into answers values ('2021', 'QGONE01'), ('2021', 'QSTAYS2')")
        write_record(connection, Materialization("answers", "2021", "1", {"sql": "1"}, rows=2))
    return home


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The purposes for which a warehouse was opened, to be filled by the test."""
    purposes: list[str] = []
    session = Warehouse.session

    @contextmanager
    def counted(self: Warehouse, purpose: str, *arguments: Any) -> Iterator[duckdb.DuckDBPyConnection]:
        purposes.append(purpose)
        with session(self, purpose, *arguments) as connection:
            yield connection

    monkeypatch.setattr(Warehouse, "session", counted)
    return purposes


def version(home: Home) -> str:
    return Records(home).published("answers")["2021"].data_version


def write(home: Home, new: str, how: str = "closed") -> None:
    subprocess.run([sys.executable, "-c", WRITE, str(home.warehouse), new, how], check=how != "killed", timeout=60)


def test_an_unchanged_warehouse_is_opened_once_for_its_records(home: Home, opened: list[str]) -> None:
    records = Records(home)
    assert [version(home), version(home)] == ["1", "1"]
    assert records.published("answers")["2021"].data_version == "1"
    records.forget()
    assert records.published("answers")["2021"].data_version == "1"
    assert opened == ["records"]
    with Warehouse(home).session("a reader") as connection:
        assert connection.execute("select count(*) from answers").fetchall() == [(2,)]
    assert version(home) == "1"
    assert opened == ["records", "a reader"]


@pytest.mark.parametrize("how", ["closed", "killed"])
def test_what_another_process_wrote_is_read(home: Home, how: str) -> None:
    assert version(home) == "1"
    write(home, "2", how)
    assert home.warehouse.with_name("warehouse.duckdb.wal").exists() == (how == "killed")
    assert version(home) == "2"
    write(home, "3", how)
    assert version(home) == "3"


def test_a_change_is_seen_however_the_clock_was_set(home: Home) -> None:
    before = home.warehouse.stat()
    state = warehouse_state(home)
    assert state
    assert version(home) == "1"
    write(home, "2")
    os.utime(home.warehouse, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = warehouse_state(home)
    assert after
    # By the beginning of the file alone.
    assert after.headers != state.headers
    assert version(home) == "2"


def test_another_warehouse_of_the_same_history_is_read(home: Home, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    shutil.copy2(home.warehouse, copy)
    write(home, "2")
    assert version(home) == "2"
    # As many checkpoints later, but something else was written.
    shutil.copy2(home.warehouse, tmp_path / "theirs.duckdb")
    shutil.copy2(copy, home.warehouse)
    assert version(home) == "1"
    write(home, "3")
    assert version(home) == "3"
    (tmp_path / "theirs.duckdb").replace(home.warehouse)
    assert version(home) == "2"


def test_a_warehouse_that_is_gone_has_no_records_and_one_made_anew_its_own(home: Home) -> None:
    assert version(home) == "1"
    home.warehouse.unlink()
    assert warehouse_state(home) is None
    assert Records(home).published("answers") == {}
    with Warehouse(home).session("test") as connection:
        write_record(connection, Materialization("answers", "2021", "5", {}, rows=0))
        connection.execute("create table answers (wave varchar)")
    assert version(home) == "5"


def test_the_records_are_read_again_when_somebody_withdraws(home: Home, opened: list[str]) -> None:
    assert version(home) == "1"
    add_to_list(home.root, "june", ["QGONE01"])
    assert "a row of a withdrawn participant" in Records(home).published("answers")["2021"].made_from
    assert opened == ["records", "records"]
    assert b"QGONE01" not in home.warehouse.read_bytes()


def test_rows_that_were_deleted_by_hand_are_missed(home: Home) -> None:
    assert Records(home).lost("answers") == ""
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("delete from answers")
    assert "is empty in the warehouse instead of having 2 rows" in Records(home).lost("answers")
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("drop table answers")
    assert "is gone from the warehouse" in Records(home).lost("answers")
