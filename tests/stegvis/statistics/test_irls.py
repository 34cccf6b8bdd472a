import numpy as np
import pytest
import statsmodels.api as sm

from stegvis.statistics.contract import NotEstimable, prepare
from stegvis.statistics.irls import fit_matrix, refusal
from tests.stegvis.statistics.oracle_models import COVARIATES, HC0, VOLUME

FAMILIES = {"poisson": sm.families.Poisson(), "logistic": sm.families.Binomial()}


@pytest.fixture
def design(cohort):
    return prepare(cohort, [VOLUME, *COVARIATES], HC0, outcome="clbp")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("weighted", [False, True])
def test_agrees_with_statsmodels(design, family, weighted):
    weights = np.random.default_rng(1).uniform(0.5, 2, len(design.y)) if weighted else None
    model = sm.GLM(design.y, design.X, family=FAMILIES[family], var_weights=weights)
    theirs = model.fit(cov_type="HC0", tol=1e-13, maxiter=200)
    ours = fit_matrix(design.X.to_numpy(), design.y, family, weights=weights)
    assert ours.converged
    errors = theirs.bse.to_numpy()
    assert np.abs((ours.coefficients - theirs.params.to_numpy()) / errors).max() < 1e-10
    difference = ours.robust_covariance - theirs.cov_params().to_numpy()
    assert np.abs(difference / np.outer(errors, errors)).max() < 1e-7
    assert ours.fitted == pytest.approx(np.asarray(theirs.fittedvalues), rel=1e-10)


def test_the_log_binomial_model_agrees_with_r(design, expected):
    X = design.X.to_numpy()
    start = fit_matrix(X, design.y, "poisson").coefficients
    fit = fit_matrix(X, design.y, "log_binomial", start=start)
    table = expected("modified_poisson")["log_binomial_adj_vol"]["table"]
    assert fit.converged
    assert list(fit.coefficients) == pytest.approx([row["coef"] for row in table], rel=1e-6)
    assert list(np.sqrt(np.diag(fit.model_covariance))) == pytest.approx([row["se"] for row in table], rel=1e-6)
    assert fit.fitted.max() < 1


def test_the_log_binomial_model_of_the_printed_example(breast_cancer):
    """Greenland 2004; Spiegelman and Hertzmark 2005: coefficients -2.3521, 0.9314, 1.7695, 0.4436."""
    X = np.column_stack(
        [
            np.ones(len(breast_cancer)),
            breast_cancer["stage"] == "II",
            breast_cancer["stage"] == "III",
            breast_cancer["receptor"] == "Low",
        ]
    ).astype("float64")
    y = breast_cancer["death"].to_numpy(dtype="float64")
    fit = fit_matrix(X, y, "log_binomial", start=fit_matrix(X, y, "poisson").coefficients)
    assert fit.converged
    assert list(fit.coefficients) == pytest.approx([-2.3521, 0.9314, 1.7695, 0.4436], abs=6e-5)
    assert fit.fitted.max() == pytest.approx(0.8702, abs=5e-5)


def test_scores_sum_to_zero_and_weights_of_one_change_nothing(design):
    X = design.X.to_numpy()
    fit = fit_matrix(X, design.y, "logistic")
    assert np.abs(fit.scores.sum(axis=0) / np.abs(fit.scores).sum(axis=0)).max() < 1e-9
    assert fit_matrix(X, design.y, "logistic", weights=np.ones(len(X))).coefficients == pytest.approx(fit.coefficients)


def test_separated_groups_and_singular_designs_are_refused():
    separated = np.column_stack([np.ones(40), np.repeat([0.0, 1.0], 20)])
    for family in ("poisson", "logistic"):
        assert isinstance(refusal(fit_matrix(separated, separated[:, 1], family), HC0), NotEstimable)
    singular = np.ones((40, 2))
    assert refusal(fit_matrix(singular, np.tile([0.0, 1.0], 20), "poisson"), HC0) is not None
