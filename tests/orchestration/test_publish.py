"""`stegvis publish wave`: a person asks for a new edition, the audit decides, and a release says only its kind."""

from __future__ import annotations

import json

import pytest

from stegvis.orchestration.publish import publish
from stegvis.orchestration.verify import verify
from stegvis.storage.decisions import DECISIONS, DecisionError
from stegvis.storage.publish_wave import outcome
from stegvis.storage.published_people import FOLDER, published_people
from stegvis.storage.releases import PUBLISHED
from tests.orchestration.story import Story

WAVE = "2021-2023"


def test_only_a_published_wave_is_published_anew_by_a_named_person_for_a_reason(story: Story) -> None:
    with pytest.raises(DecisionError, match="published are: 2021-2023"):
        publish(story.home, "2030", "Anna", "corrected")
    with pytest.raises(DecisionError, match="must not be blank"):
        publish(story.home, WAVE, "Anna", " ")
    assert not (story.home.root / DECISIONS).exists()


def test_what_was_published_lies_outside_the_warehouse(story: Story) -> None:
    known = published_people(story.home.root, WAVE)
    assert known is not None
    assert known.release == story.release().name
    analyzed = set(story.table("select person from analysis_set")["person"])
    assert set(known.people.loc[known.people["analyzed"], "person"]) == analyzed
    (line,) = (story.home.root / PUBLISHED).read_text().splitlines()
    assert json.loads(line)["waves"][WAVE]["release"] == story.release().name
    sizes = {file.name: file.stat().st_size for file in (story.home.root / FOLDER).iterdir()}
    assert sum(sizes.values()) < 1_000_000


@pytest.mark.slow
def test_an_edition_that_gives_people_away_is_refused_and_the_release_says_nothing(story: Story) -> None:
    first = story.release()
    publish(story.home, WAVE, "Anna Andersen", "nothing yet")
    assert story.refresh().ok
    assert "nothing of wave" in outcome(story.home, WAVE)["why"]
    story.give_pain("2021-2023.2", every=2)
    publish(story.home, WAVE, "Anna Andersen", "the answers were corrected")
    assert outcome(story.home, WAVE)["state"] == "waiting"
    assert story.refresh().ok
    found = outcome(story.home, WAVE)
    assert found["state"] == "refused"
    assert f"stegvis retract {WAVE}" in found["why"]
    assert story.status()["editions"] == [found]
    assert story.release() == first
    assert verify(first).problems == []
    assert story.made() == set()
    # Erased people have no row in what is kept of the publication.
    gone = story.table("select person from analysis_set order by person limit 1")["person"].item()
    story.withdraw("2025-01", [gone])
    assert story.refresh().ok
    for file in (story.home.root / FOLDER).iterdir():
        assert gone.encode() not in file.read_bytes()
