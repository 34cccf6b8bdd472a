"""Analyses across waves besides the pooled model, which has a file of its own."""

import math

import numpy as np
import pandas as pd
import pytest

from stegvis.analyses.across_waves import fit_across_waves
from stegvis.analyses.pooled import first_response_cuts, fit_pooled, stack
from stegvis.analyses.wave_interaction import wave_rows
from stegvis.statistics.categories import with_categories
from stegvis.statistics.results import ResultRow
from stegvis.statistics.risk_ratio import fit_risk_ratio
from stegvis.statistics.terms import MODELS, Categorical, category_term, covariate_terms
from tests.stegvis.conftest import LEVELS, PROTOCOL

HC0 = PROTOCOL.models.model_copy(update={"variance": "hc0"})
FIRST, SECOND = "2021-2023", "2027-2029"


@pytest.fixture
def stacked(analysis_set):
    """Everyone answers the first wave, four fifths the second."""
    later = analysis_set.sample(frac=0.8, random_state=1).assign(wave=SECOND)
    changed = np.random.default_rng(2).random(len(later)) < 0.2
    later["low_back_pain"] = np.where(changed, 1 - later["low_back_pain"], later["low_back_pain"])
    return pd.concat([analysis_set, later], ignore_index=True)


@pytest.fixture
def histories(stacked):
    """The same people's pasts, and the answers of others who had pain at the baseline."""
    baseline = stacked.assign(baseline=0.0)
    others = stacked.assign(person="x" + stacked["person"], baseline=1.0)
    frame = pd.concat([baseline, others], ignore_index=True)
    first = frame[frame["wave"] == FIRST].set_index("person")["low_back_pain"]
    second = frame["wave"] == SECOND
    frame["previous_low_back_pain"] = frame["baseline"].mask(second, frame["person"].map(first))
    frame["earlier_low_back_pain"] = frame["baseline"].where(second)
    return frame


def fitted(stacked, histories):
    return fit_across_waves(stacked, histories, PROTOCOL, LEVELS)


@pytest.fixture
def results(stacked, histories):
    return fitted(stacked, histories)


def test_the_pooled_rows_come_first_and_are_those_of_the_pooled_model(stacked, results):
    pooled = fit_pooled(stacked, PROTOCOL, LEVELS)
    pd.testing.assert_frame_equal(results.iloc[: len(pooled)], pooled)
    others = ["wave_interaction", "incidence", "persistence", "recurrence", "projection", "pooled_spline"]
    assert list(results["analysis"].unique()) == ["pooled", *others]
    assert set(results["wave"]) == {"all"}


def test_ratios_of_a_wave_are_those_of_a_model_of_it_alone_when_nothing_else_is_shared(stacked):
    """Without covariates a model with all products is each wave's own."""
    frame = stack(stacked, PROTOCOL)
    template = ResultRow("all", "wave_interaction", "all", "age", "walking_minutes")
    rows = {(row.population, row.level): row for row in wave_rows(frame, template, (), PROTOCOL)}
    term = category_term("walking_minutes", PROTOCOL)
    for wave in (FIRST, SECOND):
        alone = frame[frame["wave"] == wave]
        fit = fit_risk_ratio(alone, [term], HC0)
        for category in (2, 3, 4):
            label = alone.loc[alone[term.column] == category, "walking_minutes_level"].iloc[0]
            found, expected = rows[f"wave {wave}", label], fit.ratio(term.coefficient(category))
            assert found.estimate == pytest.approx(expected.estimate, rel=1e-7)
            assert found.std_error == pytest.approx(expected.std_error, rel=1e-6)
            assert found.n == (alone[term.column] == category).sum()


def test_opposite_waves_show_an_interaction(analysis_set, histories, make_analysis_set):
    opposite = make_analysis_set(1500, seed=9).assign(wave=SECOND)
    walks = opposite["walking_minutes_category"] == 4
    opposite.loc[walks, "low_back_pain"] = (np.arange(walks.sum()) % 2).astype("int64")
    rows = fitted(pd.concat([analysis_set, opposite]), histories)
    p = rows.query("measure == 'p_interaction' and exposure == 'walking_minutes'")["estimate"]
    assert (p < 1e-4).all()


def test_who_is_at_risk_of_what(results, histories):
    at_risk = {
        "incidence": histories["previous_low_back_pain"] == 0,
        "persistence": histories["previous_low_back_pain"] == 1,
        "recurrence": (histories["previous_low_back_pain"] == 0) & (histories["earlier_low_back_pain"] == 1),
    }
    for analysis, people in at_risk.items():
        joint = results.query("analysis == @analysis and measure == 'p_joint'")
        assert set(joint["n"]) == {people.sum()}, analysis
        assert set(joint["events"]) == {histories.loc[people, "low_back_pain"].sum()}


def test_a_course_is_the_clustered_model_of_those_at_risk(results, histories, stacked):
    people = histories[histories["previous_low_back_pain"] == 1].reset_index(drop=True)
    people = with_categories(people, first_response_cuts(stack(stacked, PROTOCOL), PROTOCOL))
    terms = [category_term("walking_met", PROTOCOL), *covariate_terms("adjusted", PROTOCOL, LEVELS)]
    fit = fit_risk_ratio(people, [*terms, Categorical("wave", (FIRST, SECOND))], HC0, groups="person")
    rows = results.query("analysis == 'persistence' and exposure == 'walking_met' and model == 'adjusted'")
    expected = fit.ratio("walking_met_category[4]")
    found = rows[rows["measure"] == "rr"].iloc[3]
    assert found["estimate"] == pytest.approx(expected.estimate, rel=1e-9)
    assert found["std_error"] == pytest.approx(expected.std_error, rel=1e-9)


def test_one_wave_has_pooled_persistence_and_projection_only(analysis_set, histories):
    results = fitted(analysis_set, histories[histories["wave"] == FIRST])
    assert list(results["analysis"].unique()) == ["pooled", "persistence", "projection"]


def test_a_projection_keeps_the_ratio_and_narrows_its_interval(results, stacked):
    pooled = results.query("analysis == 'pooled' and measure == 'rr'").reset_index(drop=True)
    projected = results.query("measure == 'projected_rr'").reset_index(drop=True)
    assert np.allclose(projected["estimate"], pooled["estimate"])
    events = stacked["low_back_pain"].sum()
    more = PROTOCOL.projection.answer_share * stacked.loc[stacked["wave"] == SECOND, "low_back_pain"].sum()
    ratio = (projected["std_error"] / pooled["std_error"]).dropna()
    assert np.allclose(ratio, math.sqrt(events / (events + more)))
    assert len(ratio) == 3 * 2 * len(MODELS)
    assert projected[["n", "events"]].equals(pooled[["n", "events"]])


def test_a_projection_of_what_is_not_estimable_says_so(stacked, histories):
    stacked.loc[stacked["wave"] == SECOND, "low_back_pain"] = 0
    rows = fitted(stacked, histories).query("analysis == 'projection'")
    assert set(rows["status"]) == {"not_estimable"}
    assert rows["note"].str.contains("no pooled estimate").all()


def test_the_order_of_rows_does_not_matter(stacked, histories, results):
    shuffled = fitted(stacked.sample(frac=1, random_state=3), histories)
    pd.testing.assert_frame_equal(shuffled, results)
