"""Deaths and emigrations: states and risks by category, weights for the living, and bounds for the dead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from stegvis.analyses.attrition_weighted import attrition_weighted_rows
from stegvis.analyses.bias_models import ANALYSES
from stegvis.analyses.category_design import with_cuts_of_people
from stegvis.analyses.death_bounds import BOUNDS, death_bound_rows
from stegvis.analyses.follow_up_states import follow_up_state_rows
from stegvis.analyses.living import living
from stegvis.analyses.main_models import main_rows
from stegvis.analyses.tipping_points import tipping_point_rows
from stegvis.analyses.wave_data import WaveData, fit
from tests.stegvis.conftest import lossy_wave_of, with_registry

VOLUME = "exposure == 'walking_minutes'"


@pytest.fixture(scope="module")
def unknown() -> WaveData:
    return lossy_wave_of()


@pytest.fixture(scope="module")
def wave(unknown: WaveData) -> WaveData:
    return with_registry(unknown)


def categories(data: WaveData) -> pd.DataFrame:
    return with_cuts_of_people(data.eligible, data)


def test_without_a_registry_every_row_is_as_before(unknown: WaveData) -> None:
    empty = unknown.eligible.assign(state=None, vital_status_known=False, vital_event=None, vital_years=np.nan)
    assert follow_up_state_rows(unknown) == death_bound_rows(unknown) == []
    few = ANALYSES[:2]
    pd.testing.assert_frame_equal(fit(few, unknown), fit(few, replace(unknown, eligible=empty)))


def test_the_states_of_a_category_are_shares_of_its_eligible(wave: WaveData) -> None:
    rows = fit((follow_up_state_rows,), wave).query(f"{VOLUME} and analysis == 'follow_up_states'")
    people = categories(wave)
    expected = people.groupby("walking_minutes_level")["state"].value_counts(normalize=True)
    assert len(rows) == 16
    for row in rows.to_dict("records"):
        assert row["estimate"] == pytest.approx(expected[row["level"], row["term"]])
    assert rows.groupby("level")["estimate"].sum().to_numpy() == pytest.approx(1)


def test_deaths_are_counted_and_the_eligible_of_today_are_not(wave: WaveData) -> None:
    rows = fit((follow_up_state_rows,), wave)
    assert rows["n"].isna().all()
    counted = rows[rows["events"].notna()]
    assert set(counted["term"]) == {"dead", "emigrated", "died"}
    dead = rows.query(f"{VOLUME} and term == 'dead'").set_index("level")["events"]
    people = categories(wave)
    assert dead.to_dict() == people[people["state"] == "dead"].groupby("walking_minutes_level").size().to_dict()


def test_a_small_state_hides_the_shares_of_its_category(wave: WaveData) -> None:
    abroad = wave.eligible["state"] == "emigrated"
    three = wave.eligible["state"].where(~abroad | (abroad.cumsum() <= 3), "silent")
    rows = fit((follow_up_state_rows,), replace(wave, eligible=wave.eligible.assign(state=three)))
    states = rows.query(f"{VOLUME} and analysis == 'follow_up_states'")
    hidden = states[states["status"] == "not_estimable"]
    assert set(hidden.groupby("level").size()) == {4}
    assert hidden["events"].isna().all()


def test_the_incidence_is_that_of_everyone_who_could_be_followed(wave: WaveData) -> None:
    rows = fit((follow_up_state_rows,), wave).query(f"{VOLUME} and analysis == 'vital_status'")
    people = categories(wave)
    # Everyone is followed for the four years, so that the incidence is a share.
    for row in rows.to_dict("records"):
        mine = people[people["walking_minutes_level"] == row["level"]]
        share = (mine["vital_event"] == row["term"]).mean()
        assert row["estimate"] == pytest.approx(share)
        assert row["std_error"] == pytest.approx(np.sqrt(share * (1 - share) / len(mine)))
        assert row["ci_low"] < row["estimate"] < row["ci_high"]
    assert rows["note"].str.contains("within 4 years of baseline").all()


def test_weights_and_tipping_points_are_about_the_living(wave: WaveData) -> None:
    alone = living(wave.eligible)
    assert 0 < len(alone) < len(wave.eligible)
    without = replace(wave, eligible=alone.drop(columns=["state", "vital_status_known", "vital_event", "vital_years"]))
    for analysis in (attrition_weighted_rows, tipping_point_rows):
        one, other = fit((analysis,), wave), fit((analysis,), without.__class__(**vars(without)))
        np.testing.assert_allclose(one["estimate"], other["estimate"], rtol=1e-12)
    balance = fit((attrition_weighted_rows,), wave).query("analysis == 'attrition_balance'")
    assert set(balance["population"]) == {"living"}
    assert balance["n"].isna().all()


def test_the_bounds_are_those_of_every_dead_person_with_or_without_the_outcome(wave: WaveData) -> None:
    """In a crude table the bounds are plain counts: here the adjusted ratio stands in for the crude one."""
    rows = fit((death_bound_rows,), wave).query(VOLUME)
    main = fit((main_rows,), wave).query(f"{VOLUME} and measure == 'rr' and model == 'adjusted'").set_index("level")
    people = categories(wave)
    people = people[people["state"] != "emigrated"]
    counts = people.groupby("walking_minutes_level")["state"].agg(
        dead=lambda s: (s == "dead").sum(), living=lambda s: (s != "dead").sum()
    )
    reference = main.index[0]
    for row in rows.to_dict("records"):
        risks = {}
        for level, everyone in zip((row["level"], reference), BOUNDS[row["measure"]], strict=True):
            dead, alive = counts.loc[level, ["dead", "living"]]
            risk = main["events"][level] / main["n"][level]
            risks[level] = (alive * risk + dead * everyone) / (alive + dead) / risk
        assert row["estimate"] == pytest.approx(main["estimate"][row["level"]] * risks[row["level"]] / risks[reference])
    wide = rows.pivot(index="level", columns="measure", values="estimate")
    for measure in ("rr_none_of_dead", "rr_all_of_dead"):
        assert (wide["rr_lowest"] < wide[measure]).all()
        assert (wide[measure] < wide["rr_highest"]).all()


def test_too_few_dead_have_no_bounds(wave: WaveData) -> None:
    alive = replace(wave, eligible=wave.eligible.assign(state=wave.eligible["state"].replace("dead", "silent")))
    rows = fit((death_bound_rows,), alive)
    assert set(rows["status"]) == {"not_estimable"}
    assert rows["note"].str.contains("fewer than 5 people of a category died").all()
