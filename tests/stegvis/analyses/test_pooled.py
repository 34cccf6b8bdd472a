import numpy as np
import pandas as pd
import pytest

from stegvis.analyses import main_models, spline
from stegvis.analyses.pooled import fit_pooled, pooled_curves, stack
from stegvis.analyses.wave_data import fit
from stegvis.statistics.results import to_frame
from tests.stegvis.conftest import LEVELS, PROTOCOL

NUMBERS = ["estimate", "ci_low", "ci_high", "std_error", "p_value"]


def fitted(frame):
    return fit_pooled(frame, PROTOCOL, LEVELS)


@pytest.fixture
def main_rows(make_wave_data):
    used = PROTOCOL.model_copy(update={"models": PROTOCOL.models.model_copy(update={"variance": "hc0"})})
    return lambda frame: fit((main_models.main_rows,), make_wave_data(frame, used))


@pytest.fixture
def two_waves(analysis_set):
    later = analysis_set.sample(frac=0.8, random_state=1).assign(wave="2027-2029", age=lambda people: people["age"] + 6)
    changed = np.random.default_rng(2).random(len(later)) < 0.2
    later["low_back_pain"] = np.where(changed, 1 - later["low_back_pain"], later["low_back_pain"])
    return pd.concat([analysis_set, later], ignore_index=True)


def test_one_wave_pooled_is_that_wave_with_the_plain_sandwich(analysis_set, main_rows):
    pooled, wave = fitted(analysis_set), main_rows(analysis_set)
    assert pooled["level"].tolist() == wave["level"].tolist()
    assert np.allclose(pooled[NUMBERS], wave[NUMBERS], rtol=1e-8, equal_nan=True)
    assert pooled[["n", "events"]].equals(wave[["n", "events"]])


def test_the_same_responses_again_add_no_precision(analysis_set, main_rows):
    again = pd.concat([analysis_set, analysis_set.assign(wave="2027-2029")])
    pooled, wave = fitted(again), main_rows(analysis_set)
    assert np.allclose(pooled[NUMBERS], wave[NUMBERS], rtol=1e-6, equal_nan=True)
    assert (pooled["n"] == 2 * wave["n"]).all()


def test_rows_are_named_and_count_responses(two_waves):
    results = fitted(two_waves)
    assert (results["status"] == "ok").all()
    assert set(results["wave"]) == {"all"}
    assert set(results["analysis"]) == {"pooled"}
    assert (results["note"].str.contains("categories cut once, on each person's first answer")).all()
    assert (results["note"].str.contains("clustered variance")).all()
    (joint,) = results.query("measure == 'p_joint' and exposure == 'walking_met' and model == 'age'").to_dict("records")
    assert (joint["n"], joint["events"]) == (len(two_waves), two_waves["low_back_pain"].sum())


def test_categories_are_cut_over_people_not_responses(two_waves):
    # Only people who walk much answer again: cutting over answers would move the cuts.
    first = two_waves[two_waves["wave"] == "2021-2023"]
    busy = first.loc[first["walking_minutes"] > 100, "person"]
    frame = pd.concat([first, two_waves[(two_waves["wave"] != "2021-2023") & two_waves["person"].isin(busy)]])
    rows = fitted(frame).query("exposure == 'walking_minutes' and model == 'age' and measure == 'rr'")
    quarters = np.quantile(first["walking_minutes"], [0.25, 0.5, 0.75], method="averaged_inverted_cdf")
    category = (frame["walking_minutes"].to_numpy()[:, None] > quarters).sum(axis=1)
    assert rows["n"].tolist() == np.bincount(category).tolist()


def test_the_order_of_rows_does_not_matter(two_waves):
    assert fitted(two_waves.sample(frac=1, random_state=3)).equals(fitted(two_waves))


def test_a_wave_without_enough_events_is_named(two_waves):
    two_waves.loc[two_waves["wave"] == "2027-2029", "low_back_pain"] = 0
    results = fitted(two_waves)
    assert set(results["status"]) == {"not_estimable"}
    assert results["note"].str.contains("level 2027-2029 of wave has fewer than 5 events").all()


def test_nothing_to_pool_and_repeated_responses_are_refused(analysis_set):
    with pytest.raises(ValueError, match="no wave"):
        fitted(analysis_set.iloc[:0])
    with pytest.raises(ValueError, match="twice"):
        fitted(pd.concat([analysis_set, analysis_set]))


def curves(frame):
    return to_frame(pooled_curves(stack(frame, PROTOCOL), PROTOCOL, LEVELS))


def test_the_same_responses_again_add_no_precision_to_a_pooled_curve(analysis_set, make_wave_data):
    used = PROTOCOL.model_copy(update={"models": PROTOCOL.models.model_copy(update={"variance": "hc0"})})
    own = fit((spline.spline_rows,), make_wave_data(analysis_set, used)).query("analysis == 'spline_fixed_knots'")
    pooled = curves(pd.concat([analysis_set, analysis_set.assign(wave="2027-2029")]))
    assert pooled["level"].tolist() == own["level"].tolist()
    assert np.allclose(pooled[NUMBERS], own[NUMBERS], rtol=1e-6, equal_nan=True)


def test_a_pooled_curve_has_the_knots_of_the_protocol_and_counts_responses(two_waves):
    rows = curves(two_waves).query("exposure == 'walking_minutes'")
    assert set(rows["analysis"]) == {"pooled_spline"}
    assert set(rows["wave"]) == {"all"}
    assert tuple(rows.query("measure == 'knot'")["estimate"]) == PROTOCOL.spline.walking_minutes.fixed_knots
    assert set(rows["reference"]) == {f"{PROTOCOL.spline.walking_minutes.fixed_reference:g}"}
    assert set(rows["n"]) == {len(two_waves)}
    assert (rows["note"].str.contains("clustered variance")).all()
    assert (rows["status"] == "ok").all()


def test_the_range_of_a_pooled_curve_counts_each_person_once(two_waves):
    first = two_waves[two_waves["wave"] == "2021-2023"]
    busy = first.loc[first["walking_minutes"] > 100, "person"]
    frame = pd.concat([first, two_waves[(two_waves["wave"] != "2021-2023") & two_waves["person"].isin(busy)]])

    def ends(rows):
        values = rows.query("exposure == 'walking_minutes' and measure == 'rr'")["level"].astype(float)
        return values.min(), values.max()

    assert ends(curves(frame)) == ends(curves(two_waves))


def test_one_wave_has_no_pooled_curve(analysis_set):
    assert pooled_curves(stack(analysis_set, PROTOCOL), PROTOCOL, LEVELS) == []
