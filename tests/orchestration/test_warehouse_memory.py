"""The warehouse is the memory: whatever happens to it, to the lake or to Dagster's event log is planned correctly."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from stegvis.orchestration.instance import open_instance
from stegvis.orchestration.mirror import report_missing
from stegvis.orchestration.refresh import refresh
from stegvis.storage.home import Home
from stegvis.storage.warehouse import Warehouse
from stegvis.twin import write_twin
from tests.orchestration.dagster_view import stale_in_the_ui
from tests.orchestration.story import Story, apart_from_published
from tests.study import CODEBOOK, PROTOCOL, home_with_study

BATCH = "epochs"


def test_a_lost_event_log_makes_nothing_stale(story: Story) -> None:
    shutil.rmtree(story.home.dagster)
    assert story.steps() == []
    assert story.made() == set()


@pytest.mark.slow
def test_a_deleted_warehouse_is_built_again_with_the_same_tables(story: Story) -> None:
    before = apart_from_published(story.tables())
    story.home.warehouse.unlink()
    assert {step.state for step in story.steps()} <= {"never built", "missing upstream"}
    assert story.refresh().ok
    after = apart_from_published(story.tables())
    assert before.keys() == after.keys()
    for name, frame in before.items():
        if name != "materializations":
            pd.testing.assert_frame_equal(after[name], frame)


@pytest.mark.slow
def test_a_warehouse_restored_from_before_a_delivery_lacks_that_delivery(story: Story, tmp_path: Path) -> None:
    copy = tmp_path / "yesterday.duckdb"
    shutil.copy(story.home.warehouse, copy)
    story.drop("followup", "2024-2026", story.answers().iloc[1:], "questionnaire.csv")
    made = story.made()
    assert ("followup_questionnaire", "2024-2026") in made
    shutil.copy(copy, story.home.warehouse)
    planned = set(story.planned())
    assert {"followup_questionnaire [2024-2026]", "report [2024-2026]", "release"} <= planned
    assert not any("2021-2023" in label for label in planned)


def test_a_table_dropped_by_hand_is_built_again(story: Story) -> None:
    from stegvis.storage.warehouse import Warehouse

    with Warehouse(story.home).session("test") as connection:
        connection.execute("drop table walking_exposures")
    assert ("walking_exposures", "") in story.made()
    assert story.steps() == []


@pytest.mark.slow
def test_a_table_published_with_another_and_dropped_by_hand_is_built_again(story: Story) -> None:
    from stegvis.storage.warehouse import Warehouse

    with Warehouse(story.home).session("test") as connection:
        connection.execute("drop table delivered_days")
    planned = story.planned()
    causes = {label for label, reasons in planned.items() if "follows" not in str(reasons)}
    assert causes == {label for label in planned if label.startswith("epoch_classification [")}
    assert planned[min(causes)] == ("the table delivered_days is gone from the warehouse",)
    assert {asset for asset, _ in story.made()} == {"epoch_classification"}  # the rest did not change
    assert story.steps() == []


@pytest.mark.slow
def test_a_table_emptied_by_hand_is_made_again(story: Story) -> None:
    from stegvis.storage.warehouse import Warehouse

    with Warehouse(story.home).session("test") as connection:
        connection.execute("delete from cohort")
    assert story.planned()["cohort"] == ("the table cohort is empty in the warehouse instead of having 400 rows",)
    assert story.made() == {("cohort", "")}


@pytest.mark.slow
def test_a_lost_event_log_is_filled_again_from_the_records(story: Story) -> None:
    shutil.rmtree(story.home.dagster)
    story.refresh()
    wave, batches = "2021-2023", {"2018-02", "2018-09", "2019-02"}
    with open_instance(story.home) as instance:
        assert set(instance.get_dynamic_partitions("batch")) >= batches
        for table, partition in (("cohort", None), ("report", wave), *(("daily_exposures", each) for each in batches)):
            record = instance.get_latest_data_version_record(dg.AssetKey(table), partition_key=partition)
            assert record
            assert record.asset_materialization
            versions = story.table("select table_name, partition, data_version from materializations")
            row = versions[(versions["table_name"] == table) & (versions["partition"] == (partition or ""))]
            assert (record.asset_materialization.tags or {})["dagster/data_version"] == row["data_version"].item()
        checks = instance.event_log_storage.get_latest_asset_check_execution_by_key(
            [dg.AssetCheckKey(dg.AssetKey("cohort"), name) for name in ("keys", "valid")]
        )
        assert {check.status.value for check in checks.values()} == {"SUCCEEDED"}
        assert report_missing(story.home, instance) == 0
        instance.wipe_assets([dg.AssetKey("cohort")])
        assert report_missing(story.home, instance) == 1
        assert report_missing(story.home, instance) == 0


def test_rows_that_were_published_again_by_a_killed_run_are_reported(story: Story) -> None:
    """Equal rows, made from newer tables: without their event Dagster would call them stale."""
    with Warehouse(story.home).session("test") as connection:
        connection.execute("update materializations set run_id = 'killed' where table_name = 'exclusions'")
    with open_instance(story.home) as instance:
        assert report_missing(story.home, instance) == 1
        assert report_missing(story.home, instance) == 0


@pytest.mark.slow
def test_reported_publications_stay_fresh_when_equal_rows_are_published_above_them(
    story: Story, unused_port: Callable[[], int]
) -> None:
    shutil.rmtree(story.home.dagster)
    story.refresh()
    with Warehouse(story.home).session("test") as connection:
        connection.execute("update materializations set run_id = 'killed' where table_name = 'epoch_classification'")
    with open_instance(story.home) as instance:
        assert report_missing(story.home, instance) == 3
    assert not stale_in_the_ui(story.home, unused_port())


@pytest.mark.slow
def test_a_reported_publication_made_from_other_rows_is_stale_in_the_ui(
    story: Story, unused_port: Callable[[], int]
) -> None:
    with Warehouse(story.home).session("test") as connection:
        connection.execute(
            """
            update materializations
            set run_id = 'killed', made_from = replace(materializations.made_from::varchar, upstream.data_version, 'x')
            from materializations upstream
            where materializations.table_name = 'exclusions' and upstream.table_name = 'cohort'
            """
        )
    with open_instance(story.home) as instance:
        assert report_missing(story.home, instance) == 1
    assert stale_in_the_ui(story.home, unused_port()) == {("exclusions", "2021-2023"): ["cohort"]}


@pytest.fixture(scope="module")
def built_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nobody has answered yet: days are made of the epochs, and nothing is estimated."""
    root = tmp_path_factory.mktemp("lake") / "home"
    write_twin(root / "landing", PROTOCOL, CODEBOOK, people=60, waves=0, epochs=3, seed=3)
    refresh(home_with_study(root))
    return root


