"""A registry of deaths and emigrations arrives in a home: what is made again, what is quarantined, who is erased."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.orchestration.story import Story

SILENT = "select person from eligible_people where state = 'silent' order by person limit 3"
STATES = "select person, state from eligible_people where state = 'dead'"


@pytest.mark.slow
def test_a_later_extract_changes_states_quarantines_what_cannot_be_and_forgets_who_withdraws(story: Story) -> None:
    dead = set(story.table(STATES)["person"])
    assert dead
    first, second, gone = story.table(SILENT)["person"]
    answered = story.table("select person from analysis_set order by person limit 21")["person"].tolist()
    rows = [(first, "2020-05-01", "died"), (second, "2020-05-01", "moved"), (gone, "2020-05-01", "died")]
    # Enough good rows that the bad ones are few: who answered stays so.
    rows += [(person, "2099-01-01", "died") for person in answered[:20]]
    rows += [(answered[20], "2017-01-02", "died")]
    story.drop("registry", "2024-06", pd.DataFrame(rows, columns=["person", "date", "event"]), "vital_status.csv")
    stale = {step.asset for step in story.steps()}
    assert {"vital_status", "eligible_people", "bias_models"} <= stale
    assert not stale & {"cohort", "epoch_classification", "walking_exposures", "exclusions"}
    story.withdraw("2025-01", [gone])
    done = story.refresh()
    assert done.ok, done.failed
    known = story.table("select person, event, delivery from vital_status").set_index("person")
    assert known.loc[first].tolist() == ["died", "2024-06"]
    assert not {second, gone, answered[20]} & set(known.index)
    assert set(story.table(STATES)["person"]) - dead == {first}
    faults = story.table("select rule from quarantine where asset = 'vital_status' order by rule")["rule"].tolist()
    assert faults == ["before_baseline", "unknown_code"]
    assert not any(gone in set(frame["person"]) for frame in story.tables().values() if "person" in frame)
