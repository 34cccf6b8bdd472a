"""A published number that is wrong is retracted: a fixed sentence, no new value, and nothing of the reason."""

from __future__ import annotations

import json

import pytest

from stegvis.disclosure.published import RETRACTED
from stegvis.orchestration.retract import retract
from stegvis.orchestration.verify import verify
from stegvis.storage.decisions import DECISIONS, DecisionError
from tests.attacks import attackers
from tests.orchestration.story import Story

WAVE = "2021-2023"
NUMBERS = ["n", "events", "estimate", "ci_low", "ci_high", "std_error", "p_value", "e_value", "e_value_ci"]


def test_only_a_published_wave_is_retracted_by_a_named_person_for_a_reason(story: Story) -> None:
    with pytest.raises(DecisionError, match="published are: 2021-2023"):
        retract(story.home, "2030", "Anna", "wrong codes")
    with pytest.raises(DecisionError, match="must not be blank"):
        retract(story.home, WAVE, "Anna", " ")
    assert not (story.home.root / DECISIONS).exists()


@pytest.mark.slow
def test_a_retracted_wave_has_a_sentence_and_no_number_then_and_later(story: Story) -> None:
    first = story.release()
    retract(story.home, WAVE, "Anna Andersen", "the codes were swapped")
    assert story.refresh().ok
    release = story.release()
    assert release != first
    assert verify(release).problems == []
    results = attackers.read(release)
    assert results[NUMBERS].isna().all(axis=None)
    assert set(results["note"]) == {RETRACTED}
    assert attackers.read(release, "attrition")[["excluded", "remaining"]].isna().all(axis=None)
    assert attackers.read(release, "characteristics")[["n", "percent", "mean", "sd"]].isna().all(axis=None)
    assert json.loads((release / "bridge.json").read_text())["changes"] == []
    text = "".join(file.read_text() for file in release.rglob("*") if file.suffix in {".json", ".csv", ".html"})
    assert "Andersen" not in text
    assert "swapped" not in text
    # A correction does not bring it back, and neither does losing the record of what was made.
    story.give_pain("2021-2023.2", every=2)
    with pytest.raises(DecisionError, match="retracted already"):
        retract(story.home, WAVE, "Anna Andersen", "again")
    assert story.refresh().ok
    assert attackers.read(story.release())[NUMBERS].isna().all(axis=None)
    # Nor can the decision be removed unseen.
    decisions = story.home.root / DECISIONS
    decisions.write_text(decisions.read_text().replace("Andersen", "Berg") + "{}\n")
    story.drop("followup", "2024-2026", story.answers().iloc[::2], "questionnaire.csv")
    assert not story.refresh().ok
