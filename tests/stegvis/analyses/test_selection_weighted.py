"""Weights for selection from the whole cohort: what they represent, what they remove, and when they are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from stegvis.analyses.living import living
from stegvis.analyses.main_models import main_rows
from stegvis.analyses.selection_steps import Selection, needed_columns, selection_of
from stegvis.analyses.selection_weighted import selection_weighted_rows
from stegvis.analyses.wave_data import WaveData, fit
from stegvis.statistics.categories import add_categories
from stegvis.statistics.contract import NotEstimable
from stegvis.study.protocol import Protocol
from tests.stegvis.analyses.test_strange_waves import STRANGE, assert_no_number_without_events
from tests.stegvis.conftest import (
    LEVELS,
    PROTOCOL,
    analysis_set_of,
    lossy_wave_of,
    selected_wave_of,
    wave_data_of,
    with_registry,
)

TOP = "exposure == 'walking_minutes' and model == 'adjusted' and measure == 'rr'"


@pytest.fixture(scope="module")
def wave() -> WaveData:
    return selected_wave_of(5000)


@pytest.fixture(scope="module")
def results(wave: WaveData) -> pd.DataFrame:
    return fit((selection_weighted_rows,), wave)


def selection(data: WaveData) -> Selection:
    found = selection_of(data)
    assert isinstance(found, Selection)
    return found


def test_everything_is_estimated(results: pd.DataFrame) -> None:
    assert (results["status"] == "ok").all()
    variants = (":truncated_1_99", ":truncated_5_95", ":estimated_weights")
    weighted = {"selection_weighted", *(f"selection_weighted{name}" for name in variants)}
    assert set(results["analysis"]) == weighted | {"selection_weights"}
    # A number of people at a step would be one of the flow in another order.
    assert results.loc[results["population"] == "cohort", "n"].isna().all()


def test_the_analyzed_represent_everyone_without_the_outcome_at_baseline(wave: WaveData) -> None:
    found, cohort = selection(wave), wave.cohort
    assert found.analyzed.all()
    # A fifth had the outcome, whether they said so or not.
    assert found.weights.sum() == pytest.approx(0.8 * len(cohort), rel=0.03)
    sample = cohort.iloc[found.selected]
    free = cohort[~cohort["had_outcome"].fillna(False).astype(bool)]
    assert sample["age"].mean() > free["age"].mean() + 1
    weighted = np.average(sample["age"], weights=found.weights)
    assert weighted == pytest.approx(cohort["age"].mean(), abs=0.4)
    primary = LEVELS["education"][0]
    shares = [float((sample["education"] == primary).mean()), float((cohort["education"] == primary).mean())]
    assert shares[0] < shares[1] - 0.02
    assert np.average(sample["education"] == primary, weights=found.weights) == pytest.approx(shares[1], abs=0.015)


def test_whoever_had_the_outcome_changes_the_first_two_steps_only(wave: WaveData) -> None:
    steps = selection(wave).steps
    had = wave.cohort["had_outcome"].fillna(False).to_numpy(dtype=bool)
    assert list(steps) == ["covariates", "baseline_answer", "recording", "follow_up"]
    assert [bool(had[step.at_risk].any()) for step in steps.values()] == [True, True, False, False]


def test_allowing_for_the_estimation_of_weights_keeps_the_estimate(results: pd.DataFrame) -> None:
    key = ["exposure", "model", "level"]
    known = results.query("analysis == 'selection_weighted' and measure == 'rr'").set_index(key)
    stacked = results.query("analysis == 'selection_weighted:estimated_weights'").set_index(key).loc[known.index]
    assert stacked["estimate"].to_numpy() == pytest.approx(known["estimate"].to_numpy(), rel=1e-7)
    errors = (stacked["std_error"] / known["std_error"]).dropna()
    assert errors.between(0.95, 1.01).all()
    assert (errors != 1).all()


def test_weights_remove_a_known_selection_bias() -> None:
    """Walking helps the older only, and the younger fall out: without weights the analyzed show too much of it."""
    apart: dict[str, list[float]] = {"main": [], "selection_weighted": []}
    for seed in range(4):
        everyone = analysis_set_of(15_000, seed)
        slope = np.where(everyone["age"] >= 55, -0.012, 0.0)
        risk = 0.3 * np.exp(slope * (everyone["walking_minutes"] - 60).clip(0))
        everyone["low_back_pain"] = (np.random.default_rng(seed).random(15_000) < risk).astype("int64")
        data = selected_wave_of(15_000, seed, fixed(), add_categories(everyone, fixed()), strength=1.2)
        whole = fit((main_rows,), wave_data_of(add_categories(everyone, fixed()), fixed()))
        truth = np.log(whole.query(TOP)["estimate"].iloc[-1])
        for name, analysis in (("main", main_rows), ("selection_weighted", selection_weighted_rows)):
            found = fit((analysis,), data).query(f"{TOP} and analysis == '{name}'")["estimate"].iloc[-1]
            apart[name].append(np.log(found) - truth)
    assert np.mean(apart["main"]) < -0.15
    # Four cohorts: a standard error of 0.04.
    assert abs(np.mean(apart["selection_weighted"])) < 0.08


def fixed() -> Protocol:
    """The published cut points, the same in every sample."""
    return PROTOCOL.model_copy(
        update={"exposures": PROTOCOL.exposures.model_copy(update={"categories": "fixed_published"})}
    )


def test_a_level_with_too_few_people_is_no_predictor_and_the_row_says_so(wave: WaveData) -> None:
    """Everybody of one level answers at follow-up: their probability is that of the others."""
    level = LEVELS["smoking"][1]
    these = (wave.cohort["smoking"] == level) & wave.cohort["recorded"] & wave.cohort["baseline_answered"]
    cohort = wave.cohort.assign(answered=wave.cohort["answered"] | these)
    made = replace(wave, cohort=cohort)
    assert selection(made).left_out["follow_up"] == ("smoking",)
    rows = fit((selection_weighted_rows,), made).query("analysis == 'selection_weights' and population == 'cohort'")
    notes = rows.set_index("term")["note"]
    assert notes["follow_up"].endswith("too few people in a level, so not a predictor: smoking")
    assert "not a predictor" not in notes["recording"]


def test_a_step_that_few_or_none_fail_needs_no_model(wave: WaveData) -> None:
    nobody = selection(replace(wave, cohort=wave.cohort.assign(baseline_answered=True)))
    assert list(nobody.steps) == ["covariates", "recording", "follow_up"]
    few = wave.cohort.assign(baseline_answered=np.arange(len(wave.cohort)) > 3)
    people = wave.people[~wave.people["person"].isin(few["person"][:4])]
    steps = selection(replace(wave, cohort=few, people=people)).steps
    assert steps["baseline_answer"].X.shape[1] == 1


def test_a_study_without_the_question_at_baseline_has_no_such_step(wave: WaveData) -> None:
    rules = PROTOCOL.exclusions
    kept = tuple(name for name in rules.order if not name.startswith("baseline_"))
    used = PROTOCOL.model_copy(update={"exclusions": rules.model_copy(update={"order": kept})})
    found = selection(replace(wave, protocol=used))
    assert list(found.steps) == ["covariates", "recording", "follow_up"]
    # Without that exclusion, whoever had the outcome belongs to the target population.
    assert wave.cohort["had_outcome"].fillna(False).to_numpy(dtype=bool)[found.steps["follow_up"].at_risk].any()


@pytest.mark.parametrize("strange", STRANGE)
def test_a_strange_wave_gives_valid_rows(strange: str) -> None:
    """Of a cohort in which all fall out alike."""
    people = STRANGE[strange](analysis_set_of(300))
    data = wave_data_of(add_categories(people, PROTOCOL))
    silent = data.cohort.assign(person="q" + data.cohort["person"], answered=False)
    half = silent.assign(recorded=np.arange(len(silent)) % 2 == 0)
    everyone = pd.concat([data.cohort, half], ignore_index=True)
    for cohort in (data.cohort, everyone):
        results = fit((selection_weighted_rows,), replace(data, cohort=cohort))
        assert_no_number_without_events(results)
        assert (results.loc[results["status"] != "ok", "note"] != "").all()


def test_a_tiny_cohort_says_why_there_is_nothing() -> None:
    found = selection_of(lossy_wave_of(40))
    assert isinstance(found, NotEstimable)
    assert found.reason.startswith("model of the step")
    assert "events" not in found.reason


def test_the_cohort_must_be_given_and_hold_the_analyzed(wave: WaveData) -> None:
    with pytest.raises(ValueError, match="without the whole cohort"):
        selection_weighted_rows(replace(wave, cohort=None))
    with pytest.raises(ValueError, match="not in the cohort"):
        selection_weighted_rows(replace(wave, cohort=wave.cohort.iloc[:100]))


def test_the_dead_are_not_represented() -> None:
    """Weights of the last step are for the living silent: with the dead among them each would count for more."""
    wave = selected_wave_of(3000)
    after = with_registry(wave)
    one, other = selection_of(wave), selection_of(after)
    assert isinstance(one, Selection)
    assert isinstance(other, Selection)
    dead = len(wave.eligible) - len(living(after.eligible))
    assert dead > 50
    last = "follow_up"
    assert len(one.steps[last].fit.fitted) - len(other.steps[last].fit.fitted) == dead - incomplete_among_dead(after)
    assert other.weights.sum() < one.weights.sum()


def incomplete_among_dead(wave: WaveData) -> int:
    people = wave.eligible[wave.eligible["state"].isin(["dead", "emigrated"])]
    return int(people[list(needed_columns(wave.protocol))].isna().any(axis=1).sum())
