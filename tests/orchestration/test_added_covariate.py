"""Covariates and outcomes are added in the codebook of a home, analyses in its protocol: to a verified release."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stegvis.orchestration.verify import verify
from tests.orchestration.story import WAVE_STAGES, Story
from tests.study import home_with_study

ROOT = Path(__file__).parents[2]

# The examples of docs/study.md, as they stand there.
WRITTEN = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "study.md").read_text(encoding="utf-8"), re.DOTALL)
ALCOHOL, LIMITED, NEVER_SMOKED = WRITTEN[-3:]
EXERCISE = 'exercise_frequency = { source = ["ExeF_NT4BLQ1"], type = "code", '


ANALYSES = (
    f"{NEVER_SMOKED}\n"
    + """
[[sensitivity]]
name = "alcohol"
population = "alcohol known"
where = [{ column = "alcohol", known = true }]
add = ["alcohol"]
"""
)


def add_outcome_and_analyses(story: Story) -> None:
    """Another outcome in the codebook, and two sensitivity analyses in the protocol."""
    for name, more in (("codebook.toml", LIMITED), ("protocol.toml", ANALYSES)):
        file = story.home.study / name
        file.write_text("\n".join([file.read_text(encoding="utf-8"), more]), encoding="utf-8")


def add_covariates(story: Story) -> None:
    """One new column and one that is there already become covariates."""
    file = story.home.study / "codebook.toml"
    text = file.read_text(encoding="utf-8")
    text = text.replace(EXERCISE, ALCOHOL + EXERCISE + 'covariate = { label = "Exercise", label_nb = "Mosjon" }, ', 1)
    file.write_text(text, encoding="utf-8")


def deliver_alcohol(story: Story) -> None:
    rng = np.random.default_rng(1)
    for number, file in enumerate(sorted((story.home.landing / "baseline").glob("*/participants.csv"))):
        people = pd.read_csv(file, dtype=str)
        drinks = people.assign(Alc_NT4BLQ1=rng.integers(0, 20, len(people)).astype(str))
        story.drop("baseline", f"2099-{number:02}", drinks, "participants.csv")


@pytest.mark.slow
def test_a_covariate_of_the_codebook_is_in_every_model_table_and_sentence(story: Story, tmp_path: Path) -> None:
    # A wave is published once, so the covariates come before its first release.
    home = home_with_study(tmp_path / "new")
    shutil.copytree(story.home.landing, home.landing)
    story = Story(home)
    deliver_alcohol(story)
    add_covariates(story)
    add_outcome_and_analyses(story)
    done = story.refresh()
    assert done.ok, done.failed
    people = story.table("select * from analysis_set")
    assert people["alcohol"].between(0, 19).all()
    assert people["exercise_frequency"].notna().all()
    reasons = story.table(
        "select reason from exclusions join cohort using (person) where exercise_frequency is null and reason is null"
    )
    assert len(reasons) == 0
    assert story.table("select person from cohort where exercise_frequency is null")["person"].size > 0
    release = story.release()
    assert verify(release).problems == []
    adjusted = json.loads((release / "protocol.json").read_text())["models"]["adjusted"]
    assert adjusted[-2:] == ["alcohol", "exercise_frequency"]
    assert {"alcohol", "exercise_frequency"} <= set(pd.read_csv(release / "characteristics.csv")["variable"])
    results = pd.read_csv(release / "results.csv", keep_default_na=False)
    other = results[(results["analysis"] == "outcome:limited") & (results["measure"] == "rr")]
    assert len(other) == 16
    assert (other["population"] == "outcome known").all()
    assert len(results[results["analysis"] == "sensitivity:never_smoked"]) == 20
    # Alcohol is in the models already, and known of everyone: that is no robustness.
    same = results[results["analysis"] == "sensitivity:alcohol"]
    assert (same["status"] != "ok").all()
    assert same["note"].str.contains("same as main").any()
    commands = pd.read_csv(release / "commands.csv").fillna("")
    main = commands[(commands["analysis"] == "main") & (commands["measure"] == "rr")]
    # Four categories of two exposures; in R the reference is the number 1.
    for model, expected in (("age", (0, 0)), ("adjusted", (6, 8))):
        own = main[main["model"] == model]
        assert tuple(own[program].str.contains("alcohol").sum() for program in ("r", "stata")) == expected
    own = commands[commands["analysis"] == "outcome:limited"]
    assert set(own.loc[~own["r"].str.contains("outcome_limited"), "r"]) == {"1"}, "the reference"
    assert own["stata"].str.contains("poisson outcome_limited .* if !missing\\(outcome_limited\\)").all()
    never = commands[commands["analysis"] == "sensitivity:never_smoked"]
    assert never["stata"].str.contains('smoking == "never":smoking_codes & age < 80', regex=False).all()
    pages = {file.name: file.read_text(encoding="utf-8") for file in (release / "report").glob("*.html")}
    assert "smoking, depression, alcohol and exercise" in pages["wave-2021-2023-methods.html"]
    assert "smoking, depression, alcohol and exercise into account" in pages["plain.html"]
    assert "depresjon, alkohol og mosjon" in pages["plain.nb.html"]
    assert "covariates.additional.alcohol.en" in pages["index.html"]


def test_adding_a_covariate_makes_stale_what_uses_covariates(story: Story) -> None:
    add_covariates(story)
    stale = {step.asset for step in story.steps()}
    assert {"cohort", "exclusions", "risk_ratios", "characteristics", "release"} <= stale
    assert not stale & {"daily_exposures", "walking_exposures", "epoch_classification", "withdrawals"}
    # Deaths are compared with the date of the baseline.
    of_all_waves = {"baseline_questionnaire", "vital_status", "cohort", "wave_drift", "pooled_models", "release"}
    assert stale - WAVE_STAGES <= of_all_waves
