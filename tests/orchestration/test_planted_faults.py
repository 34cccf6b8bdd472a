"""A twin with planted faults goes through the whole pipeline: each is found where it stands, nothing else blamed."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from stegvis.assets.graph import TABLES
from stegvis.orchestration.check_results import failing_checks
from stegvis.orchestration.refresh import Refresh, refresh
from stegvis.storage.home import Home
from stegvis.twin import write_twin
from tests.orchestration.conftest import PEOPLE
from tests.orchestration.story import Story
from tests.study import CODEBOOK, PROTOCOL, home_with_study

pytestmark = pytest.mark.slow

WAVE = "2021-2023"
# The asset that reads each kind of delivery.
READER = {
    "baseline": "baseline_questionnaire",
    "followup": "followup_questionnaire",
    "recordings": "epoch_classification",
}
# Found by a check that counts rows and shows none: the asset it belongs to, and its column, which is the fault's rule.
BY_CHECK = {"box_against_screen": "cohort", "in_cohort": "outcome_questionnaire"}
# With one of these, nothing of the delivery can be published.
REFUSING = {"missing_column", "empty", "unreadable", "in_cohort"}

Found = tuple[str, str, int | None, str]  # delivery, file, row, rule


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Story, Refresh, list[dict]]:
    """The good twin of ``built_home`` with faults, refreshed from nothing; what the refresh did; the faults."""
    root = tmp_path_factory.mktemp("faulty") / "home"
    home = home_with_study(root)
    write_twin(home.landing, PROTOCOL, CODEBOOK, people=PEOPLE, waves=1, seed=3, faults=True)
    return Story(home), refresh(home), json.loads((home.landing / "truth.json").read_text())["faults"]


@pytest.fixture(scope="module")
def good(built_home: Path) -> Story:
    """The same twin without faults."""
    return Story(Home(built_home, built_home / "landing"))


def place(fault: dict) -> tuple[str, str]:
    """The asset and partition a fault shows in."""
    kind, name = fault["delivery"].split("/")
    partition = {"baseline": "", "followup": name.split(".")[0], "recordings": name}[kind]
    return BY_CHECK.get(fault["rule"], READER[kind]), partition


def quarantined_rows(story: Story) -> list[Found]:
    kinds = {asset: kind for kind, asset in READER.items()}
    rows = story.table('select asset, file, "row", rule from quarantine')
    return [
        (f"{kinds[asset]}/{file.split('/')[0]}", file.split("/")[1], None if pd.isna(row) else int(row), rule)
        for asset, file, row, rule in rows.itertuples(index=False)
    ]


def unused_drops(done: Refresh) -> list[Found]:
    return [
        (f"{unused.kind}/{unused.name}", issue.file, None, issue.rule)
        for unused in [*done.landing.waiting, *done.landing.rejected, *done.landing.repeated]
        for issue in unused.issues
    ]


def test_every_fault_of_a_delivery_is_found_with_file_row_and_rule_and_no_other(faulty) -> None:
    story, done, faults = faulty
    listed = Counter((f["delivery"], f["file"], f["row"], f["rule"]) for f in faults if f["rule"] not in BY_CHECK)
    assert Counter(quarantined_rows(story) + unused_drops(done)) == listed
    assert len(faults) == 17


def test_an_incomplete_drop_waits_and_a_damaged_one_is_rejected(faulty) -> None:
    _, done, faults = faulty
    drops = {f["fault"]: f["delivery"] for f in faults}
    assert [f"{w.kind}/{w.name}" for w in done.landing.waiting] == [drops["no_drop_json"]]
    assert [f"{r.kind}/{r.name}" for r in done.landing.rejected] == [drops["hash_does_not_match"]]


@pytest.mark.parametrize("rule", BY_CHECK)
def test_what_breaks_no_contract_is_counted_by_a_check(faulty, good: Story, rule: str) -> None:
    story, _, faults = faulty
    (fault,) = [f for f in faults if f["rule"] == rule]
    asset, partition = place(fault)
    query = f"""
        select coalesce(sum(failing), 0)::integer as failing from checks
        where asset = '{asset}' and partition = '{partition}' and column_name = '{rule}'
            and "rule" = 'expect_column_values_to_be_in_set'
    """
    delivered = 1 if fault["row"] else len(pd.read_csv(story.home.landing / fault["delivery"] / fault["file"]))
    assert story.table(query)["failing"].item() == good.table(query)["failing"].item() + delivered


def test_exactly_the_faulty_partitions_are_held(faulty) -> None:
    story, done, faults = faulty
    expected = {place(f) for f in faults if f["rule"] in REFUSING}
    assert {(step.asset, step.partition) for step in done.blocked} == expected
    assert {(asset, partition) for asset, partition, _ in done.failed} == expected
    critical = [check for check in failing_checks(story.home) if check["severity"] == "critical"]
    assert {(TABLES[check["asset"]].name, check["partition"]) for check in critical} == expected
    assert {step.partition for step in done.missing_upstream} == {partition for _, partition in expected}


def test_no_check_fails_that_does_not_fail_without_the_faults(faulty, good: Story) -> None:
    story, _, faults = faulty
    places = {place(f) for f in faults} | {
        (READER[kind], name) for kind, name in (f["delivery"].split("/") for f in faults)
    }

    def elsewhere(home: Home) -> set[tuple]:
        return {
            (c["asset"], c["partition"], c["severity"], c["meaning"], c["failing"], c["total"])
            for c in failing_checks(home)
            if (TABLES[c["asset"]].name, c["partition"]) not in places
        }

    assert elsewhere(story.home) == elsewhere(good.home)


def test_estimates_of_the_good_wave_are_those_of_the_twin_without_faults(faulty, good: Story) -> None:
    story, _, _ = faulty
    for file in ("results.csv", "attrition.csv", "characteristics.csv"):
        with_faults, without = (pd.read_csv(s.release() / file) for s in (story, good))
        pd.testing.assert_frame_equal(with_faults, without, obj=file)
    assert set(pd.read_csv(story.release() / "results.csv")["wave"]) >= {WAVE}
    analyzed = "select * from analysis_set order by person"
    pd.testing.assert_frame_equal(story.table(analyzed), good.table(analyzed))
