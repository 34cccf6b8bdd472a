"""What a refresh promises: only what is stale runs, and the result is what a full rebuild would give."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from stegvis import sql
from stegvis.assets.graph import tables
from stegvis.orchestration import definitions, home_state
from stegvis.study.protocol import read_protocol
from tests.oracle_flow import flow_from_deliveries
from tests.orchestration.story import WAVE_STAGES, Story, apart_from_published
from tests.study import PROTOCOL_FILE, home_with_study, use_protocol


def test_a_second_refresh_does_nothing(story: Story) -> None:
    before = story.release()
    assert story.made() == set()
    assert story.release() == before


def test_the_flow_agrees_with_an_independent_count(story: Story) -> None:
    expected = flow_from_deliveries(story.home.landing)["2021-2023"]
    attrition = story.table("select rule, remaining from attrition order by step").set_index("rule")["remaining"]
    assert attrition.to_list() == list(expected["counts"].values())
    analyzed = story.table("select * from analysis_set order by person").set_index("person")
    oracle = expected["analyzed"].sort_index()
    assert analyzed.index.to_list() == oracle.index.to_list()
    pd.testing.assert_series_equal(analyzed["walking_minutes"], oracle["volume"], check_names=False, check_index=False)
    pd.testing.assert_series_equal(analyzed["walking_met"], oracle["intensity"], check_names=False, check_index=False)
    assert int(analyzed["low_back_pain"].sum()) == expected["cases"]


@pytest.mark.slow
def test_a_new_wave_touches_only_its_own_assets_and_what_pools_waves(story: Story) -> None:
    story.drop("followup", "2024-2026", story.answers().iloc[::2], "questionnaire.csv")
    made = story.made()
    assert made == {(stage, "2024-2026") for stage in WAVE_STAGES} | {
        ("wave_drift", ""),
        ("pooled_models", ""),
        ("release", ""),
    }


@pytest.mark.slow
def test_a_new_batch_touches_its_own_days_and_what_follows(story: Story) -> None:
    story.drop("recordings", "2019-09", story.days().iloc[:20], "days.csv")
    made = story.made()
    batches = {(asset, key) for asset, key in made if key.startswith("2019-09")}
    assert batches == {
        ("epoch_classification", "2019-09"),
        ("daily_exposures", "2019-09"),
    }
    others = {asset for asset, key in made - batches}
    assert "followup_questionnaire" not in others
    assert "baseline_questionnaire" not in others


def test_identical_bytes_under_another_name_run_nothing(story: Story) -> None:
    for kind, name in (("followup", "2021-2023"), ("baseline", "2019-06")):
        shutil.copytree(story.home.landing / kind / name, story.home.landing / kind / f"{name}.again")
    assert story.made() == set()


@pytest.mark.slow
def test_a_correction_that_changes_nothing_of_the_outcome_stops_early(story: Story) -> None:
    """The corrected row belongs to somebody outside the cohort's analysis: later stages keep their content."""
    answers = story.answers()
    row = answers[answers["MSPaLY_NT4CovQ"] == "0"].iloc[[0]].assign(MSPaLeiLim_NT4CovQ="0")
    story.drop("followup", "2021-2023.2", row, "questionnaire.csv")
    made = {asset for asset, _ in story.made()}
    assert "followup_questionnaire" in made
    assert "fitted_models" not in made


@pytest.mark.slow
def test_a_correction_of_the_baseline_replaces_the_row(story: Story) -> None:
    first = story.baseline().iloc[[0]]
    story.drop("baseline", "2020-01", first.assign(PartAg_NT4BLM="71.5"), "participants.csv")
    story.refresh()
    person = first["person"].item()
    found = story.table(f"select age, count(*) over () as rows from cohort where person = '{person}'")
    assert found["age"].to_list() == [71.5]


