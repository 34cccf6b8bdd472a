"""Dagster's storage in PostgreSQL: the settings of ``deploy/``, and the erasure of withdrawn people from it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE

import dagster as dg
import pytest
import sqlalchemy as sa

from stegvis.orchestration.dagster_erasure import REPLACEMENT, erase_from_dagster
from stegvis.orchestration.instance import open_instance
from stegvis.orchestration.withdraw import apply_withdrawals
from stegvis.storage.home import Home
from stegvis.storage.landing import scan
from stegvis.storage.withdrawal_list import add_to_list, read_list
from tests.deploy.servers import DEPLOY, needs_postgres, postgres
from tests.study import home_with_study

pytestmark = [pytest.mark.slow, needs_postgres]
pytest.importorskip("dagster_postgres", reason="needs requirements-postgres.lock")

GONE, STAYS = "QGONE01", "QSTAYS02"


@pytest.fixture(scope="module")
def database() -> Iterator[dict[str, str]]:
    with postgres() as environment:
        yield environment


@pytest.fixture
def home(database: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with an empty landing zone, whose Dagster storage is the database."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    for name, value in database.items():
        monkeypatch.setenv(name, value)
    home = home_with_study(tmp_path / "home", tmp_path / "landing").create()
    shutil.copy(DEPLOY / "dagster.yaml", home.dagster / "dagster.yaml")
    return home


def engine(database: dict[str, str]) -> sa.Engine:
    address = sa.URL.create(
        "postgresql+psycopg2", database["STEGVIS_POSTGRES_USER"], database["STEGVIS_POSTGRES_PASSWORD"], "127.0.0.1",
        int(database["STEGVIS_POSTGRES_PORT"]), database["STEGVIS_POSTGRES_DATABASE"],
    )  # fmt: skip
    return sa.create_engine(address, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")


def stored(database: dict[str, str]) -> dict[str, str]:
    """What every table of the database holds, as one text each; pages of its files included, as text."""
    with engine(database).connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        connection.execute(sa.text("checkpoint"))
        rows = {
            table: "\n".join(str(row[0]) for row in connection.execute(sa.text(f'select t::text from "{table}" t')))
            for table in tables
        }
        for table in tables:
            file = f"pg_read_binary_file(pg_relation_filepath('\"{table}\"'))"
            rows[table] += connection.execute(sa.text(f"select encode({file}, 'escape')")).scalar_one()
        return rows


def record_something(home: Home) -> None:
    """An event, a tag of a run and a partition, which name people's files."""
    with open_instance(home) as instance:
        for name in (GONE, STAYS):
            instance.report_runless_asset_event(
                dg.AssetObservation("landing", metadata={"file": f"b/{name}_back.cwa", "rows": 1001})
            )
            instance.report_runless_asset_event(
                dg.AssetMaterialization("recordings", description=f"b/{name}.csv is cut off", partition=f"b/{name}")
            )


def test_names_of_withdrawn_people_are_erased_and_the_rest_stays(home: Home, database: dict[str, str]) -> None:
    record_something(home)
    before = stored(database)
    assert GONE in before["event_logs"]
    add_to_list(home.root, "june", [GONE])
    assert erase_from_dagster(home, read_list(home.root)) >= 1
    after = stored(database)
    assert [table for table, text in after.items() if GONE in text] == []
    assert REPLACEMENT in after["event_logs"]
    assert after["event_logs"].count(STAYS) >= 2
    with open_instance(home) as instance:
        (kept, erased) = (
            record.asset_observation.metadata["file"].value  # type: ignore[union-attr]
            for record in instance.fetch_observations(dg.AssetKey("landing"), limit=10).records
        )
    assert (kept, erased) == (f"b/{STAYS}_back.cwa", f"b/{REPLACEMENT}_back.cwa")
    assert erase_from_dagster(home, read_list(home.root)) == 0


def test_a_table_in_use_is_reported_and_cleaned_the_next_time(
    home: Home, database: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record_something(home)
    monkeypatch.setattr("stegvis.orchestration.dagster_erasure._WAIT_SECONDS", 0.2)
    add_to_list(home.root, "june", [GONE])
    with engine(database).execution_options(isolation_level="READ COMMITTED").connect() as other:
        other.execute(sa.text("lock table event_logs in row exclusive mode"))
        (problem,) = apply_withdrawals(home, scan(home.landing, None)).problems
        assert "Dagster's storage (PostgreSQL) is in use" in problem
        assert GONE in stored(database)["event_logs"]
    assert apply_withdrawals(home, scan(home.landing, None)).problems == []
    assert [table for table, text in stored(database).items() if GONE in text] == []


def test_another_database_is_cleaned_though_the_list_is_the_same(home: Home, database: dict[str, str]) -> None:
    """The first cleaning was of another storage, such as SQLite before the home moved to PostgreSQL."""
    add_to_list(home.root, "june", [GONE])
    settings = (home.dagster / "dagster.yaml").read_text()
    (home.dagster / "dagster.yaml").unlink()
    erase_from_dagster(home, read_list(home.root))
    (home.dagster / "dagster.yaml").write_text(settings)
    record_something(home)
    assert erase_from_dagster(home, read_list(home.root)) >= 1
    assert [table for table, text in stored(database).items() if GONE in text] == []


def test_a_database_that_does_not_answer_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    from stegvis.orchestration.explaining import explained

    monkeypatch.setenv("STEGVIS_POSTGRES_PORT", "1")
    with pytest.raises(Exception) as failed, open_instance(home):  # noqa: PT011 - whichever Dagster lets through
        pass
    assert explained(failed.value).startswith("Dagster's PostgreSQL does not answer")


def test_processes_that_start_together_make_the_tables_once(home: Home, database: dict[str, str]) -> None:
    with engine(database).connect() as connection:
        connection.execute(sa.text("drop schema public cascade"))
        connection.execute(sa.text("create schema public"))
    code = (
        "import sys; from pathlib import Path; from stegvis.storage.home import Home; "
        "from stegvis.orchestration.instance import prepare_instance; sys.stdin.read(); "
        "prepare_instance(Home(Path(sys.argv[1]), Path(sys.argv[2])))"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, home.root, home.landing], stdin=PIPE, stderr=PIPE, text=True)
        for _ in range(4)
    ]
    time.sleep(3)  # until all of them have imported Dagster; a slow one is no failure
    for process in started:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    assert [process.communicate()[1] for process in started] == [""] * 4
    assert {process.returncode for process in started} == {0}
