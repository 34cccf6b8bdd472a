"""A wave or batch whose drops are gone is removed; others, and one that is still delivered, stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from stegvis.storage.home import Home
from stegvis.storage.landing import scan
from stegvis.storage.records import Materialization, write_record
from stegvis.storage.retiring import RetireError, retire_partition
from stegvis.storage.warehouse import Warehouse
from tests.orchestration.story import complete


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a wave and a batch of the same name, and rows of another wave."""
    home = Home(tmp_path, tmp_path / "landing").create()
    with Warehouse(home).session("test") as connection:
        connection.execute("create table answers (wave varchar, person varchar)")
        connection.execute("insert into answers values ('2024', 'P1'), ('2024', 'P2'), ('2021', 'P1')")
        connection.execute("create table recordings (batch varchar, person varchar)")
        connection.execute("insert into recordings values ('2024', 'P1')")
        for table, key in (("answers", "2024"), ("answers", "2021"), ("recordings", "2024")):
            write_record(connection, Materialization(table, key, "1", {}))
            connection.execute("insert into quarantine values (?, ?, 'f', 1, '', 'r', 'm')", [table, key])
    (home.lake / "epochs" / "batch=2024").mkdir(parents=True)
    return home


def left(home: Home) -> dict[str, list[tuple[str, str]]]:
    """Rows and records that are left."""
    with Warehouse(home).session("test") as connection:
        return {
            "answers": connection.execute("select wave, person from answers order by all").fetchall(),
            "recordings": connection.execute("select batch, person from recordings").fetchall(),
            "records": connection.execute("select table_name, partition from materializations order by all").fetchall(),
            "quarantine": connection.execute("select asset, partition from quarantine order by all").fetchall(),
        }


def test_a_wave_is_removed_and_a_batch_of_the_same_name_stays(home: Home) -> None:
    assert retire_partition(home, scan(home.landing, None), "wave", "2024") == 2
    kept = [("answers", "2021"), ("recordings", "2024")]
    assert left(home) == {
        "answers": [("2021", "P1")], "recordings": [("2024", "P1")], "records": kept, "quarantine": kept,
    }  # fmt: skip
    assert (home.lake / "epochs" / "batch=2024").exists()
    assert retire_partition(home, scan(home.landing, None), "wave", "2024") == 0


def test_a_batch_is_removed_with_its_epochs(home: Home) -> None:
    assert retire_partition(home, scan(home.landing, None), "batch", "2024") == 1
    assert left(home)["recordings"] == []
    assert len(left(home)["answers"]) == 3
    assert not (home.lake / "epochs" / "batch=2024").exists()


def test_what_is_still_delivered_is_not_retired(home: Home) -> None:
    folder = home.landing / "followup" / "2024.2"
    folder.mkdir(parents=True)
    (folder / "questionnaire.csv").write_text("1")
    complete(folder)
    with pytest.raises(RetireError, match="wave 2024 is still delivered: move its drops out of followup/"):
        retire_partition(home, scan(home.landing, None), "wave", "2024")
    assert len(left(home)["answers"]) == 3
