"""People of a batch or wave whom no baseline has are counted."""

from __future__ import annotations

from pathlib import Path

from stegvis.storage.home import Home
from stegvis.storage.linkage import Linkage, linkage
from stegvis.storage.warehouse import Warehouse


def test_people_without_a_baseline_are_counted_by_batch_and_wave(tmp_path: Path) -> None:
    with Warehouse(Home(tmp_path, tmp_path / "landing")).session("test") as connection:
        connection.execute("create table recordings (batch varchar, person varchar, level varchar)")
        connection.execute("insert into recordings values ('a', '01', 'days'), ('a', '01', 'raw'), ('a', '2', 'days')")
        connection.execute("insert into recordings values ('b', '1', 'days'), ('a', null, 'raw')")
        assert linkage(connection) == []
        connection.execute("create table baseline_questionnaire (person varchar)")
        connection.execute("insert into baseline_questionnaire values ('1'), ('2')")
        assert linkage(connection) == [Linkage("batch", "a", 2, 1)]
        connection.execute("create table followup_questionnaire (wave varchar, person varchar)")
        connection.execute("insert into followup_questionnaire values ('2021', '1'), ('2024', '9'), ('2024', '8')")
        assert linkage(connection) == [Linkage("batch", "a", 2, 1), Linkage("wave", "2024", 2, 2)]


def test_a_share_that_is_too_small_names_the_next_step() -> None:
    assert Linkage("batch", "a", 10, 5).sentence(0.5) == "5 of 10 people are in no baseline questionnaire"
    assert "leading zeros" in Linkage("batch", "a", 10, 6).sentence(0.5)
    assert Linkage("wave", "2024", 0, 0).share == 1
