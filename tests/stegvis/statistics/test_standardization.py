import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stegvis.statistics.additive_interaction import difference
from stegvis.statistics.contract import NotEstimable, prepare
from stegvis.statistics.risk_ratio import fit_design
from stegvis.statistics.standardization import (
    NumberNeeded,
    StandardizedRisks,
    number_needed,
    standardized_risks,
)
from stegvis.statistics.terms import Categorical
from tests.stegvis.statistics.oracle_models import COVARIATES, HC0, STATA, VOLUME, VOLUME_LEVELS

AGREED = 1e-6


def standardized(frame, family, models=HC0) -> StandardizedRisks:
    design = prepare(frame, [VOLUME, *COVARIATES], models, outcome="clbp")
    found = standardized_risks(design.X, design.y, VOLUME_LEVELS, family, models)
    assert isinstance(found, StandardizedRisks)
    return found


@pytest.mark.parametrize("family", ["poisson", "logistic"])
def test_agrees_with_r(cohort, expected, family):
    reference = expected("standardised_risk")[family]
    found = standardized(cohort, family)
    assert list(found.risks) == pytest.approx(reference["risk"], rel=AGREED)
    assert list(np.sqrt(np.diag(found.fixed_covariates))) == pytest.approx(reference["risk_se_fixed"], rel=AGREED)
    assert [found.risk(level).std_error for level in VOLUME_LEVELS] == pytest.approx(
        reference["risk_se_unconditional"], rel=AGREED
    )
    for contrast in reference["contrasts"]:
        level, unconditional = contrast["level"], contrast["unconditional"]
        assert found.risk_difference(level, 1).estimate == pytest.approx(contrast["rd"], rel=AGREED)
        assert found.risk_difference(level, 1).std_error == pytest.approx(unconditional["rd_se"], rel=AGREED)
        assert found.risk_ratio(level, 1).estimate == pytest.approx(contrast["rr"], rel=AGREED)
        assert found.risk_ratio(level, 1).std_error == pytest.approx(unconditional["log_rr_se"], rel=AGREED)
        gradient = np.eye(4)[level - 1] - np.eye(4)[0]
        fixed = math.sqrt(gradient @ found.fixed_covariates @ gradient)
        assert fixed == pytest.approx(contrast["fixed_covariates"]["rd_se"], rel=AGREED)


def test_the_printed_example_of_risks_from_a_logistic_model(breast_cancer):
    """R package risks: differences (SE, of the model's own covariance) of stage II, III and low receptor."""
    stage, receptor = Categorical("stage", ("I", "II", "III")), Categorical("receptor", ("High", "Low"))
    design = prepare(breast_cancer, [stage, receptor], HC0, outcome="death")
    for term, level, estimate, error in (
        (stage, "II", 0.16303, 0.05964),
        (stage, "III", 0.57097, 0.09962),
        (receptor, "Low", 0.16163, 0.07454),
    ):
        levels = {name: None if name == term.levels[0] else term.coefficient(name) for name in term.levels}
        found = standardized_risks(design.X, design.y, levels, "logistic", HC0, robust=False)
        gradient = np.zeros(len(levels))
        gradient[[0, list(levels).index(level)]] = -1, 1
        assert found.risk_difference(level, term.levels[0]).estimate == pytest.approx(estimate, abs=5e-6)
        assert math.sqrt(gradient @ found.fixed_covariates @ gradient) == pytest.approx(error, abs=5e-6)


def test_a_crude_model_gives_the_risks_of_the_groups(cohort):
    design = prepare(cohort, [VOLUME], HC0, outcome="clbp")
    groups = cohort.groupby("vol_cat")["clbp"]
    for family in ("poisson", "logistic"):
        found = standardized_risks(design.X, design.y, VOLUME_LEVELS, family, HC0)
        assert list(found.risks) == pytest.approx(list(groups.mean()), rel=1e-9)
        errors = np.sqrt(groups.mean() * (1 - groups.mean()) / groups.size())
        assert [found.risk(level).std_error for level in VOLUME_LEVELS] == pytest.approx(list(errors), rel=1e-9)


def test_the_log_link_gives_the_conditional_ratio(cohort):
    design = prepare(cohort, [VOLUME, *COVARIATES], HC0, outcome="clbp")
    fit = fit_design(design, HC0)
    found = standardized(cohort, "poisson").risk_ratio(3, 1)
    assert found.estimate == pytest.approx(fit.ratio("vol_cat[3]").estimate, rel=1e-9)
    assert found.std_error == pytest.approx(fit.ratio("vol_cat[3]").std_error, rel=1e-3)


def test_the_stata_factor(cohort):
    n = len(cohort)
    ratio = standardized(cohort, "logistic", STATA).unconditional / standardized(cohort, "logistic").unconditional
    assert ratio == pytest.approx(np.full((4, 4), n / (n - 1)))


def test_what_cannot_be_fitted_is_reported():
    X = pd.DataFrame({"intercept": 1.0, "group": np.repeat([0.0, 1.0], 20)})
    found = standardized_risks(X, X["group"].to_numpy(), {0: None, 1: "group"}, "logistic", HC0)
    assert isinstance(found, NotEstimable)


@given(st.floats(-0.5, 0.5).filter(lambda x: abs(x) > 1e-6), st.floats(1e-4, 0.2))
def test_number_needed_has_one_interval_only_where_the_difference_is_not_zero(estimate, error):
    made = difference(estimate, error, 0.95)
    found = number_needed(made)
    assert isinstance(found, NumberNeeded)
    assert found.estimate == pytest.approx(1 / abs(estimate))
    if made.ci_low > 0 or made.ci_high < 0:
        assert found.ci_low <= found.estimate <= found.ci_high
        assert math.isnan(found.benefit)
        assert math.isnan(found.harm)
    else:
        assert math.isnan(found.ci_low)
        assert math.isnan(found.ci_high)
        assert found.benefit == pytest.approx(-1 / made.ci_low)
        assert found.harm == pytest.approx(1 / made.ci_high)


def test_an_interval_of_the_difference_that_holds_zero():
    """A difference of -0.0256 (-0.0563 to 0.0051): NNTB 17.8 to infinity to NNTH 196."""
    found = number_needed(difference(-0.0256, 0.0307 / 1.959964, 0.95))
    assert found.estimate == pytest.approx(39.0625)
    assert (found.benefit, found.harm) == pytest.approx((1 / 0.0563, 1 / 0.0051), rel=1e-6)
    assert isinstance(number_needed(difference(0.0, 0.1, 0.95)), NotEstimable)
