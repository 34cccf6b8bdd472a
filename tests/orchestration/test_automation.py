"""What the daemon does by itself, tick by tick: each delivery once, the same as a refresh, no failure without end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from stegvis.assets.graph import tables
from stegvis.orchestration import automation as module
from stegvis.orchestration.home_state import home_state
from stegvis.orchestration.instance import open_instance
from stegvis.orchestration.landing_sensor import landed
from stegvis.orchestration.plan import plan
from stegvis.storage.landing import scan
from tests.orchestration.dagster_view import Automation, stale_in_the_ui
from tests.orchestration.story import WAVE_STAGES, Story

WAVE = "2024-2026"


@pytest.fixture
def instance(story: Story) -> Iterator[dg.DagsterInstance]:
    with open_instance(story.home) as opened:
        yield opened


@pytest.fixture
def daemon(story: Story, instance: dg.DagsterInstance) -> Automation:
    return Automation(story.home, instance)


def made_with(*stages: str) -> set[str]:
    """The tables that these functions make: some make several."""
    return {member for stage in stages for member in tables()[stage].members}


def wave_arrives(story: Story) -> None:
    story.drop("followup", WAVE, story.answers().iloc[::2], "questionnaire.csv")


def waiting(daemon: Automation) -> object:
    """How many follow-ups wait, as the source asset shows in the UI."""
    (newest,) = [
        record.asset_observation
        for record in daemon.instance.fetch_observations(dg.AssetKey(["landing", "followup"]), limit=10).records
        if record.asset_observation and "waiting" in record.asset_observation.metadata
    ][:1]
    return newest.metadata["waiting"].value


def test_nothing_is_requested_where_everything_is_up_to_date(daemon: Automation) -> None:
    assert daemon.landing_tick() == 0
    assert daemon.tick() == set()


def test_a_complete_drop_is_reported_once_and_an_incomplete_one_as_waiting(story: Story, daemon: Automation) -> None:
    wave_arrives(story)
    manifest = story.home.landing / "followup" / WAVE / "drop.json"
    kept = manifest.read_text()
    manifest.unlink()
    assert daemon.landing_tick() == 1  # that it waits
    assert daemon.landing_tick() == 0
    assert waiting(daemon) == 1
    assert daemon.tick() == set()
    manifest.write_text(kept)
    assert daemon.landing_tick() == 3  # that it landed, its version, and that nothing waits
    assert waiting(daemon) == 0
    assert daemon.landing_tick() == 0
    assert WAVE in daemon.instance.get_dynamic_partitions("wave")


def test_a_wave_is_requested_once_also_by_a_daemon_that_lost_its_cursor_while_it_runs(
    story: Story, daemon: Automation
) -> None:
    wave_arrives(story)
    daemon.landing_tick()
    wave = {(table, WAVE) for table in made_with(*WAVE_STAGES)}
    assert daemon.tick() == wave
    assert daemon.tick() == set()
    daemon.cursor = None
    run = daemon.instance.create_run_for_job(
        daemon.definitions.resolve_implicit_global_asset_job_def(),
        asset_selection=frozenset(dg.AssetKey(table) for table, _ in wave),
        tags={"dagster/partition": WAVE},
    )
    assert daemon.tick() == set()  # that run does it
    daemon.instance.report_run_failed(run)
    daemon.cursor = None
    assert daemon.tick() == wave


@pytest.mark.slow
def test_tick_by_tick_a_wave_becomes_a_release(story: Story, daemon: Automation) -> None:
    before = story.release()
    wave_arrives(story)
    daemon.landing_tick()
    asked = []
    while ask := daemon.tick():
        assert daemon.run(ask)
        asked.append(ask)
    assert asked == [
        {(table, WAVE) for table in made_with(*WAVE_STAGES)},
        {(table, "") for table in made_with("wave_drift", "pooled_models")},
        {(table, "") for table in made_with("release")},
    ]
    assert story.release() != before
    assert story.planned() == {}


def test_between_two_looks_at_the_home_the_end_of_a_run_or_a_landing_makes_it_look(
    story: Story, daemon: Automation, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    monkeypatch.setattr(module, "home_state", lambda *about: looks.append(1) or home_state(*about))

    def looked() -> int:
        before = len(looks)
        daemon.next_tick()
        return len(looks) - before

    daemon.landing_tick()
    daemon.tick()
    assert looked() == 0
    run = daemon.instance.create_run_for_job(daemon.definitions.resolve_implicit_global_asset_job_def())
    assert looked() == 1  # it was queued
    assert looked() == 0
    daemon.instance.report_run_failed(run)
    assert looked() == 1  # it has ended
    assert looked() == 0
    wave_arrives(story)
    daemon.landing_tick()
    assert looked() == 1
    now = module.time.monotonic()
    monkeypatch.setattr(module.time, "monotonic", lambda: now + module.LOOK_SECONDS)
    assert looked() == 1


def test_no_run_is_requested_while_a_refresh_is_running(story: Story, daemon: Automation) -> None:
    wave_arrives(story)
    daemon.landing_tick()
    holding = (
        "import sys; from pathlib import Path; from stegvis.storage.lock import locked\n"
        "with locked(Path(sys.argv[1]), 'refresh'): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", holding, str(story.home.refresh_lock)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as refresh:
        assert refresh.stdout
        assert refresh.stdout.readline() == "held\n"
        assert daemon.tick() == set()
        refresh.communicate("")
    assert daemon.tick() != set()


def test_what_fails_is_requested_again_at_growing_intervals_and_then_no_more(
    story: Story, daemon: Automation, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1e9]
    monkeypatch.setattr(module.time, "time", lambda: now[0])
    wave_arrives(story)
    daemon.landing_tick()
    asked_at = []
    for minute in range(0, 24 * 60, 1):
        now[0] = 1e9 + 60 * minute
        module._Tick._last = None
        if minute in (0, 1, 2, 5, 6, 35, 36, 120, 600) and daemon.tick():
            asked_at.append(minute)
    assert asked_at == [0, 1, 6, 36]
    story.drop("followup", f"{WAVE}.2", story.answers().iloc[1::2], "questionnaire.csv")
    assert ("followup_questionnaire", WAVE) in daemon.tick()


@pytest.mark.slow
def test_a_wave_that_failed_a_critical_check_is_not_requested_again_until_it_changes(
    story: Story, daemon: Automation
) -> None:
    stranger = story.answers().iloc[:30].assign(person=[f"nobody{n}" for n in range(30)])
    story.drop("followup", WAVE, stranger, "questionnaire.csv")
    daemon.landing_tick()
    assert not daemon.run(daemon.tick())
    daemon.cursor = None  # not even by a daemon that has lost its cursor
    assert daemon.tick() == set()
    story.drop("followup", f"{WAVE}.2", story.answers().iloc[::2], "questionnaire.csv")
    daemon.landing_tick()
    assert ("followup_questionnaire", WAVE) in daemon.tick()


@pytest.mark.slow
def test_the_ui_and_the_plan_call_the_same_stale_and_name_the_same_cause(
    story: Story, instance: dg.DagsterInstance, unused_port: Callable[[], int]
) -> None:
    daemon = Automation(story.home, instance)
    wave_arrives(story)
    row = story.baseline().iloc[[0]].assign(SmoStat_NT4BLQ1="3")
    story.drop("baseline", "2020-01", row, "participants.csv")
    daemon.landing_tick()
    planned = {(each.asset, each.partition): each for each in plan(home_state(story.home, instance))}
    shown = stale_in_the_ui(story.home, unused_port())
    # What only follows from something stale is not stale yet: the UI shows it when that has changed.
    own = {place for place, status in planned.items() if any(not r.startswith("follows") for r in status.reasons)}
    assert set(shown) == {(table, key) for stage, key in own for table in made_with(stage)}
    assert shown[("baseline_questionnaire", "")] == ["landing/baseline"]
    assert planned[("baseline_questionnaire", "")].reasons == ("delivery baseline/2020-01 is new",)
    assert {place for place, causes in shown.items() if not causes} == {
        (table, WAVE) for table in made_with(*WAVE_STAGES)
    }


@pytest.mark.slow
def test_a_process_killed_between_two_reports_of_a_landing_leaves_nothing_stale_in_the_ui(
    story: Story, instance: dg.DagsterInstance, unused_port: Callable[[], int]
) -> None:
    wave_arrives(story)
    assert story.refresh().ok
    story.drop("followup", f"{WAVE}.2", story.answers().iloc[1::2], "questionnaire.csv")
    (observed, _made) = landed(scan(story.home.landing, story.home.hash_cache), instance)
    instance.report_runless_asset_event(observed)
    assert story.refresh().ok
    assert stale_in_the_ui(story.home, unused_port()) == {}


def test_a_run_whose_process_was_killed_is_not_shown_as_running(story: Story, daemon: Automation) -> None:
    from stegvis.assets.table import PROCESS_TAG
    from stegvis.storage.process import this_process

    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        from stegvis.storage import process as processes

        name = processes.process_name(process.pid)
        assert name
        job = daemon.definitions.resolve_implicit_global_asset_job_def()
        gone, alive = (
            daemon.instance.create_run_for_job(job, tags={PROCESS_TAG: each}, status=dg.DagsterRunStatus.STARTED)
            for each in (name, this_process())
        )
        process.kill()
        process.wait()
    daemon.landing_tick()
    status = {run.run_id: run.status for run in daemon.instance.get_runs()}
    assert status[gone.run_id] == dg.DagsterRunStatus.FAILURE
    assert status[alive.run_id] == dg.DagsterRunStatus.STARTED


@pytest.mark.slow
def test_the_release_refuses_by_hand_what_a_refresh_would_not_publish(story: Story, daemon: Automation) -> None:
    """Whoever starts it: a new wave is not published while what its numbers are made from is out of date."""
    wave_arrives(story)
    daemon.landing_tick()
    assert daemon.run(daemon.tick())  # the wave's tables; the release is not due yet
    row = story.baseline().iloc[[1]].assign(SmoStat_NT4BLQ1="3")
    story.drop("baseline", "2020-01", row, "participants.csv")
    before = story.release()
    done = daemon.definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=daemon.instance,
        asset_selection=[dg.AssetKey(name) for name in ("release", "released_people")],
        raise_on_error=False,
    )
    (event,) = [each for each in done.all_events if each.is_step_failure]
    error = event.step_failure_data.error
    assert error is not None
    why = (error.cause or error).message
    assert "baseline_questionnaire is stale (delivery baseline/2020-01 is new): stegvis refresh makes it first" in why
    assert story.release() == before
