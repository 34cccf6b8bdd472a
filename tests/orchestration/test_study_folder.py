"""The study folder of a home: how it gets there, what an edit of it makes stale, and where it is published."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import stegvis.assets.table as decorator
from stegvis.orchestration.cli import app
from stegvis.orchestration.refresh import dry_run
from stegvis.storage.home import Home
from stegvis.storage.publishing import publish
from stegvis.storage.tables import Table
from tests.orchestration.story import Story
from tests.study import PROTOCOL_FILE, home_with_study


def edit(home: Home, file: str, old: str, new: str) -> None:
    path = home.study / file
    assert old in path.read_text(encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")


def test_init_copies_a_study_once(tmp_path: Path) -> None:
    def init(*more: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["init", str(tmp_path / "home"), *more])
        return done.exit_code, done.output

    code, said = init("--study", "hunt4_walking")
    assert code == 0, said
    assert (tmp_path / "home" / "study" / "protocol.toml").read_bytes() == PROTOCOL_FILE.read_bytes()
    code, said = init("--study", "hunt4_walking")
    assert (code, "is there already" in said) == (1, True)
    shutil.rmtree(tmp_path / "home")
    code, said = init("--study", "hunt9")
    assert (code, "there are: " in said) == (2, True)
    assert init()[0] == 2


def test_the_error_of_a_home_without_a_study_says_what_to_run(story: Story) -> None:
    shutil.rmtree(story.home.study)
    with pytest.raises(ValueError, match=r"no study folder: run 'stegvis init [^\n]* --study NAME'[^\n]*$"):
        story.refresh()


def test_two_homes_with_two_studies_live_beside_each_other(story: Story, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(story.home.root, other, symlinks=True)
    edit(Home(other, other / "landing"), "protocol.toml", "depression = 7", "depression = 9")
    planned = {step.label: step.reasons for step in dry_run(Home(other, other / "landing"))[0]}
    assert 'protocol covariates.cuts changed from {"depression": 7.0} to {"depression": 9.0}' in planned["cohort"]
    assert "walking_exposures" not in planned
    assert story.planned() == {}


def test_an_edit_makes_stale_what_read_the_edited_value_and_nothing_else(story: Story) -> None:
    edit(story.home, "claims.toml", "(published: 23% lower)", "(published: 23 percent lower)")
    planned = story.planned()
    (why,) = planned["claims [2021-2023]"]
    assert why.startswith("claims changed")
    assert not {"cohort", "fitted_models [2021-2023]", "characteristics [2021-2023]"} & planned.keys()
    shutil.copyfile(PROTOCOL_FILE.with_name("claims.toml"), story.home.study / "claims.toml")
    edit(story.home, "study.toml", "licence = ", "# a comment\nlicence = ")
    assert story.planned() == {}
    edit(story.home, "study.toml", "https://www.ntnu.edu/hunt", "https://example.org")
    assert {step.asset for step in story.steps()} == {"report", "release"}  # who runs the study is on each page's foot


@pytest.mark.slow
def test_a_release_has_the_study_and_lists_what_differs_from_the_published_protocol(story: Story) -> None:
    published = story.release() / "report" / "index.html"
    assert "Every value is that of the published protocol" in published.read_text(encoding="utf-8")
    edit(story.home, "protocol.toml", "minimum_events = 5", "minimum_events = 6")
    (story.home.study / "notes.txt").write_text("not of the study")
    assert story.refresh().ok
    release = story.release()
    held = {file.name for file in (release / "study").iterdir()}
    assert held == {file.name for file in PROTOCOL_FILE.parent.iterdir()}
    assert (release / "study" / "protocol.toml").read_bytes() == (story.home.study / "protocol.toml").read_bytes()
    assert "study/codebook.toml" in json.loads((release / "manifest.json").read_text())["files"]
    page = (release / "report" / "index.html").read_text(encoding="utf-8")
    assert "1 value differs from the published protocol" in page
    assert "models.minimum_events" in page


def test_a_home_is_made_with_its_study(tmp_path: Path) -> None:
    assert home_with_study(tmp_path / "home").study.is_dir()


@pytest.mark.slow
def test_a_table_whose_protocol_is_edited_during_a_refresh_is_made_once(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def publish_and_edit(table: Table, *others: Any) -> Any:
        published = publish(table, *others)
        made.append(table.name)
        if table.name == "cohort":  # when the refresh has planned what to make
            edit(story.home, "protocol.toml", "minimum_valid_days = 1", "minimum_valid_days = 2")
        return published

    story.drop("baseline", "2020-01", story.baseline().iloc[[0]].assign(SmoStat_NT4BLQ1="3"), "participants.csv")
    with monkeypatch.context() as patch:
        patch.setattr(decorator, "publish", publish_and_edit)
        story.refresh()
    assert made.count("exclusions") == 1
    assert story.refresh().ok
    assert story.planned() == {}
