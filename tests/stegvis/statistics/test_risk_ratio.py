import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stegvis.statistics.contract import Design, NotEstimable
from stegvis.statistics.risk_ratio import Fit, fit_design, fit_risk_ratio, likelihood_ratio, ratio
from stegvis.statistics.terms import Categorical, Linear
from tests.stegvis.conftest import PROTOCOL

AGREED = 1e-6  # relative agreement with R
STATA = PROTOCOL.models.model_copy(update={"variance": "stata"})
HC0 = PROTOCOL.models.model_copy(update={"variance": "hc0"})

VOLUME = Categorical("vol_cat", (1, 2, 3, 4))
INTENSITY = Categorical("int_cat", (1, 2, 3, 4))
SEX = Linear("women")
COVARIATES = [
    Linear("age"),
    SEX,
    Categorical("edu", (1, 2, 3)),
    Categorical("smoke", ("never", "former", "current")),
    Linear("bmi"),
]
IN_R = {"intercept": "(Intercept)"}
FORMULAS = {
    "crude_vol": [VOLUME],
    "adj_vol": [VOLUME, *COVARIATES],
    "crude_int": [INTENSITY],
    "adj_int": [INTENSITY, *COVARIATES],
    "mutual": [VOLUME, INTENSITY, *COVARIATES],
}


def fitted(frame, terms, models=HC0, **options) -> Fit:
    fit = fit_risk_ratio(frame, terms, models, **{"outcome": "clbp", **options})
    assert isinstance(fit, Fit)
    return fit


def name_in_r(name: str) -> str:
    return IN_R.get(name, name.replace("[", "").replace("]", ""))


def assert_rows_agree(fit: Fit, rows: list[dict]) -> None:
    expected = {row["term"]: row for row in rows}
    assert {name_in_r(name) for name in fit.coefficients.index} == set(expected)
    for name in fit.coefficients.index:
        row, found = expected[name_in_r(name)], fit.ratio(name)
        assert fit.coefficients[name] == pytest.approx(row["coef"], rel=AGREED)
        assert found.std_error == pytest.approx(row["se"], rel=AGREED)
        assert fit.coefficients[name] / found.std_error == pytest.approx(row["z"], rel=AGREED)
        # A p-value of 1e-139 moves by z^2 times the relative error of z.
        assert found.p_value == pytest.approx(row["p"], rel=AGREED * max(1, row["z"] ** 2))
        assert found.estimate == pytest.approx(row["rr"], rel=AGREED)
        assert found.ci_low == pytest.approx(row["lo"], rel=AGREED)
        assert found.ci_high == pytest.approx(row["hi"], rel=AGREED)


@pytest.mark.parametrize("model", FORMULAS)
@pytest.mark.parametrize(("models", "table"), [(HC0, "main_HC0"), (STATA, "main_stata")])
def test_agrees_with_r(cohort, expected, model, models, table):
    reference = expected("modified_poisson")[model]
    fit = fitted(cohort, FORMULAS[model], models)
    assert_rows_agree(fit, reference[table])
    assert (fit.n, fit.events, len(fit.coefficients)) == (reference["n"], reference["events"], reference["k"])
    assert fit.log_likelihood == pytest.approx(reference["loglik"], rel=AGREED)
    # Poisson deviance of a 0/1 outcome: the saturated log-likelihood is minus the number of events.
    assert -2 * (fit.log_likelihood + fit.events) == pytest.approx(reference["deviance"], rel=AGREED)


@pytest.mark.parametrize("model", FORMULAS)
def test_covariance_and_survey_errors_agree_with_r(cohort, expected, model):
    reference = expected("modified_poisson")[model]
    order = [row["term"] for row in reference["main_HC0"]]
    fit = fitted(cohort, FORMULAS[model])
    covariance = fit.covariance.rename(index=name_in_r, columns=name_in_r).loc[order, order].to_numpy()
    errors = np.sqrt(np.diag(covariance))
    # Entries near zero are compared on the scale of their standard errors.
    assert np.abs((covariance - np.array(reference["vcov_HC0"])) / np.outer(errors, errors)).max() < AGREED
    assert errors == pytest.approx(reference["cross_checks"]["geeglm_san_se"], rel=AGREED)
    listed = {row["term"]: row for row in reference["se"]}
    assert errors == pytest.approx([listed[term]["HC0"] for term in order], rel=AGREED)

    stata = fitted(cohort, FORMULAS[model], STATA)
    stata_errors = {name_in_r(name): stata.ratio(name).std_error for name in stata.coefficients.index}
    assert [stata_errors[term] for term in order] == pytest.approx(reference["cross_checks"]["svyglm_se"], rel=AGREED)
    assert [stata_errors[term] for term in order] == pytest.approx([listed[t]["stata"] for t in order], rel=AGREED)


