from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from stegvis.analyses.main_models import trend_rows
from stegvis.analyses.regression_diluted import regression_dilution_rows
from stegvis.analyses.wave_data import fit
from tests.stegvis.conftest import PROTOCOL

PER_UNIT = "model == 'adjusted' and exposure == 'walking_minutes'"


def few_draws():
    shorter = PROTOCOL.regression_dilution.model_copy(update={"bootstrap_draws": 60})
    return PROTOCOL.model_copy(update={"regression_dilution": shorter})


@pytest.fixture(scope="module")
def wave(lossy_wave):
    return replace(lossy_wave, protocol=few_draws())


@pytest.fixture(scope="module")
def results(wave):
    return fit((regression_dilution_rows,), wave)


def one(results, measure, query=PER_UNIT):
    (row,) = results.query(f"measure == '{measure}' and {query}").to_dict("records")
    return row


def test_reliability_is_that_of_the_simulated_days(results, wave):
    """Days vary about the person's mean with a standard deviation of 40 minutes; people by that of their means."""
    assert (results["status"] == "ok").all()
    between = wave.people["walking_minutes"].var()
    day = between / (between + 40**2)
    mean = between / (between + 40**2 * (1 / wave.people["valid_days"]).mean())
    assert one(results, "icc")["estimate"] == pytest.approx(day, abs=0.03)
    reliability = one(results, "reliability")
    assert reliability["estimate"] == pytest.approx(mean, abs=0.03)
    assert reliability["ci_low"] < reliability["estimate"] < reliability["ci_high"]
    assert 0 < reliability["std_error"] < 0.05


def test_the_corrected_ratio_is_the_trend_divided_on_the_log_scale(results, wave):
    trend = fit((trend_rows,), wave).query(f"term == 'walking_minutes_linear' and {PER_UNIT}").iloc[0]
    corrected, reliability = one(results, "rr"), one(results, "reliability")
    assert np.log(corrected["estimate"]) == pytest.approx(np.log(trend["estimate"]) / reliability["estimate"])
    assert corrected["std_error"] > trend["std_error"] / reliability["estimate"]
    assert corrected["level"] == trend["level"]


def test_usual_means_lie_nearer_the_middle(results, wave):
    usual = results.query("measure == 'usual_mean' and exposure == 'walking_minutes'").set_index("level")["estimate"]
    measured = wave.people.groupby("walking_minutes_level")["walking_minutes"].mean()[usual.index]
    middle = wave.people["walking_minutes"].mean()
    ratio = (usual - middle) / (measured - middle)
    assert len(usual) == 4
    assert ratio.to_numpy() == pytest.approx(
        one(results, "reliability", PER_UNIT.replace("adjusted", "age"))["estimate"]
    )


def test_days_without_a_date_are_used_without_the_weekend(wave, results):
    undated = replace(wave, days=wave.days.assign(weekend=pd.array([pd.NA] * len(wave.days), dtype="boolean")))
    found = fit((regression_dilution_rows,), undated)
    assert one(found, "icc")["estimate"] == pytest.approx(one(results, "icc")["estimate"], abs=0.005)
    half = wave.days["weekend"].where(wave.days.index % 2 == 0)
    mixed = fit((regression_dilution_rows,), replace(wave, days=wave.days.assign(weekend=half)))
    assert one(mixed, "icc")["estimate"] == pytest.approx(one(results, "icc")["estimate"], abs=0.005)


def test_without_days_rows_say_so(make_lossy_wave):
    results = fit((regression_dilution_rows,), make_lossy_wave(800, days=False))
    assert set(results["status"]) == {"not_estimable"}
    assert results["note"].str.contains("fewer than 50 people have repeated days").all()
