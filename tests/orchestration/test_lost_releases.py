"""A home whose releases are gone says so, and publishes nothing until they are back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.orchestration.story import Story

WAVE = "2021-2023"


def folders(story: Story) -> set[str]:
    return {file.name for file in story.home.releases.iterdir() if file.is_dir() and not file.is_symlink()}


@pytest.mark.parametrize("ledger_too", [False, True])
def test_a_home_without_its_releases_publishes_nothing_until_they_are_restored(
    story: Story, tmp_path: Path, ledger_too: bool
) -> None:
    name = story.release().name
    shutil.copytree(story.home.releases, tmp_path / "backup", symlinks=True)
    if ledger_too:
        shutil.rmtree(story.home.releases)
    else:
        shutil.rmtree(story.release())
    facts = story.status()
    assert not facts["ok"]
    assert facts["lost_releases"] == [name]
    (blocked,) = facts["blocked"]
    assert blocked["asset"] == "release"
    assert name in blocked["reasons"][0]
    done = story.refresh()
    assert not done.ok
    assert not done.nothing_to_do
    assert done.materialized == []
    assert folders(story) == set()
    shutil.rmtree(story.home.releases)
    shutil.copytree(tmp_path / "backup", story.home.releases, symlinks=True)
    assert story.status()["ok"]
    assert story.made() == set()


@pytest.mark.slow
def test_no_old_wave_is_published_again_from_a_new_warehouse(story: Story) -> None:
    shutil.rmtree(story.home.releases)
    story.home.warehouse.unlink()
    shutil.rmtree(story.home.dagster)
    done = story.refresh()
    assert not done.ok
    assert {asset for asset, key in done.materialized if key == WAVE} >= {"fitted_models", "characteristics"}
    assert {asset for asset, _ in done.materialized}.isdisjoint({"disclosure", "report", "release"})
    assert {status.label for status in done.blocked} == {f"disclosure [{WAVE}]"}
    assert folders(story) == set()
    assert story.made() == set()
