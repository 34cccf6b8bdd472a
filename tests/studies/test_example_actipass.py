"""The second study from delivery to a verified release: nothing of the first one is needed, or said."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from stegvis.orchestration.cli import app
from stegvis.orchestration.verify import verify
from stegvis.storage.home import Home
from stegvis.study.study import Study
from tests.orchestration.story import Story

ROOT = Path(__file__).parents[2]

NAME = "example_actipass"
COVARIATES = ["age", "sex", "education", "work", "smoking", "depression"]


def test_its_covariates_are_its_own() -> None:
    study = Study.shipped(NAME)
    assert list(study.protocol.models.adjusted) == COVARIATES
    assert not study.claims.claim
    assert study.published.numbers is None


@pytest.mark.slow
def test_another_cohort_is_another_folder(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", tmp_path / "home" / "landing")
    page = (ROOT / "docs" / "study.md").read_text(encoding="utf-8")
    block = page.split("## Your own cohort")[1].split("```sh")[1].split("```")[0]
    for line in filter(None, block.splitlines()):
        words = shlex.split(line.replace("HOME", str(home.root)).replace("1500", "800"), comments=True)
        done = CliRunner().invoke(app, words[1:])
        assert done.exit_code == 0, done.output
    story = Story(home)
    people = story.table("select * from analysis_set")
    assert set(people["wave"]) == {"2015-2017", "2018-2020"}
    assert set(people["education"]) == {"compulsory", "secondary", "tertiary"}
    assert people["walking_met"].dropna().between(2.8, 3.8).all(), "slow and fast walking only"
    assert people["low_back_pain_as_published"].equals(people["low_back_pain_strict"]), "one question has one answer"
    assert people["severe_low_back_pain_strict"].isna().all(), "severity is not asked"
    release = story.release()
    assert verify(release).problems == []
    results = pd.read_csv(release / "results.csv", keep_default_na=False)
    main = results[(results["analysis"] == "main") & (results["wave"] == "2015-2017") & (results["measure"] == "rr")]
    assert main.groupby("exposure").size().to_dict() == {"walking_minutes": 2 * 3, "walking_met": 2 * 2}
    fixed = results[results["analysis"] == "fixed_cuts"]
    assert set(fixed["exposure"]) == {"walking_minutes"}, "intensity has no published bounds"
    assert {"<80", "80-109", ">=110"} <= set(fixed["level"])
    assert (main["status"] == "ok").any()
    assert {"sensitivity:valid_days", "sensitivity:bmi", "outcome:work_limited"} <= set(results["analysis"])
    assert not results["analysis"].str.contains("good_health|running_cycling|severe").any()
    table = pd.read_csv(release / "characteristics.csv")
    shown = set(table["variable"])
    assert {"education", "work", "smoking", "depression", "bmi"} <= shown
    assert not shown & {"income", "employment", "self_rated_health", "work_type"}
    assert json.loads((release / "protocol.json").read_text())["models"]["adjusted"] == COVARIATES
    commands = pd.read_csv(release / "commands.csv").fillna("")
    assert not commands["r"].str.contains("income").any()
    assert commands["stata"].str.contains("i.work ").any()
    pages = {page: page.read_text(encoding="utf-8") for page in (release / "report").rglob("*.html")}
    assert pages
    text = "".join(pages.values())
    assert "Thirds by walking volume and halves by walking intensity of the analyzed sample" in text
    assert "divided into three groups of about equal size by how much they walked, and into two by how fast" in text
    for page, html in pages.items():
        for false in (
            "four groups",
            "quarter",
            "HUNT",
            "Norway",
            "Trøndelag",
            "HADS",
            "income",
            "inntekt",
            "two sensors",
            "to små sensorer",
            "Haddadj",
        ):
            assert false not in html, f"{page.name} says {false}"