@pytest.mark.parametrize(
    ("model", "test", "term"),
    [("adj_vol", "joint_wald_volume", VOLUME), ("mutual", "joint_wald_intensity", INTENSITY)],
)
def test_joint_wald_agrees_with_r(cohort, expected, model, test, term):
    reference = expected("modified_poisson")[model][test]
    found = fitted(cohort, FORMULAS[model]).joint_wald([term.coefficient(level) for level in (2, 3, 4)])
    assert found.chi2 == pytest.approx(reference["chi2"], rel=AGREED)
    assert found.degrees_of_freedom == reference["df"]
    assert found.p_value == pytest.approx(reference["p"], rel=AGREED)


@pytest.mark.parametrize(
    ("stratum", "rule", "terms"),
    [
        ("age_lt65", "age < 65", COVARIATES),
        ("age_ge65", "age >= 65", COVARIATES),
        ("men", "women == 0", [term for term in COVARIATES if term is not SEX]),
        ("women", "women == 1", [term for term in COVARIATES if term is not SEX]),
    ],
)
def test_strata_agree_with_r(cohort, expected, stratum, rule, terms):
    reference = expected("modified_poisson")["strata"][stratum]
    fit = fitted(cohort.query(rule), [VOLUME, *terms])
    assert (fit.n, fit.events) == (reference["n"], reference["events"])
    assert_rows_agree(fit, reference["HC0"])


def test_newman_breast_cancer(breast_cancer):
    terms = [Categorical("stage", ("I", "II", "III")), Categorical("receptor", ("High", "Low"))]
    fit = fitted(breast_cancer, terms, outcome="death")
    printed = {
        "intercept": (-2.365819, 0.360165, 0.361107),
        "stage[II]": (0.924553, 0.393214, 0.394242),
        "stage[III]": (1.777216, 0.385520, 0.386527),
        "receptor[Low]": (0.489055, 0.212872, 0.213429),
    }
    stata = fitted(breast_cancer, terms, STATA, outcome="death")
    for name, (coefficient, hc0, stata_error) in printed.items():
        assert fit.coefficients[name] == pytest.approx(coefficient, abs=1e-6)
        assert fit.ratio(name).std_error == pytest.approx(hc0, abs=1e-6)
        assert stata.ratio(name).std_error == pytest.approx(stata_error, abs=1e-6)
    low = fit.ratio("receptor[Low]")
    assert (low.estimate, low.ci_low, low.ci_high) == pytest.approx((1.6308, 1.0745, 2.4751), abs=1e-4)
    assert fit.largest_fitted_risk == pytest.approx(0.9052473, abs=1e-6)
    assert fit.share_above_one == 0
    crude = fitted(breast_cancer, terms[1:], outcome="death")
    assert crude.ratio("receptor[Low]").estimate == pytest.approx((23 / 48) / (31 / 144), rel=1e-9)


@given(st.tuples(*[st.integers(5, 60)] * 4))
def test_two_by_two_table_has_a_closed_form(counts):
    exposed_cases, exposed_others, other_cases, other_others = counts
    frame = pd.DataFrame(
        {
            "exposed": [1] * (exposed_cases + exposed_others) + [0] * (other_cases + other_others),
            "clbp": [1] * exposed_cases + [0] * exposed_others + [1] * other_cases + [0] * other_others,
        }
    )
    n1, n0 = exposed_cases + exposed_others, other_cases + other_others
    found = fitted(frame, [Categorical("exposed", (0, 1))]).ratio("exposed[1]")
    assert found.estimate == pytest.approx((exposed_cases / n1) / (other_cases / n0), rel=1e-6)
    variance = 1 / exposed_cases - 1 / n1 + 1 / other_cases - 1 / n0
    assert found.std_error == pytest.approx(math.sqrt(variance), rel=1e-6)


