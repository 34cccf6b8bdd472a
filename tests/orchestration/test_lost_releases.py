"""A home whose releases are gone says so, and publishes only new waves until they are back or somebody decides."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from stegvis.orchestration.publish import publish
from stegvis.orchestration.retire import retire
from stegvis.storage.lost import lost
from stegvis.storage.publish_wave import outcome
from tests.attacks import attackers
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
def test_no_old_wave_is_published_again_from_a_new_warehouse_until_somebody_decides(story: Story) -> None:
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
    publish(story.home, WAVE, "Anna", "there is no backup")
    assert story.refresh().ok
    assert outcome(story.home, WAVE)["state"] == "published"
    assert story.status()["lost_releases"] == []


@pytest.mark.slow
def test_a_home_without_its_releases_publishes_a_new_wave_and_repeats_the_old_one(story: Story) -> None:
    lost_release = story.release().name
    before = attackers.read(story.release())
    shutil.rmtree(story.home.releases)
    story.withdraw("2025-01", list(story.table("select person from analysis_set order by person limit 10")["person"]))
    story.drop("followup", "2024-2026", story.answers().iloc[::2], "questionnaire.csv")
    done = story.refresh()
    assert {(asset, key) for asset, key in done.materialized} >= {("disclosure", "2024-2026"), ("release", "")}
    assert not done.ok
    waves = json.loads((story.release() / "manifest.json").read_text())["waves"]
    assert waves[WAVE]["release"] == lost_release
    assert waves["2024-2026"]["release"] == story.release().name
    # What the warehouse still had of the old wave is repeated; results across waves are not published.
    now = attackers.read(story.release())
    old, again = (rows[rows["wave"] == WAVE].reset_index(drop=True) for rows in (before, now))
    pd.testing.assert_frame_equal(old, again)
    assert now.loc[now["wave"] == "all", ["n", "events", "estimate"]].isna().all(axis=None)
    assert attackers.leavers_of_baseline(story.release()) is None
    # Nothing is missing any more; a new edition of the old wave is audited like any other.
    assert story.status()["lost_releases"] == []
    publish(story.home, WAVE, "Anna", "ten have left")
    assert story.refresh().ok
    assert outcome(story.home, WAVE)["state"] == "refused"
    assert story.made() == set()


def _waves(story: Story) -> set[str]:
    return set(json.loads((story.release() / "manifest.json").read_text())["waves"]) - {"all"}


@pytest.mark.slow
def test_a_wave_that_was_published_and_retired_is_not_published_again_by_itself(story: Story) -> None:
    other, answers = "2024-2026", story.answers().iloc[::2]
    drop = story.drop("followup", other, answers, "questionnaire.csv")
    assert story.refresh().ok
    assert _waves(story) == {WAVE, other}
    shutil.rmtree(drop)
    retire(story.home, "wave", other)
    assert story.refresh().ok
    assert _waves(story) == {WAVE}
    # Delivered again without two people, whose answers would be the difference.
    story.drop("followup", other, answers.iloc[2:], "questionnaire.csv")
    done = story.refresh()
    (blocked,) = done.blocked
    assert blocked.label == f"disclosure [{other}]"
    assert "was published before and then retired" in blocked.reasons[0]
    assert _waves(story) == {WAVE}
    publish(story.home, other, "Anna", "the delivery was wrong as a whole")
    assert story.refresh().ok
    assert _waves(story) == {WAVE, other}
    assert lost(story.home.releases).retired == frozenset()
