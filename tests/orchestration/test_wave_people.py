"""The people of a wave are read once for the tables of its estimates, and again when they may have changed."""

from __future__ import annotations

import pandas as pd
import pytest

from stegvis.assets.graph import TABLES
from stegvis.statistics.results import GROUPS
from stegvis.storage import wave_people
from stegvis.storage.reader import Reader
from stegvis.storage.warehouse import Partition, Warehouse
from stegvis.study.study import Study
from tests.orchestration.story import Story

WAVE = "2021-2023"


def test_the_people_of_a_wave_are_read_once_until_a_table_behind_them_changes(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, reads = Study.of(story.home.root), []
    frames = Reader.frames
    monkeypatch.setattr(Reader, "frames", lambda self, *queries: reads.append(self.table) or frames(self, *queries))

    def read(table: str) -> wave_people.WaveData:
        declared = TABLES[table].readable
        reader = Reader(Warehouse(story.home), table, declared, Partition("wave", WAVE), study.recording())
        return wave_people.wave_data(reader, study)

    first, second = read("risk_ratios"), read("bias_models")
    assert reads == ["risk_ratios"]
    assert first.people is second.people
    assert first.people["person"].astype("str").equals(first.people["person"].astype("str").sort_values())
    with Warehouse(story.home).session("test") as connection:
        connection.execute("update materializations set data_version = 'another' where table_name = 'eligible_people'")
    pd.testing.assert_frame_equal(read("dose_response").people, first.people)
    assert reads == ["risk_ratios", "dose_response"]


@pytest.mark.slow
def test_each_table_of_estimates_knows_which_others_its_run_makes(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second process begins the analyses of those, and of no other."""
    asked: list[frozenset[str]] = []
    monkeypatch.setattr(wave_people, "shared_wave", lambda data, made: asked.append(frozenset(made)))
    story.drop("followup", "2024-2026", story.answers().iloc[::2], "questionnaire.csv")
    assert story.refresh().ok
    assert len(asked) == len(GROUPS)
    assert all(made >= set(GROUPS) and "cohort" not in made for made in asked)