@pytest.mark.slow
def test_editing_a_comment_runs_nothing_but_editing_the_logic_does(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = tmp_path / "sql"
    shutil.copytree(sql.SQL, copied)
    monkeypatch.setattr(sql, "SQL", copied)
    file = copied / "walking_exposures.sql"
    file.write_text("-- another comment\n" + file.read_text().replace("\n", "\n\n"))
    assert story.planned() == {}
    file.write_text(file.read_text().replace("/ 60 as walking_minutes", "/ 60.0 + 0.5 as walking_minutes"))
    planned = story.planned()
    assert planned["walking_exposures"] == ("sql/walking_exposures.sql changed",)
    assert "daily_exposures [2019-02]" not in planned
    made = {asset for asset, _ in story.made()}
    assert {"walking_exposures", "exclusions", "analysis_set", "fitted_models", "report", "release"} <= made
    assert made.isdisjoint({"cohort", "daily_exposures", "epoch_classification", "recordings"})


def test_a_changed_protocol_value_is_named_and_touches_only_those_who_read_it(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tmp_path / "protocol.toml"
    changed.write_text(PROTOCOL_FILE.read_text().replace("depression = 7", "depression = 8"))
    use_protocol(monkeypatch, read_protocol(changed))
    planned = story.planned()
    assert 'protocol covariates.cuts changed from {"depression": 7.0} to {"depression": 8.0}' in planned["cohort"]
    assert "walking_exposures" not in planned


@pytest.mark.slow
def test_withdrawn_people_are_gone_from_every_table_file_and_later_release(story: Story) -> None:
    person = story.table("select person from analysis_set order by person limit 1")["person"].item()
    story.withdraw("2025-01", [person])
    done = story.refresh()
    assert done.ok
    for name, frame in story.tables().items():
        if name != "withdrawals" and "person" in frame:
            assert person not in set(frame["person"]), name
    for released in story.release().rglob("*"):
        if released.is_file():
            assert person.encode() not in released.read_bytes(), released.name


@pytest.mark.slow
def test_a_correction_moves_no_published_number_and_the_memory_of_a_release_forgets_who_withdraws(story: Story) -> None:
    first, steps = story.release(), "select * from published_attrition order by step"
    computed = story.table(steps)
    story.give_pain("2021-2023.2", every=5)
    assert story.refresh().ok
    assert story.release() == first
    pd.testing.assert_frame_equal(story.table(steps), computed, check_exact=True)  # with its types
    analyzed = sorted(story.table("select person from analysis_set")["person"])
    kept = story.table("select person from released_people where reason is null order by person")["person"]
    assert set(analyzed) <= set(kept)

    gone = analyzed[0]
    story.withdraw("2025-01", [gone])
    with pytest.MonkeyPatch.context() as patch:
        # Nothing after the withdrawals runs: every table has forgotten the person all the same.
        patch.setattr(home_state, "tables", lambda: {"withdrawals": tables()["withdrawals"]})
        story.refresh()
    assert gone not in set(story.table("select person from analysis_set")["person"])
    assert gone not in set(story.table("select person from released_people")["person"])


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_refreshing_step_by_step_ends_in_the_tables_of_a_full_rebuild(story: Story, tmp_path: Path) -> None:
    story.drop("followup", "2024-2026", story.answers().iloc[::2], "questionnaire.csv")
    story.refresh()
    story.drop("recordings", "2019-09", story.days().iloc[5:25], "days.csv")
    story.refresh()
    corrected = story.baseline().iloc[3:6].assign(SmoStat_NT4BLQ1="3")
    story.drop("baseline", "2020-01", corrected, "participants.csv")
    story.refresh()
    rebuilt = Story(home_with_study(tmp_path / "rebuilt", story.home.landing))
    done = rebuilt.refresh()
    assert done.ok, (done.failed, done.blocked)
    step_by_step, at_once = (apart_from_published(each.tables()) for each in (story, rebuilt))
    assert step_by_step.keys() == at_once.keys()
    for name in at_once:
        pd.testing.assert_frame_equal(step_by_step[name], at_once[name], obj=name)


def test_a_release_is_whole_hashed_and_marked_as_synthetic(story: Story) -> None:
    folder = story.release()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["synthetic"] is True
    listed = {file: folder / file for file in manifest["files"]}
    for name in ("results.csv", "results.parquet", "attrition.csv", "characteristics.csv", "checks.json",
                 "claims.json", "bridge.json", "disclosure.json", "results.schema.json", "datapackage.json",
                 "CITATION.cff", "report/index.html", "report/wave-2021-2023.html",
                 "report/checklists.html"):  # fmt: skip
        assert name in listed
    for file, path in listed.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == manifest["files"][file]
    assert "Synthetic data" in (folder / "report" / "index.html").read_text()


def test_no_person_is_in_the_release_or_in_dagsters_storage(story: Story) -> None:
    people = [p.encode() for p in story.table("select person from cohort")["person"]]
    for folder in (story.release(), story.home.dagster):
        for file in folder.rglob("*"):
            if file.is_file():
                content = file.read_bytes()
                assert not any(person in content for person in people), file.name


def test_definitions_load_and_name_every_stage(story: Story) -> None:
    import dagster as dg

    from stegvis.assets.graph import TABLES
    from stegvis.storage.landing import KINDS

    defs = definitions.build_definitions(story.home)
    dg.Definitions.validate_loadable(defs)
    graph = defs.resolve_asset_graph()
    assert {key.to_user_string() for key in graph.materializable_asset_keys} == set(TABLES)
    assert {key.to_user_string() for key in graph.external_asset_keys} == {f"landing/{kind}" for kind in KINDS}
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.description
        assert node.kinds
        assert node.check_keys, f"{key.to_user_string()} has no check"


@pytest.mark.slow
def test_a_killed_refresh_is_finished_by_the_next_and_leaves_no_run_going(story: Story) -> None:
    import signal
    import subprocess
    import sys
    import time

    import dagster as dg

    from stegvis.orchestration.instance import open_instance

    story.drop("followup", "2024-2026", story.answers().iloc[::2], "questionnaire.csv")
    process = subprocess.Popen(
        [sys.executable, "-m", "stegvis.orchestration", "refresh", "--home", str(story.home.root)],
        cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    going = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
    with open_instance(story.home) as instance:
        while not instance.get_runs(going):
            assert process.poll() is None, "the refresh ended before it could be killed"
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert instance.get_runs(going)
    assert story.refresh().ok
    assert story.made() == set()
    with open_instance(story.home) as instance:
        assert not instance.get_runs(going)