@pytest.fixture
def lake(built_lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    """A home with epochs in its lake."""
    monkeypatch.delenv("STEGVIS_LANDING", raising=False)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    root = tmp_path / "home"
    shutil.copytree(built_lake, root, symlinks=True)
    return Story(Home(root, root / "landing"))


def shards(story: Story) -> list[Path]:
    return sorted(story.home.lake.glob("epochs/**/*.parquet"))


def stale(story: Story) -> list[str]:
    """What would be made now, apart from what waits for a first wave."""
    return [step.label for step in story.steps() if step.state != "missing upstream"]


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def alter(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(bytes(content))


@pytest.mark.parametrize("harm", [Path.unlink, cut, alter], ids=["deleted", "cut", "altered"])
def test_a_damaged_shard_makes_its_batch_stale_and_is_made_again(lake: Story, harm) -> None:
    (shard,) = shards(lake)
    content = shard.read_bytes()
    harm(shard)
    planned = lake.planned()
    assert planned[f"epoch_classification [{BATCH}]"][0] == "1 of its files in the lake are gone or damaged"
    assert ("epoch_classification", BATCH) in lake.made()
    assert shards(lake) == [shard]
    assert shard.read_bytes() == content
    assert stale(lake) == []


def test_an_untouched_copy_of_the_lake_makes_nothing_stale(lake: Story) -> None:
    """A restored file has another time of change and the same content."""
    for shard in shards(lake):
        shard.write_bytes(shard.read_bytes())
    assert stale(lake) == []
