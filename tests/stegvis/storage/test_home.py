"""Where a home is, and what is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stegvis.storage.home import Home


@pytest.fixture(autouse=True)
def plain_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STEGVIS_HOME", "STEGVIS_LANDING", "STEGVIS_REPORTS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_a_home_is_the_one_named_else_the_environments_else_beside_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Home.find() == Home(tmp_path / ".stegvis", tmp_path / ".stegvis" / "landing")
    monkeypatch.setenv("STEGVIS_HOME", str(tmp_path / "set"))
    assert Home.find().root == tmp_path / "set"
    assert Home.find(tmp_path / "named").root == tmp_path / "named"
    assert Home.find("relative").root == tmp_path / "relative"


def test_the_landing_zone_may_be_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEGVIS_LANDING", str(tmp_path / "incoming"))
    assert Home.find(tmp_path / "home") == Home(tmp_path / "home", tmp_path / "incoming")


def test_everything_but_the_landing_zone_is_below_the_root(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", tmp_path / "incoming").create()
    parts = [home.warehouse, home.warehouse_lock, home.refresh_lock, home.lake, home.releases, home.dagster]
    parts.append(home.hash_cache)
    assert len({*parts}) == len(parts)
    assert {part.parent for part in parts} == {home.root}
    assert home.create() == home
    assert all(folder.is_dir() for folder in (home.landing, home.lake, home.releases, home.dagster))


def test_a_report_is_addressed_where_reports_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Home.report_address("latest") == "http://127.0.0.1:3001/latest/report/index.html"
    monkeypatch.setenv("STEGVIS_REPORTS_URL", "https://reports.example.org/")
    assert Home.report_address("a", "b.html") == "https://reports.example.org/a/report/b.html"
