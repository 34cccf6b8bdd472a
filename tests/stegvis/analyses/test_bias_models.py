"""Whatever the wave looks like, both groups give valid rows and raise nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stegvis.analyses import absolute_risks, bias_models
from stegvis.analyses.wave_data import WaveData, fit, rows_of
from stegvis.statistics.categories import add_categories
from stegvis.statistics.results import to_frame
from tests.sizes import examples
from tests.stegvis.conftest import PROTOCOL, lossy_wave_of
from tests.stegvis.disclosure.made_tables import controlled

ANALYSES = (*absolute_risks.ANALYSES, *bias_models.ANALYSES)


def quick():
    used = PROTOCOL
    return used.model_copy(
        update={
            "imputation": used.imputation.model_copy(update={"imputations": 2, "iterations": 1}),
            "regression_dilution": used.regression_dilution.model_copy(update={"bootstrap_draws": 5}),
            "misclassification": used.misclassification.model_copy(update={"draws": 100}),
            "combined_bias": used.combined_bias.model_copy(update={"draws": 100}),
        }
    )


def test_a_tiny_wave_gives_rows_that_say_why_they_are_empty():
    results = fit(ANALYSES, lossy_wave_of(30, used=quick()))
    made = results["estimate"].notna()
    # What needs no model: how many negative controls there are.
    assert set(results.loc[made, "measure"]) == {"controls"}
    assert (results.loc[~made, "note"] != "").all()


@pytest.mark.slow
@settings(max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    people=st.sampled_from([30, 120, 500]),
    lost=st.sampled_from([0.0, 0.02, 0.4, 0.9]),
    missing=st.sampled_from([0.0, 0.01, 0.3]),
    days=st.booleans(),
    dated=st.booleans(),
    seed=st.integers(0, 50),
)
def test_a_wave_of_any_kind_gives_valid_rows(people, lost, missing, days, dated, seed):
    try:
        data = lossy_wave_of(people, lost=lost, missing=missing, days=days, dated=dated, seed=seed, used=quick())
    except ValueError:
        return  # nobody is left to analyze: there is no wave
    rows = rows_of(ANALYSES, data)
    results = to_frame(rows)
    assert (results["status"] != "ok").sum() + results["estimate"].notna().sum() == len(results)
    assert len(controlled(rows).tables.results) == len(results)


@pytest.mark.parametrize("exposure", ["walking_minutes", "walking_met"])
def test_an_empty_category_does_not_affect_the_others(exposure):
    made = lossy_wave_of(1800, used=quick())
    values = np.array([60.0, 70, 70, 70, 70, 70, 80, 90])

    def tied(frame):
        number = frame["person"].str[1:].astype(int)
        return frame.assign(**{exposure: values[number % 8] / (1 if exposure == "walking_minutes" else 25)})

    people = add_categories(tied(made.people), quick())
    data = WaveData(people, tied(made.eligible), made.days, quick(), made.levels, tied(made.cohort))
    results = fit(ANALYSES, data).query("exposure == @exposure")
    empty = results["level"].str.contains("empty")
    assert empty.any()
    assert set(results.loc[empty, "status"]) == {"not_estimable"}
    main = results.query("analysis in ['standardized_risk', 'imputed', 'attrition_weighted'] and measure == 'rr'")
    assert (main.loc[~main["level"].str.contains("empty"), "status"] == "ok").all()
