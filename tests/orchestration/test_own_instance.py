"""A Dagster instance that is not the home's starts nothing and rebuilds nothing, and says so."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from stegvis.orchestration.definitions import build_definitions
from stegvis.orchestration.instance import ForeignInstanceError, open_instance
from stegvis.storage.home import Home
from tests.orchestration.dagster_view import Automation
from tests.orchestration.story import Story
from tests.study import home_with_study


def default_statuses(home: Home) -> set[str]:
    definitions = build_definitions(home)
    repository = definitions.get_repository_def()
    return {each.default_status.value for each in (*repository.sensor_defs, *repository.schedule_defs)}


def test_another_instance_starts_no_sensor_and_requests_nothing(story: Story) -> None:
    story.drop("followup", "2024-2026", story.answers().iloc[::2], "questionnaire.csv")
    with dg.instance_for_test() as instance:
        daemon = Automation(story.home, instance)
        skipped = daemon.definitions.get_sensor_def("landing_zone")(dg.build_sensor_context(instance=instance))
        assert isinstance(skipped, dg.SkipReason)
        assert "not that of the home" in (skipped.skip_message or "")
        assert daemon.tick() == set()
        done = daemon.definitions.resolve_job_def("refresh").execute_in_process(instance=instance, raise_on_error=False)
        assert not done.success
    assert story.planned() != {}
    assert default_statuses(story.home) == {"STOPPED"}


def test_the_homes_own_instance_starts_its_sensors(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(story.home.dagster))
    assert default_statuses(story.home) == {"RUNNING"}


def test_an_instance_elsewhere_belongs_to_the_home_that_used_it_first(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "elsewhere"))
    assert default_statuses(story.home) == {"STOPPED"}
    with open_instance(story.home):
        assert default_statuses(story.home) == {"RUNNING"}
    other = home_with_study(tmp_path / "other").create()
    assert default_statuses(other) == {"STOPPED"}
    with pytest.raises(ForeignInstanceError, match="is the Dagster instance of the home"), open_instance(other):
        pass
