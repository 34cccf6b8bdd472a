"""From a number of a release back to the SQL, the protocol values, the deliveries' hashes and the run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from typer.testing import CliRunner

from stegvis.orchestration.cli import app
from stegvis.orchestration.instance import open_instance
from stegvis.orchestration.trace import TraceError, trace
from stegvis.storage.home_key import keyed_hash
from stegvis.storage.landing import scan
from tests.orchestration.story import Story


def test_a_number_leads_to_its_run_its_select_its_protocol_value_and_its_deliveries(story: Story) -> None:
    wanted = {"analysis": "main", "model": "adjusted", "exposure": "walking_minutes", "measure": "rr"}
    found = trace(story.release(), wanted)
    results = pd.read_csv(story.release() / "results.csv", dtype=str, keep_default_na=False)
    for name, value in wanted.items():
        results = results[results[name] == value]
    assert found["rows"] == results.to_dict("records")
    stages = {(each["asset"], each["partition"]): each for each in found["stages"]}
    assert next(iter(stages)) == ("risk_ratios", "2021-2023")
    cohort = stages[("cohort", "")]
    assert cohort["method"]["protocol covariates.cuts"] == '{"depression": 7.0}'
    assert "sql/cohort.sql" in cohort["method"]
    assert "from outcome_answers" in found["sql"]["sql/cohort.sql"]
    (drop,) = (d for d in scan(story.home.landing, None).accepted if d.kind == "followup")
    assert stages[("followup_questionnaire", "2021-2023")]["made_from"] == {
        "delivery followup/2021-2023": keyed_hash(story.home.root, "lineage", drop.digest),
        "withdrawals": stages[("withdrawals", "")]["data_version"],
    }
    with open_instance(story.home) as instance:
        for (asset, key), stage in stages.items():
            run = instance.get_run_by_id(stage["run"])
            assert run
            assert dg.AssetKey(asset) in run.asset_selection
            assert run.tags.get("dagster/partition", "") == key
    assert not {"claims", "report", "release", "characteristics"} & {asset for asset, _ in stages}


def test_the_command_prints_the_chain_and_gives_it_as_json(story: Story) -> None:
    chosen = [str(story.release()), "--analysis", "main", "--wave", "2021-2023"]
    shown = CliRunner().invoke(app, ["trace", *chosen])
    assert shown.exit_code == 0
    assert "delivery baseline/2019-06: " in shown.output
    as_json = CliRunner().invoke(app, ["trace", *chosen, "--json"])
    assert json.loads(as_json.stdout)["stages"]


def test_what_cannot_be_traced_says_why(story: Story, tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"it has no lineage\.json"):
        trace(tmp_path, {})
    with pytest.raises(TraceError, match="no row of results"):
        trace(story.release(), {"analysis": "wishful"})
    assert CliRunner().invoke(app, ["trace", str(tmp_path)]).exit_code == 2


def test_lineage_names_no_participant(story: Story) -> None:
    content = (story.release() / "lineage.json").read_bytes()
    assert not any(person.encode() in content for person in story.table("select person from cohort")["person"])
    manifest = json.loads((story.release() / "manifest.json").read_text())
    assert manifest["files"]["lineage.json"] == hashlib.sha256(content).hexdigest()