def test_rows_in_another_order_give_the_same_fit(cohort):
    shuffled = fitted(cohort.sample(frac=1, random_state=4), FORMULAS["adj_vol"])
    fit = fitted(cohort, FORMULAS["adj_vol"])
    pd.testing.assert_series_equal(shuffled.coefficients, fit.coefficients, rtol=1e-9)
    pd.testing.assert_frame_equal(shuffled.covariance, fit.covariance, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("factor", [1e-4, 1000.0])
def test_units_scale_their_own_coefficient_only(cohort, factor):
    fit = fitted(cohort, [VOLUME, Linear("age")])
    scaled = fitted(cohort, [VOLUME, Linear("age", factor)])
    assert scaled.coefficients["age"] == pytest.approx(fit.coefficients["age"] * factor, rel=1e-6)
    assert scaled.ratio("vol_cat[4]").std_error == pytest.approx(fit.ratio("vol_cat[4]").std_error, rel=1e-6)


def test_another_reference_level_turns_the_ratio_around(cohort):
    fit = fitted(cohort, FORMULAS["adj_vol"])
    turned = fitted(cohort, [Categorical("vol_cat", (4, 3, 2, 1)), *COVARIATES])
    assert turned.ratio("vol_cat[1]").estimate == pytest.approx(1 / fit.ratio("vol_cat[4]").estimate, rel=1e-8)
    assert turned.ratio("vol_cat[1]").std_error == pytest.approx(fit.ratio("vol_cat[4]").std_error, rel=1e-8)
    contrast = fit.coefficients["vol_cat[2]"] - fit.coefficients["vol_cat[4]"]
    assert turned.coefficients["vol_cat[2]"] == pytest.approx(contrast, rel=1e-8)
    names = ["vol_cat[1]", "vol_cat[2]", "vol_cat[3]"]
    assert turned.joint_wald(names).chi2 == pytest.approx(
        fit.joint_wald(["vol_cat[2]", "vol_cat[3]", "vol_cat[4]"]).chi2, rel=1e-8
    )


def test_everyone_twice_shrinks_the_error_by_root_two_but_not_when_clustered(cohort):
    fit = fitted(cohort, FORMULAS["adj_vol"])
    twice = pd.concat([cohort, cohort])
    doubled = fitted(twice, FORMULAS["adj_vol"])
    clustered = fitted(twice, FORMULAS["adj_vol"], groups="id")
    for name in fit.coefficients.index:
        assert doubled.ratio(name).std_error == pytest.approx(fit.ratio(name).std_error / math.sqrt(2), rel=1e-8)
        assert clustered.ratio(name).std_error == pytest.approx(fit.ratio(name).std_error, rel=1e-8)


def test_clusters_of_one_are_hc0(cohort):
    clustered = fitted(cohort, FORMULAS["adj_vol"], STATA, groups="id")
    pd.testing.assert_frame_equal(clustered.covariance, fitted(cohort, FORMULAS["adj_vol"]).covariance, rtol=1e-9)


def test_weights_of_one_change_nothing(cohort):
    weighted = fitted(cohort.assign(weight=1.0), FORMULAS["adj_vol"], STATA, weights="weight")
    pd.testing.assert_frame_equal(weighted.covariance, fitted(cohort, FORMULAS["adj_vol"], STATA).covariance, rtol=1e-9)


def test_weighted_fit_solves_the_weighted_equations_with_their_sandwich(cohort):
    cohort["weight"] = np.random.default_rng(5).uniform(0.3, 4, len(cohort))
    terms = [VOLUME, Linear("age")]
    fit = fitted(cohort, terms, weights="weight")
    X = np.column_stack([np.ones(len(cohort)), *(cohort["vol_cat"] == k for k in (2, 3, 4)), cohort["age"]])
    w, y, mu = cohort["weight"].to_numpy(), cohort["clbp"].to_numpy(), np.exp(X @ fit.coefficients.to_numpy())
    assert np.abs(X.T @ (w * (y - mu))).max() < 1e-4
    bread = np.linalg.inv(X.T @ (X * (w * mu)[:, None]))
    meat = X.T @ (X * ((w * (y - mu)) ** 2)[:, None])
    assert np.allclose(fit.covariance, bread @ meat @ bread, rtol=1e-6, atol=1e-12)


def test_fitted_risks_above_one_are_reported():
    random = np.random.default_rng(6)
    dose = random.uniform(0, 1, 3000)
    # Risk is capped at one: the log-linear model must overshoot at the top.
    cases = random.random(3000) < np.minimum(1, 0.2 * np.exp(3.0 * dose))
    fit = fitted(pd.DataFrame({"dose": dose, "clbp": cases.astype(int)}), [Linear("dose")])
    assert fit.largest_fitted_risk > 1
    assert 0 < fit.share_above_one < 0.5


def test_a_fit_has_no_data_of_individuals(cohort):
    fit = fitted(cohort, FORMULAS["adj_vol"])
    arrays = [value for value in vars(fit).values() if isinstance(value, pd.Series | pd.DataFrame)]
    assert max(array.size for array in arrays) == 11 * 11


def test_ratio_at_another_confidence():
    wide, narrow = ratio(math.log(0.8), 0.1, 0.99), ratio(math.log(0.8), 0.1, 0.90)
    assert (wide.ci_low, wide.ci_high) == pytest.approx(
        (0.8 * math.exp(-0.2575829), 0.8 * math.exp(0.2575829)), rel=1e-6
    )
    assert narrow.ci_low == pytest.approx(0.8 * math.exp(-0.1644854), rel=1e-6)
    assert wide.p_value == narrow.p_value == pytest.approx(0.0256526, rel=1e-4)


def test_models_that_are_not_nested_in_the_same_people_are_not_compared(cohort):
    full, nested = fitted(cohort, [VOLUME, SEX]), fitted(cohort, [VOLUME])
    assert likelihood_ratio(full, nested).degrees_of_freedom == 1
    for one, other in ((nested, full), (full, full), (full, fitted(cohort.iloc[:3000], [VOLUME]))):
        with pytest.raises(ValueError, match="not nested"):
            likelihood_ratio(one, other)


def test_a_singular_design_and_separated_groups_are_not_estimable():
    """Designs that the contract would refuse: the fit must refuse them, too."""
    y = np.tile([0.0, 1.0], 20)
    columns = {"intercept": np.ones(40), "again": np.ones(40)}
    singular = fit_design(Design(pd.DataFrame(columns), y, None, None, 0, ()), HC0)
    assert isinstance(singular, NotEstimable)
    no_events = pd.DataFrame({"intercept": np.ones(40), "group": 1 - y})
    separated = fit_design(Design(no_events, y, None, None, 0, ()), HC0)
    assert isinstance(separated, NotEstimable)
