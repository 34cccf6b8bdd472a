import numpy as np
import pytest

from stegvis.statistics.attrition_weights import (
    ResponseWeights,
    effective_sample_size,
    response_weights,
    stacked_covariance,
    standardized_difference,
    truncated,
)
from stegvis.statistics.contract import NotEstimable, prepare
from stegvis.statistics.irls import MatrixFit, fit_matrix
from stegvis.statistics.terms import Linear
from tests.stegvis.statistics.oracle_models import COVARIATES, HC0, VOLUME

AGREED = 1e-6


@pytest.fixture
def rows(oracle_rows):
    frame = oracle_rows("attrition")
    return frame.assign(age_squared=frame["age"] ** 2, took_part=frame["took_part"].astype("float64"))


@pytest.fixture
def designs(rows):
    predictors = [Linear("age"), Linear("age_squared"), *COVARIATES[1:], Linear("walk_min"), Linear("walk_met")]
    baseline = prepare(rows, predictors, HC0, outcome="took_part")
    alone = prepare(rows, [VOLUME], HC0, outcome="took_part")
    return baseline.X.to_numpy(), alone.X.to_numpy(), baseline.y == 1


@pytest.fixture
def weights(designs) -> ResponseWeights:
    baseline, alone, answered = designs
    found = response_weights(answered, baseline, alone, HC0)
    assert isinstance(found, ResponseWeights)
    return found


def outcome_fit(rows, weights):
    design = prepare(rows[rows["took_part"] == 1], [VOLUME, *COVARIATES], HC0, outcome="clbp")
    return design.X.to_numpy(), fit_matrix(design.X.to_numpy(), design.y, "poisson", weights=weights)


def test_models_and_weights_agree_with_r(weights, expected):
    reference = expected("ipw_attrition")
    assert list(weights.denominator.coefficients) == pytest.approx(list(reference["den_coef"].values()), rel=AGREED)
    assert list(weights.numerator.coefficients) == pytest.approx(list(reference["num_coef"].values()), rel=AGREED)
    stabilized, theirs = weights.stabilized, reference["weights"]
    assert list(stabilized[:5]) == pytest.approx(reference["first5_w_st"], rel=AGREED)
    assert stabilized.mean() == pytest.approx(theirs["mean_st"], rel=AGREED)
    assert stabilized.std(ddof=1) == pytest.approx(theirs["sd_st"], rel=AGREED)
    assert (stabilized.min(), stabilized.max()) == pytest.approx((theirs["min_st"], theirs["max_st"]), rel=AGREED)
    assert effective_sample_size(stabilized) == pytest.approx(theirs["ess_st"], rel=AGREED)
    assert weights.unstabilized.mean() == pytest.approx(theirs["mean_un"], rel=AGREED)
    cut = truncated(stabilized, 0.01, 0.99)
    assert (cut.min(), cut.max()) == pytest.approx(theirs["trunc_limits"], rel=AGREED)
    assert cut.mean() == pytest.approx(theirs["mean_tr"], rel=AGREED)
    assert effective_sample_size(cut) == pytest.approx(theirs["ess_tr"], rel=AGREED)


@pytest.mark.parametrize("name", ["unweighted", "stabilised", "unstabilised", "truncated_1_99"])
def test_weighted_ratios_agree_with_r(rows, weights, expected, name):
    used = {
        "unweighted": np.ones(int(weights.answered.sum())),
        "stabilised": weights.stabilized,
        "unstabilised": weights.unstabilized,
        "truncated_1_99": truncated(weights.stabilized, 0.01, 0.99),
    }[name]
    reference = expected("ipw_attrition")[name]
    table = reference if isinstance(reference, list) else reference["table"]
    _, fit = outcome_fit(rows, used)
    errors = np.sqrt(np.diag(fit.robust_covariance))
    assert list(fit.coefficients) == pytest.approx([row["coef"] for row in table], rel=AGREED)
    assert list(errors) == pytest.approx([row["se"] for row in table], rel=AGREED)
    if name != "unweighted":
        n = len(used)
        assert list(errors * np.sqrt(n / (n - 1))) == pytest.approx(reference["svyglm_se"], rel=AGREED)


def test_errors_that_allow_for_estimated_weights_agree_with_r(rows, designs, weights, expected):
    baseline, alone, _ = designs
    X, fit = outcome_fit(rows, weights.stabilized)
    errors = np.sqrt(np.diag(stacked_covariance(weights, baseline, alone, X, fit)))
    reference = expected("ipw_attrition")["stacked_M_estimation_stabilised"]
    assert list(errors) == pytest.approx([row["se"] for row in reference], rel=1e-4)


def test_weights_balance_respondents_and_non_respondents(rows, weights):
    for name in ("age", "bmi", "walk_min"):
        values = rows[name].to_numpy(dtype="float64")
        plain = standardized_difference(values, weights.answered)
        weighted = standardized_difference(values, weights.answered, weights.both_groups)
        assert abs(plain) > 0.05
        assert abs(weighted) < 0.01


def test_the_difference_of_two_known_groups():
    answered = np.repeat([True, False], 4)
    values = np.array([1, 1, 1, 0, 1, 0, 0, 0], dtype="float64")
    assert standardized_difference(values, answered) == pytest.approx(0.5 / np.sqrt(0.75 * 0.25))
    assert np.isnan(standardized_difference(np.ones(8), answered))
    assert np.isnan(standardized_difference(values, np.ones(8, dtype=bool)))


def test_equal_weights_keep_the_sample_size_and_truncation_needs_order():
    assert effective_sample_size(np.full(7, 3.0)) == pytest.approx(7)
    with pytest.raises(ValueError, match="in order"):
        truncated(np.ones(3), 0.9, 0.1)


def test_response_determined_by_one_covariate_is_refused():
    answered = np.repeat([True, False], 30)
    decided = np.column_stack([np.ones(60), answered])
    assert isinstance(response_weights(answered, decided, np.ones((60, 1)), HC0), NotEstimable)


@pytest.mark.filterwarnings("error")
def test_a_respondent_with_probability_1_and_a_non_respondent_with_probability_0_have_weight_1():
    """Each group is divided by its own probability only; the other one may be 0."""
    answered, p = np.array([True, False, True]), np.array([1.0, 0.0, 0.5])
    nothing = np.zeros((3, 1))
    fit = MatrixFit(np.zeros(1), p, nothing, p, np.eye(1), True)
    weights = ResponseWeights(answered, denominator=fit, numerator=fit)
    assert weights.both_groups.tolist() == [1.0, 1.0, 2.0]
    assert weights.stabilized.tolist() == [1.0, 1.0]
    assert weights.unstabilized.tolist() == [1.0, 2.0]
