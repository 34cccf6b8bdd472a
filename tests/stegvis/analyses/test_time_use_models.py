from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from stegvis.analyses.time_use import PARTS
from stegvis.analyses.time_use_models import ANALYSES
from stegvis.analyses.wave_data import fit
from tests.stegvis.conftest import PROTOCOL

PAIRS = len(list(permutations(PARTS, 2)))


@pytest.fixture
def rows(make_wave_data):
    return lambda people: fit(ANALYSES, make_wave_data(people))


def test_every_pair_of_parts_and_every_amount_has_a_row(analysis_set, rows):
    found = rows(analysis_set)
    amounts = PROTOCOL.time_use.reallocated_minutes
    counts = found.groupby(["analysis", "model"]).size()
    for model in ("age", "adjusted"):
        assert counts["isotemporal", model] == PAIRS * len(amounts) + 1
        assert counts["composition", model] == PAIRS * len(amounts) + len(PARTS) + 1
    assert "30 min sitting -> walking" in set(found["level"])
    assert set(found["exposure"]) == {"time_use"}


def test_only_people_with_a_24_hour_day_are_included_and_the_others_are_counted(analysis_set, rows):
    found = rows(analysis_set)
    whole = analysis_set[analysis_set["whole_days"] > 0]
    assert set(found["n"]) == {len(whole)}
    assert set(found["events"]) == {whole["low_back_pain"].sum()}
    assert found["note"].str.contains(f"{len(analysis_set) - len(whole)} people without a whole day left out").all()


def test_time_that_the_mean_day_does_not_have_cannot_be_moved(analysis_set, rows):
    found = rows(analysis_set)
    refused = found[(found["status"] != "ok") & (found["term"] == "running and cycling")]
    assert set(refused["analysis"]) == {"isotemporal", "composition"}
    assert (
        refused["note"].str.contains("the mean day has less than|would be shorter than in all but 1% of people").all()
    )


def test_time_is_moved_only_to_where_people_are(analysis_set, rows):
    found = rows(analysis_set).query("measure == 'rr' and model == 'adjusted' and analysis == 'isotemporal'")
    people = analysis_set[analysis_set["whole_days"] > 0]
    minutes = pd.DataFrame({part: people[list(columns)].sum(axis=1) for part, columns in PARTS.items()})
    minutes = minutes.mul(1440 / minutes.sum(axis=1), axis=0)
    low, high, mean = minutes.quantile(0.01), minutes.quantile(0.99), minutes.mean()
    expected = {
        f"{amount:g} min {source} -> {target}": mean[source] - amount >= low[source]
        and mean[target] + amount <= high[target]
        for amount in PROTOCOL.time_use.reallocated_minutes
        for source, target in permutations(PARTS, 2)
    }
    assert dict(zip(found["level"], found["status"] == "ok", strict=True)) == expected
    assert 0 < sum(expected.values()) < len(expected)


def test_days_are_closed_to_24_hours(analysis_set, rows):
    """A watch that loses seconds, or one that counts in other units, gives the same rows."""
    minutes = [column for column in analysis_set if column.startswith("whole_day_")]
    stretched = analysis_set.assign(**{column: analysis_set[column] * 0.999 for column in minutes})
    found, other = rows(analysis_set), rows(stretched)
    assert np.allclose(found["estimate"], other["estimate"], rtol=1e-2, equal_nan=True)
    mine = found["analysis"] == "isotemporal"
    assert np.allclose(found.loc[mine, "estimate"], other.loc[mine, "estimate"], rtol=1e-7, equal_nan=True)


def test_who_never_runs_or_cycles_is_imputed_and_counted(analysis_set, rows):
    people = analysis_set[analysis_set["whole_days"] > 0]
    share = ((people["whole_day_running_minutes"] + people["whole_day_cycling_minutes"]) == 0).mean()
    notes = rows(analysis_set).query("analysis == 'composition'")["note"]
    assert notes.str.contains(f"no running and cycling in {share:.0%} of people: imputed by log-ratio EM").all()


def test_if_nobody_runs_or_cycles_nothing_can_be_imputed(analysis_set, rows):
    still = analysis_set.assign(whole_day_running_minutes=0.0, whole_day_cycling_minutes=0.0)
    found = rows(still).query("analysis == 'composition'")
    assert set(found["status"]) == {"not_estimable"}
    assert found["note"].str.contains("zeros cannot be imputed").all()


def test_people_without_any_lying_are_excluded_from_the_composition_only(analysis_set, rows):
    shifted = analysis_set.copy()
    whole = shifted.index[shifted["whole_days"] > 0][:40]
    shifted.loc[whole, "whole_day_lying_minutes"] = 0.0
    found = rows(shifted)
    n = found.groupby("analysis")["n"].unique()
    assert n["isotemporal"] - n["composition"] == [40]


def test_without_a_24_hour_day_there_is_no_estimate(analysis_set, rows):
    found = rows(analysis_set.assign(whole_days=0))
    assert set(found["status"]) == {"not_estimable"}
    assert set(found["n"]) == {0}
