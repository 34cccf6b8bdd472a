"""Every analysis on every wave gives valid rows: a number, or the reason why there is none; never a stop."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stegvis.analyses.diagnostics import DESCRIPTIVE, with_diagnostics
from stegvis.analyses.overlap_gates import GATES
from stegvis.analyses.suite import SUITE
from stegvis.analyses.wave_data import fit
from stegvis.statistics.categories import add_categories
from tests.sizes import examples
from tests.stegvis.conftest import LEVELS, PROTOCOL, analysis_set_of, wave_data_of

GROUPS = ("risk_ratios", "absolute_risks", "dose_response", "sensitivity_models")
ANALYSES = [analysis for group in GROUPS for analysis in SUITE[group]]
FIXED = PROTOCOL.model_copy(
    update={
        "study": PROTOCOL.study.model_copy(update={"mode": "strict"}),
        "exposures": PROTOCOL.exposures.model_copy(update={"categories": "fixed_published"}),
        "spline": PROTOCOL.spline.model_copy(update={"knots_from": "fixed", "knots": 5}),
    }
)
# Diagnostics on which weighted estimates alone depend.
OF_WEIGHTS = ("balance", "positivity", "effective_sample_size", *(gate.name for gate in GATES))
SEVERE = ["severe_low_back_pain_as_published", "severe_low_back_pain_strict"]
BOTH_MODES = ["low_back_pain_as_published", "low_back_pain_strict"]
RUNNING = ["running_cycling_minutes_as_published", "running_cycling_minutes_strict"]


def with_outcome(frame: pd.DataFrame, outcome: object) -> pd.DataFrame:
    severe = dict.fromkeys(SEVERE, pd.array([0] * len(frame), dtype="Int64"))
    return frame.assign(low_back_pain=outcome, **dict.fromkeys(BOTH_MODES, outcome), **severe)


def emptied(frame: pd.DataFrame) -> pd.DataFrame:
    """All that the sensitivity analyses read is missing, as the warehouse gives it."""
    text = pd.Series([None] * len(frame), frame.index, "str")
    missing = dict.fromkeys(["baseline_pain_screen", "pain_last_4_weeks", "self_rated_health", "other_disease"], text)
    missing |= dict.fromkeys(["bmi", *RUNNING], pd.Series(np.nan, frame.index))
    missing |= dict.fromkeys(SEVERE, pd.Series(pd.NA, frame.index, "Int32"))
    return frame.assign(**missing)


STRANGE = {
    "one person": lambda frame: frame.iloc[:1],
    "twelve people": lambda frame: frame.iloc[:12],
    "no event": lambda frame: with_outcome(frame, 0),
    "events only": lambda frame: with_outcome(frame, 1),
    "everyone walks alike": lambda frame: frame.assign(walking_minutes=100.0, walking_met=3.0),
    "two kinds of walkers": lambda frame: frame.assign(
        walking_minutes=np.where(np.arange(len(frame)) % 2, 60.0, 130.0), walking_met=3.1
    ),
    "one sex and one age": lambda frame: frame.assign(sex="female", age=50.0, older=False),
    "nothing else known": emptied,
    "exposures are one": lambda frame: frame.assign(walking_met=frame["walking_minutes"] / 30),
    "events in the lowest category only": lambda frame: with_outcome(
        frame, (frame["walking_minutes_category"] == 1).astype("int64")
    ),
    "49 people": lambda frame: frame.iloc[:49],
    "values beyond belief": lambda frame: frame.assign(
        walking_minutes=frame["walking_minutes"].mask(frame.index == 7, 1e9),
        age=frame["age"].mask(frame.index == 9, 1e6),
    ),
    "a level for each outcome": lambda frame: frame.assign(
        education=np.where(frame["low_back_pain"] == 1, LEVELS["education"][0], LEVELS["education"][1])
    ),
    "no event among the older": lambda frame: frame.assign(
        low_back_pain=frame["low_back_pain"].mask(frame["older"], 0)
    ),
}


def results_of(frame, used=None) -> pd.DataFrame:
    used = used or PROTOCOL
    return fit(ANALYSES, wave_data_of(add_categories(frame, used), used))


def assert_no_number_without_events(results: pd.DataFrame) -> None:
    """The table is valid already (``to_frame``); no ratio is reported with too few events or non-events."""
    shown = results[(results["status"] == "ok") & results["measure"].isin(["rr", "ratio_of_rr"])]
    few = PROTOCOL.models.minimum_events
    assert not (shown["events"] < few).any()
    assert not (shown["n"] - shown["events"] < few).any()
    numbers = shown[["estimate", "ci_low", "ci_high"]].stack().dropna()
    assert np.isfinite(numbers).all()
    assert (shown["ci_low"].dropna() > 0).all()


@pytest.mark.parametrize(
    "used", [None, pytest.param(FIXED, marks=pytest.mark.slow)], ids=["as published", "fixed and strict"]
)
@pytest.mark.parametrize("strange", STRANGE)
def test_a_strange_wave_gives_valid_rows(strange, used):
    results = results_of(STRANGE[strange](analysis_set_of(300)), used)
    assert_no_number_without_events(results)
    assert len(results) > 300


@pytest.mark.slow
@pytest.mark.parametrize("strange", STRANGE)
def test_no_estimate_of_a_strange_wave_stands_without_its_gate(strange):
    """All analyses, with the diagnostics: what rests on a model whose diagnostic fails has no estimate."""
    wave = wave_data_of(add_categories(STRANGE[strange](analysis_set_of(300)), PROTOCOL), PROTOCOL)
    results = with_diagnostics(fit([each for group in SUITE.values() for each in group], wave), PROTOCOL)
    assert_no_number_without_events(results)
    failed = results[
        (results["analysis"] == "diagnostics") & (results["level"] == "fail") & (results["status"] == "ok")
    ]
    of_models = failed[~failed["term"].isin(OF_WEIGHTS)]
    for exposure, model in set(zip(of_models["exposure"], of_models["model"], strict=True)):
        resting = (results["exposure"] == exposure) & (results["model"] == model) & (results["status"] == "ok")
        assert set(results.loc[resting, "analysis"]) <= set(DESCRIPTIVE)
    for gate in GATES:
        for exposure in failed.loc[failed["term"] == gate.name, "exposure"]:
            resting = (results["exposure"] == exposure) & (results["analysis"] == gate.withholds)
            assert not (results.loc[resting, "status"] == "ok").any()
    main = results[(results["analysis"] == "main") & (results["model"] == "adjusted") & (results["status"] == "ok")]
    passed = results[(results["analysis"] == "diagnostics") & (results["status"] == "ok")]
    assert set(main["exposure"]) <= set(passed["exposure"])


@pytest.mark.slow
@settings(max_examples=examples(6), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    people=st.integers(1, 150),
    risk=st.sampled_from([0.02, 0.3, 0.97]),
    steps=st.integers(1, 6),
    known=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_any_wave_gives_valid_rows(people, risk, steps, known, seed):
    """Few people, coarse exposures, rare levels, missing answers."""
    random = np.random.default_rng(seed)
    frame = analysis_set_of(people, seed)
    frame["walking_minutes"] = np.ceil(frame["walking_minutes"] / (40 * steps)) * 40
    frame["walking_met"] = np.ceil(frame["walking_met"] * steps) / steps
    frame["low_back_pain"] = (random.random(people) < risk).astype("int64")
    for name, levels in LEVELS.items():
        frame[name] = random.choice(levels, people, p=np.eye(len(levels))[0] * 0.9 + 0.1 / len(levels))
    for name in ("bmi", "self_rated_health", "other_disease", "pain_last_4_weeks"):
        frame[name] = frame[name].mask(random.random(people) > known)
    assert_no_number_without_events(results_of(frame))
