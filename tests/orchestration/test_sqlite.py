"""Dagster's SQLite connections are reused, and never where that would be wrong."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as db
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.sql import check_alembic_revision, get_alembic_config
from sqlalchemy.pool import NullPool

from stegvis.orchestration import sqlite
from stegvis.orchestration.instance import open_instance
from stegvis.storage.home import Home


@pytest.fixture(autouse=True)
def reused() -> Iterator[None]:
    sqlite.keep_connections()
    yield
    sqlite.close_connections()


def engine(file: Path) -> db.Engine:
    return db.create_engine(f"sqlite:///{file}", poolclass=db.pool.NullPool)


def raw(connection: db.Connection) -> object:
    return connection.connection.dbapi_connection


def test_the_next_connection_to_a_file_is_the_one_before_and_sees_what_was_committed(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    with engine(file).begin() as connection:
        first = raw(connection)
        connection.execute(db.text("create table t (x int)"))
    with engine(file).connect() as connection:
        assert raw(connection) is first
        connection.execute(db.text("insert into t values (1)"))  # never committed
    with engine(file).connect() as connection, engine(file).connect() as second:
        assert raw(connection) is not raw(second)
        assert connection.execute(db.text("select count(*) from t")).scalar() == 0
        assert connection.execute(db.text("pragma synchronous")).scalar() == 1  # waits for the disk at checkpoints


def test_a_file_that_was_replaced_is_opened_anew(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    with engine(file).begin() as connection:
        connection.execute(db.text("create table t (x int)"))
    file.unlink()
    with engine(file).connect() as connection:
        assert not db.inspect(connection).has_table("t")


def test_another_thread_has_connections_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    seen: list[object] = []

    def use() -> None:
        with engine(file).begin() as connection:
            seen.append(raw(connection))

    use()
    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    use()
    assert seen[1] is not seen[0]
    assert seen[2] is seen[0]


# In a process of its own: this one has threads, and a fork of it could wait for a lock of one of them for ever.
FORK = """
import os, sys
import sqlalchemy as db
from stegvis.orchestration import sqlite

sqlite.keep_connections()
engine = db.create_engine(f"sqlite:///{sys.argv[1]}", poolclass=db.pool.NullPool)
with engine.begin() as connection:
    first = connection.connection.dbapi_connection
    connection.execute(db.text("create table t (x int)"))
child = os.fork()
if not child:
    with engine.begin() as connection:
        connection.execute(db.text("insert into t values (1)"))
        os._exit(0 if connection.connection.dbapi_connection is not first else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_process_does_not_use_the_connections_of_its_parent(tmp_path: Path) -> None:
    assert subprocess.run([sys.executable, "-c", FORK, str(tmp_path / "a.db")], timeout=60, check=False).returncode == 0


def test_only_so_many_files_stay_open(tmp_path: Path) -> None:
    for number in range(sqlite.KEPT_OPEN + 5):
        with engine(tmp_path / f"{number}.db").begin() as connection:
            connection.execute(db.text("create table t (x int)"))
    held = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    names = {Path(target).name for target in held if target.startswith(str(tmp_path))}
    assert len({name for name in names if name.endswith(".db")}) == sqlite.KEPT_OPEN


def test_dagster_makes_no_engine_for_an_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def counted(url: str, **options: Any) -> db.Engine:
        made.append(url)
        return db.create_engine(url, **options)

    monkeypatch.setattr(sqlite, "create_engine", counted)
    with open_instance(Home.find(tmp_path / "home").create()) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("first"))
        assert made
        before = len(made)
        for _ in range(5):
            instance.report_runless_asset_event(dg.AssetMaterialization("first"))
        assert len(made) == before
        assert len(instance.fetch_materializations(dg.AssetKey("first"), limit=10).records) == 6


def test_an_engine_is_used_again_only_for_the_same_file_and_options() -> None:
    engines = sqlite.Engines()
    first = engines.of("sqlite:///a.db", poolclass=NullPool)
    assert engines.of("sqlite:///a.db", poolclass=NullPool) is first
    assert engines.of("sqlite:///b.db", poolclass=NullPool) is not first
    assert engines.of("sqlite:///a.db", poolclass=NullPool, connect_args={"timeout": 30}) is not first
    # Any other pool holds connections of its own.
    assert engines.of("sqlite:///a.db") is not engines.of("sqlite:///a.db")
    for number in range(2 * sqlite.KEPT_OPEN):
        engines.of(f"sqlite:///{number}.db", poolclass=NullPool)
    assert len(engines.kept) == sqlite.KEPT_OPEN
    assert engines.of("sqlite:///a.db", poolclass=NullPool) is not first


