"""A home of many waves is built, published and verified; one more wave costs no more than itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stegvis.orchestration.verify import verify
from stegvis.storage.home import Home
from stegvis.twin import write_twin
from tests.orchestration.story import WAVE_STAGES, Story
from tests.sizes import FULL
from tests.study import CODEBOOK, PROTOCOL, home_with_study

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

WAVES = 60 if FULL else 3
PEOPLE = 100


def test_many_waves(tmp_path: Path) -> None:
    home: Home = home_with_study(tmp_path / "home")
    write_twin(home.landing, PROTOCOL, CODEBOOK, people=PEOPLE, waves=WAVES, seed=4)
    story = Story(home)
    done = story.refresh()
    assert done.ok, done.failed
    assert story.planned() == {}
    published = json.loads((story.release() / "manifest.json").read_text())["waves"]
    assert len(set(published) - {"all"}) == WAVES
    assert verify(story.release()).problems == []
    assert story.status()["ok"]
    last = max(published.keys() - {"all"})
    new = f"{int(last[-4:]) + 1}-{int(last[-4:]) + 3}"
    story.drop("followup", new, story.answers().iloc[::2], "questionnaire.csv")
    made = story.made()
    assert {key for asset, key in made if asset in WAVE_STAGES} == {new}
    assert verify(story.release()).problems == []
