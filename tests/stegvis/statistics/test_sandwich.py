"""The Newton fit and its covariances: against R, and against statsmodels on other data."""

import numpy as np
import pytest

from stegvis.statistics.matrices import cross_product, linear_predictor
from stegvis.statistics.poisson import fit_poisson
from stegvis.statistics.sandwich import clustered_sandwich, sandwich


@pytest.fixture
def design(cohort):
    """X and y of the crude and the adjusted model, in R's order of coefficients."""
    indicators = [(cohort["vol_cat"] == level) for level in (2, 3, 4)]
    others = [cohort["age"], cohort["women"], cohort["edu"] == 2, cohort["edu"] == 3]
    others += [cohort["smoke"] == "former", cohort["smoke"] == "current", cohort["bmi"]]
    ones = [np.ones(len(cohort))]
    y = cohort["clbp"].to_numpy(dtype="float64")
    columns = {"crude_vol": [*ones, *indicators], "adj_vol": [*ones, *indicators, *others]}
    return lambda model: (np.column_stack(columns[model]).astype("float64"), y)


IN_R = {
    "crude_vol": ["(Intercept)", "vol_cat2", "vol_cat3", "vol_cat4"],
    "adj_vol": ["(Intercept)", "vol_cat2", "vol_cat3", "vol_cat4", "age", "women", "edu2", "edu3", "smokeformer",
                "smokecurrent", "bmi"],
}  # fmt: skip


@pytest.mark.parametrize("kind", ["naive", "hc0", "hc1", "hc2", "hc3", "stata"])
@pytest.mark.parametrize("model", ["crude_vol", "adj_vol"])
def test_every_kind_of_error_agrees_with_r(design, expected, model, kind):
    X, y = design(model)
    fit = fit_poisson(X, y)
    assert fit.converged
    rows = {row["term"]: row for row in expected("modified_poisson")[model]["se"]}
    in_r = kind.upper() if kind.startswith("hc") else kind
    errors = np.sqrt(np.diag(sandwich(X, y, fit, kind)))
    assert errors == pytest.approx([rows[term][in_r] for term in IN_R[model]], rel=1e-6)


@pytest.mark.parametrize(("cells", "column"), [("cells_vol", "vol_cat"), ("cells_int", "int_cat")])
def test_counts_per_category_agree_with_r(cohort, expected, cells, column):
    counts = cohort.groupby(column)["clbp"].agg(["size", "sum"])
    for row in expected("modified_poisson")[cells]:
        assert counts.loc[int(row[column])].tolist() == [row["n"], row["events"]]


@pytest.mark.filterwarnings("ignore:The Log link function")
def test_a_log_binomial_model_begun_from_the_poisson_fit_agrees_with_r(design, expected):
    """The cross-estimator: another likelihood, much the same ratios."""
    import statsmodels.api as sm

    X, y = design("adj_vol")
    poisson = fit_poisson(X, y)
    family = sm.families.Binomial(link=sm.families.links.Log())
    binomial = sm.GLM(y, X, family=family).fit(start_params=poisson.coefficients, tol=1e-14, maxiter=200)
    rows = {row["term"]: row for row in expected("modified_poisson")["log_binomial_adj_vol"]["table"]}
    assert np.asarray(binomial.params) == pytest.approx([rows[term]["coef"] for term in IN_R["adj_vol"]], rel=1e-6)
    assert np.abs(poisson.coefficients[1:4] - binomial.params[1:4]).max() < 0.01


@pytest.mark.filterwarnings("ignore:cov_type not fully supported")
@pytest.mark.parametrize("weighted", [False, True])
def test_fit_and_covariances_agree_with_statsmodels(weighted):
    import statsmodels.api as sm

    random = np.random.default_rng(8)
    X = np.column_stack([np.ones(3000), random.normal(size=(3000, 4)), random.random((3000, 2)) < 0.2])
    y = (random.random(3000) < 0.2 * np.exp(0.3 * X[:, 1] - 0.2 * X[:, 5])).astype("float64")
    weights = random.uniform(0.3, 4, 3000) if weighted else None
    groups = np.arange(3000) // 3
    model = sm.GLM(y, X, family=sm.families.Poisson(), var_weights=weights)
    fit = fit_poisson(X, y, weights)
    theirs = model.fit(cov_type="HC0", tol=1e-14, maxiter=100)
    assert fit.coefficients == pytest.approx(theirs.params, rel=1e-9)
    assert fit.log_likelihood == pytest.approx(theirs.llf, rel=1e-12)
    assert np.allclose(sandwich(X, y, fit, "hc0", weights), theirs.cov_params(), rtol=1e-8, atol=1e-14)
    kwds = {"groups": groups, "use_correction": False}
    clustered = model.fit(cov_type="cluster", cov_kwds=kwds, tol=1e-14, maxiter=100)
    found = clustered_sandwich(X, y, fit, groups, weights)
    assert np.allclose(found, clustered.cov_params(), rtol=1e-8, atol=1e-14)


def test_products_in_blocks_are_products():
    random = np.random.default_rng(9)
    A, B = random.normal(size=(70_000, 7)), random.normal(size=(70_000, 3))
    assert np.allclose(cross_product(A, B), A.T @ B, rtol=1e-10)
    assert np.allclose(linear_predictor(A, B[:7, 0]), A @ B[:7, 0], rtol=1e-10)
    assert cross_product(A[:0], B[:0]).tolist() == np.zeros((7, 3)).tolist()
    assert linear_predictor(A[:0], B[:7, 0]).tolist() == []
