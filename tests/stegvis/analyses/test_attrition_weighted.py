from dataclasses import replace

import pytest

from stegvis.analyses.attrition_weighted import attrition_weighted_rows
from stegvis.analyses.main_models import main_rows
from stegvis.analyses.wave_data import fit

VARIANTS = ("stabilized", "unstabilized", "truncated_1_99", "truncated_5_95")


@pytest.fixture(scope="module")
def results(lossy_wave):
    return fit((attrition_weighted_rows,), lossy_wave)


def test_everything_is_estimated(results):
    assert (results["status"] == "ok").all()
    weighted = {"attrition_weighted", *(f"attrition_weighted:{name}" for name in (*VARIANTS[1:], "estimated_weights"))}
    assert set(results["analysis"]) == weighted | {"attrition_weights", "attrition_balance"}


def test_weights_balance_respondents_and_non_respondents(results):
    balance = results.query("analysis == 'attrition_balance'").pivot(
        index=["term", "level"], columns="measure", values="estimate"
    )
    assert len(balance) == 1 + 2 + 6 + 5 + 2 + 3 + 2 + 2
    assert balance.loc["age", "smd"].iloc[0] > 0.3
    assert balance["smd_weighted"].abs().max() < 0.03


def test_weights_are_described_without_a_single_persons(results, lossy_wave):
    rows = results.query("analysis == 'attrition_weights' and exposure == 'walking_minutes' and population == 'all'")
    table = rows.pivot(index="term", columns="measure", values="estimate").loc[list(VARIANTS)]
    assert set(rows["n"]) == {len(lossy_wave.people)}
    assert table.loc["stabilized", "mean_weight"] == pytest.approx(1, abs=0.01)
    complete = lossy_wave.eligible.dropna(subset=["education", "income", "smoking", "sex", "employment", "depression"])
    assert table.loc["unstabilized", "mean_weight"] == pytest.approx(len(complete) / len(lossy_wave.people), rel=0.02)
    assert table["ess"].loc[["stabilized", "truncated_1_99", "truncated_5_95"]].is_monotonic_increasing
    assert (table["ess"] < len(lossy_wave.people)).all()
    assert table["largest_weights"].loc[["stabilized", "truncated_1_99", "truncated_5_95"]].is_monotonic_decreasing
    assert set(rows.loc[rows["measure"] == "largest_weights", "note"].str[-22:]) == {"; mean of the 5 largest"[-22:]}


def test_positivity_is_that_of_everyone_the_respondents_represent(lossy_wave):
    """Nobody below 30 responds here; the largest weights, of respondents alone, would not show it."""
    young = lossy_wave.eligible["age"] < 30
    assert young.sum() > 30
    eligible = lossy_wave.eligible.assign(answered=lossy_wave.eligible["answered"] & ~young)
    people = lossy_wave.people[~lossy_wave.people["person"].isin(eligible.loc[young, "person"])]
    made = fit((attrition_weighted_rows,), replace(lossy_wave, eligible=eligible, people=people))
    rows = made[(made["analysis"] == "attrition_weights") & (made["exposure"] == "walking_met")]
    smallest = rows[rows["measure"] == "smallest_probabilities"].iloc[0]
    complete = eligible.dropna(subset=["education", "income", "smoking", "sex", "employment", "depression"])
    assert (smallest["population"], smallest["n"]) == ("eligible", len(complete))
    assert smallest["note"].endswith("mean of the 5 smallest, respondents or not")
    of_respondents = rows.query("term == 'unstabilized' and measure == 'largest_weights'")["estimate"].iloc[0]
    assert 0 < smallest["estimate"] < 0.7 / of_respondents


def test_weighted_ratios_lie_near_the_published_in_the_same_categories(results, lossy_wave):
    key = ["exposure", "model", "level"]
    main = fit((main_rows,), lossy_wave).query("measure == 'rr'").set_index(key)
    for name in ("attrition_weighted", "attrition_weighted:estimated_weights"):
        rows = results[(results["analysis"] == name) & (results["measure"] == "rr")].set_index(key).loc[main.index]
        assert (rows["n"] == main["n"]).all()
        assert (rows["events"] == main["events"]).all()
        assert rows["estimate"].to_numpy() == pytest.approx(main["estimate"].to_numpy(), rel=0.15)


def test_allowing_for_the_estimation_of_weights_keeps_the_estimate(results):
    key = ["exposure", "model", "level"]
    known = results.query("analysis == 'attrition_weighted' and measure == 'rr'").set_index(key)
    stacked = results.query("analysis == 'attrition_weighted:estimated_weights'").set_index(key).loc[known.index]
    assert stacked["estimate"].to_numpy() == pytest.approx(known["estimate"].to_numpy(), rel=1e-7)
    errors = (stacked["std_error"] / known["std_error"]).dropna()
    assert errors.between(0.97, 1.005).all()
    assert (errors != 1).all()


def test_without_loss_to_follow_up_rows_say_so(make_lossy_wave):
    results = fit((attrition_weighted_rows,), make_lossy_wave(800, lost=0))
    assert set(results["status"]) == {"not_estimable"}
    assert results["note"].str.contains("fewer than 5 people who did not answer").all()
    assert not results["note"].str.contains("events").any()
