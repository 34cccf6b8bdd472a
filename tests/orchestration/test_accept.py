"""A new wave or batch far from what is expected waits until a named person accepts it."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from stegvis.orchestration.accept import accept_partition
from stegvis.storage.acceptance import AcceptError
from tests.orchestration.story import Story

WAVE = "2033"


def _blanked(answers: pd.DataFrame, of_ten: int) -> pd.DataFrame:
    """Of ten answers so many without a pain screen."""
    blank = [place % 10 < of_ten for place in range(len(answers))]
    return answers.assign(MSPaLY_NT4CovQ=answers["MSPaLY_NT4CovQ"].mask(blank))


def _released_waves(story: Story) -> set[str]:
    return set(pd.read_csv(story.release() / "results.csv", dtype=str)["wave"])


@pytest.mark.slow
def test_a_wave_with_most_answers_missing_waits_until_it_is_accepted(story: Story) -> None:
    story.drop("followup", WAVE, _blanked(story.answers(), 6), "questionnaire.csv")
    done = story.refresh()
    assert not done.ok
    (blocked,) = done.blocked
    assert blocked.label == f"outcome_questionnaire [{WAVE}]"
    (missing, cure) = blocked.reasons
    assert missing.startswith("the share of responses without a pain screen is 6")
    assert ", expected 0.0% to " in missing
    assert f"stegvis accept wave {WAVE} --by NAME --because TEXT" in cure
    assert any(missing in why for _, _, why in done.failed)
    assert WAVE not in _released_waves(story)
    assert not story.refresh().ok

    with pytest.raises(AcceptError, match="does not wait"):
        accept_partition(story.home, "wave", "2021-2023", "A Reviewer", "seen")
    with pytest.raises(AcceptError, match="neither may be blank"):
        accept_partition(story.home, "wave", WAVE, " ", "seen")
    assert accept_partition(story.home, "wave", WAVE, "A Reviewer", "a short form was sent") == [missing]
    assert story.refresh().ok
    assert WAVE in _released_waves(story)
    manifest = json.loads((story.release() / "manifest.json").read_text())
    assert manifest["accepted"] == [f"wave {WAVE}"]
    texts = [file.read_text(errors="replace") for file in story.release().rglob("*") if file.is_file()]
    assert not any("A Reviewer" in text or "short form" in text for text in texts)


@pytest.mark.slow
def test_only_what_was_seen_is_accepted(story: Story) -> None:
    story.drop("followup", WAVE, _blanked(story.answers(), 5), "questionnaire.csv")
    story.refresh()
    accept_partition(story.home, "wave", WAVE, "A Reviewer", "a short form was sent")
    assert story.refresh().ok
    worse = story.drop("followup", f"{WAVE}.2", _blanked(story.answers(), 9), "questionnaire.csv")
    assert [each.asset for each in story.refresh().blocked] == ["outcome_questionnaire"]
    assert worse.exists()
    better = _blanked(story.answers(), 4).iloc[1:]
    story.drop("followup", f"{WAVE}.3", better, "questionnaire.csv", replaces=f"{WAVE}.2")
    assert story.refresh().ok


@pytest.mark.slow
def test_a_batch_with_exchanged_activities_waits_and_the_others_do_not(story: Story) -> None:
    exchanged = {
        name: name.replace("Sit", "Walk") if name.startswith("Sit") else name.replace("WalkT", "SitT")
        for name in story.days().columns
        if name.startswith(("SitT", "WalkT"))
    }
    days = story.days().rename(columns=exchanged)
    days["person" if "person" in days else "PID"] = [f"NEW{n}" for n in range(len(days))]
    story.drop("recordings", "exchanged", days, "days.csv")
    done = story.refresh()
    (blocked,) = done.blocked
    assert blocked.label == "daily_exposures [exchanged]"
    assert any(reason.startswith("mean minutes of walking in 24 hours is ") for reason in blocked.reasons)
    assert "exchanged" not in set(story.table("select distinct batch from walking_exposures")["batch"])