# The lock of the engines is held by another thread at the moment of the fork.
FORK_ENGINES = """
import os, signal, sys
from sqlalchemy.pool import NullPool
from stegvis.orchestration import sqlite

engines = sqlite.ENGINES
first = engines.of(f"sqlite:///{sys.argv[1]}", poolclass=NullPool)
engines.lock.acquire()
child = os.fork()
if not child:
    signal.alarm(20)
    os._exit(0 if engines.of(f"sqlite:///{sys.argv[1]}", poolclass=NullPool) is not first else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_process_makes_engines_of_its_own_and_waits_for_no_thread_of_its_parent(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FORK_ENGINES, str(tmp_path / "a.db")]
    assert subprocess.run(command, timeout=60, check=False).returncode == 0


def test_a_new_run_reads_no_migration_script_and_its_file_does_not_wait_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_instance(Home.find(tmp_path / "home").create()) as instance:
        storage = instance.event_log_storage
        with storage.run_connection("first"):
            pass
        monkeypatch.setattr(Script, "_from_path", None)  # what reads a script
        with storage.run_connection("second") as connection:
            assert db.inspect(connection).has_table("event_logs")
            assert connection.execute(db.text("pragma journal_mode")).scalar() == "wal"
            current, newest = check_alembic_revision(get_alembic_config(sqlite_event_log.__file__), connection)
        assert current
        assert current == newest


def test_only_dagsters_migration_scripts_are_kept(tmp_path: Path) -> None:
    config = get_alembic_config(sqlite_event_log.__file__)
    assert ScriptDirectory.from_config(config) is ScriptDirectory.from_config(config)
    other = Config()
    other.set_main_option("script_location", str(tmp_path))
    assert ScriptDirectory.from_config(other) is not ScriptDirectory.from_config(other)


MAKE = """
import sys
from stegvis.orchestration.instance import open_instance
from stegvis.storage.home import Home
with open_instance(Home.find(sys.argv[1])) as instance:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(15):
        with instance.event_log_storage.run_connection(f"run-{number}") as connection:
            pass
"""


@pytest.mark.slow
def test_two_processes_make_the_files_of_the_same_runs_at_once(tmp_path: Path) -> None:
    home = Home.find(tmp_path / "home").create()
    with open_instance(home):
        pass
    command = [sys.executable, "-c", MAKE, str(home.root)]
    makers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for maker in makers:
        assert maker.stdout
        assert maker.stdout.readline() == "ready\n"
    for maker in makers:
        assert maker.stdin
        maker.stdin.write("go\n")
        maker.stdin.flush()
    for maker in makers:
        with maker:
            assert maker.wait(120) == 0
    with open_instance(home) as instance:
        for number in range(15):
            with instance.event_log_storage.run_connection(f"run-{number}") as connection:
                assert connection.execute(db.text("pragma journal_mode")).scalar() == "wal"
                assert connection.execute(db.text("select count(*) from alembic_version")).scalar() == 1


REPORT = """
import sys, dagster as dg
from stegvis.orchestration.instance import open_instance
from stegvis.storage.home import Home
with open_instance(Home.find(sys.argv[1])) as instance:
    for number in range(40):
        event = dg.AssetMaterialization(sys.argv[2], metadata={"number": number})
        instance.report_runless_asset_event(event)
"""


@pytest.mark.slow
def test_two_processes_at_once_lose_no_event(tmp_path: Path) -> None:
    home = Home.find(tmp_path / "home").create()
    with open_instance(home):
        pass
    names = ("one", "two")
    writers = [subprocess.Popen([sys.executable, "-c", REPORT, str(home.root), name]) for name in names]
    assert [writer.wait(120) for writer in writers] == [0, 0]
    with open_instance(home) as instance:
        for name in names:
            found = instance.fetch_materializations(dg.AssetKey(name), limit=100).records
            assert sorted(r.asset_materialization.metadata["number"].value for r in found) == list(range(40))
