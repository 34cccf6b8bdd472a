import numpy as np
import pytest

from stegvis.analyses.standardized_risk import standardized_risk_rows
from stegvis.analyses.wave_data import fit
from tests.stegvis.conftest import PROTOCOL


def block(results, measure, analysis="standardized_risk", model="adjusted", exposure="walking_minutes"):
    return results.query(
        "measure == @measure and analysis == @analysis and model == @model and exposure == @exposure"
    ).set_index("level")


@pytest.fixture
def fitted(make_wave_data):
    return lambda frame, used=None: fit((standardized_risk_rows,), make_wave_data(frame, used))


def test_rows_of_each_measure(analysis_set, fitted):
    results = fitted(analysis_set)
    sizes = results.groupby(["analysis", "exposure", "model", "measure"]).size().unstack()
    assert len(sizes) == 8
    assert (sizes[["risk", "rd", "rr"]] == 4).all(axis=None)
    assert (sizes["nnt"] == 3).all()
    assert (results["status"] == "ok").all()


def test_measures_follow_from_the_risks(analysis_set, fitted):
    results = fitted(analysis_set)
    for analysis in ("standardized_risk", "standardized_risk:poisson"):
        risks, differences, ratios, numbers = (block(results, m, analysis) for m in ("risk", "rd", "rr", "nnt"))
        first = risks["estimate"].iloc[0]
        assert list(differences["estimate"]) == pytest.approx(list(risks["estimate"] - first))
        assert list(ratios["estimate"]) == pytest.approx(list(risks["estimate"] / first))
        assert list(numbers["estimate"]) == pytest.approx(list(1 / differences["estimate"].abs())[1:])
        assert ratios["e_value"].iloc[1:].notna().all()
        assert risks["ci_low"].between(0, 1).all()


def test_an_interval_of_the_number_only_where_the_difference_is_not_zero(make_analysis_set, fitted):
    results = fitted(make_analysis_set(3000)).query("analysis == 'standardized_risk'")
    key = ["exposure", "model", "level"]
    numbers = results.query("measure == 'nnt'").set_index(key)
    differences = results.query("measure == 'rd'").set_index(key).loc[numbers.index]
    clear = (differences["ci_high"] < 0) | (differences["ci_low"] > 0)
    assert set(clear) == {True, False}
    assert numbers.loc[clear, ["ci_low", "ci_high"]].notna().all(axis=None)
    assert numbers.loc[~clear, ["ci_low", "ci_high"]].isna().all(axis=None)
    assert numbers.loc[~clear, "note"].str.contains(r"NNTB \d+ to infinity to NNTH \d+").all()
    benefit = differences["estimate"] < 0
    assert numbers.loc[benefit, "note"].str.contains("number needed to benefit").all()
    assert numbers.loc[~benefit, "note"].str.contains("number needed to harm").all()


def test_the_note_has_no_number_if_the_row_may_be_suppressed(make_analysis_set, make_wave_data):
    used = PROTOCOL.model_copy(update={"models": PROTOCOL.models.model_copy(update={"minimum_events": 1})})
    frame = make_analysis_set(400, of=used)
    lowest = frame.index[(frame["walking_minutes_category"] == 2) & (frame["low_back_pain"] == 1)]
    frame.loc[lowest[3:], "low_back_pain"] = 0
    results = fit((standardized_risk_rows,), make_wave_data(frame, used))
    numbers = block(results, "nnt", model="age")
    assert (numbers["status"] == "ok").all()
    held = numbers[numbers["ci_low"].isna()]
    assert len(held) > 0
    assert held["note"].str.contains("NNTB through infinity to NNTH").all()


def test_risks_above_one_are_not_standardized(make_analysis_set, fitted):
    frame = make_analysis_set(800)
    random = np.random.default_rng(1)
    frame["low_back_pain"] = (random.random(800) < np.where(frame["age"] > 60, 0.97, 0.2)).astype("int64")
    results = fitted(frame)
    poisson = block(results, "risk", "standardized_risk:poisson")
    assert poisson["note"].str.contains("fitted risks exceed 1").all()
    assert (block(results, "risk")["status"] == "ok").all()
