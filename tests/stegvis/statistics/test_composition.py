import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import norm

from stegvis.statistics.composition import (
    center,
    closure,
    fit_composition,
    ilr,
    impute_zeros,
    inverse_ilr,
    pivot_basis,
)
from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.risk_ratio import fit_risk_ratio
from stegvis.statistics.terms import Linear
from tests.stegvis.conftest import PROTOCOL

HC0 = PROTOCOL.models.model_copy(update={"variance": "hc0"})
PARTS = ["lying", "sitting", "standing", "walking", "active"]
DAY = 1440.0


@pytest.fixture
def frame():
    random = np.random.default_rng(7)
    parts = closure(np.exp(random.normal([6.2, 6.3, 5.5, 4.6, 1.0], [0.2, 0.3, 0.3, 0.4, 1.0], (2500, 5))), DAY)
    age = random.normal(55, 10, 2500)
    risk = 0.2 * np.exp(-0.3 * (np.log(parts[:, 3]) - 4.6) + 0.01 * (age - 55))
    return pd.DataFrame(parts, columns=PARTS).assign(age=age, low_back_pain=(random.random(2500) < risk) * 1)


def fitted(frame, parts=PARTS, **options):
    fit = fit_composition(frame, parts, [Linear("age")], HC0, total=DAY, **options)
    assert not isinstance(fit, NotEstimable)
    return fit


def test_closure_keeps_ratios_and_sums_to_the_total():
    closed = closure(np.array([[1.0, 2.0, 5.0], [3.0, 3.0, 0.0]]), DAY)
    assert np.allclose(closed, [[180, 360, 900], [720, 720, 0]], rtol=1e-14)


@pytest.mark.parametrize("row", [[-1.0, 2.0], [0.0, 0.0], [np.nan, 1.0]])
def test_invalid_parts_cannot_be_closed(row):
    with pytest.raises(ValueError, match="parts of a whole"):
        closure(np.array([row]), 1.0)


@pytest.mark.parametrize("parts", [2, 3, 5])
def test_the_basis_is_orthonormal_and_every_column_a_contrast(parts):
    basis = pivot_basis(parts)
    assert np.allclose(basis.T @ basis, np.eye(parts - 1), atol=1e-14)
    assert np.allclose(basis.sum(axis=0), 0, atol=1e-14)


def test_coordinates_of_a_day_worked_by_hand():
    # sqrt(2/3) ln(4 / sqrt(1 * 2)) and sqrt(1/2) ln(1 / 2)
    expected = [math.sqrt(2 / 3) * math.log(4 / math.sqrt(2)), math.sqrt(1 / 2) * math.log(1 / 2)]
    assert np.allclose(ilr(np.array([[4.0, 1.0, 2.0]])), [expected], rtol=1e-14)


def test_coordinates_do_not_depend_on_the_total_and_can_be_inverted(frame):
    parts = frame[PARTS].to_numpy()
    assert np.allclose(ilr(parts), ilr(parts / 60), atol=1e-12)
    assert np.allclose(inverse_ilr(ilr(parts), DAY), parts, rtol=1e-12)


def test_a_zero_has_no_coordinates():
    with pytest.raises(ValueError, match="positive"):
        ilr(np.array([[1.0, 0.0]]))


def test_the_center_is_the_closed_geometric_mean():
    # Geometric means 2, 2 and 1: closed to 1440 that is 576, 576 and 288.
    assert np.allclose(center(np.array([[1.0, 4.0, 1.0], [4.0, 1.0, 1.0]]), DAY), [576, 576, 288], rtol=1e-13)


def test_no_basis_and_no_order_of_parts_changes_an_estimate(frame):
    usual = fitted(frame)
    turned, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))
    others = [fitted(frame, basis=pivot_basis(5) @ turned), fitted(frame, PARTS[::-1])]
    for other, (a, b) in itertools.product(others, itertools.permutations(PARTS[:4], 2)):
        found, expected = other.reallocation(a, b, 30), usual.reallocation(a, b, 30)
        assert found.estimate == pytest.approx(expected.estimate, rel=1e-9)
        assert found.std_error == pytest.approx(expected.std_error, rel=1e-7)
        assert other.joint.chi2 == pytest.approx(usual.joint.chi2, rel=1e-7)
        assert other.fit.log_likelihood == pytest.approx(usual.fit.log_likelihood, rel=1e-12)


def test_it_is_equivalent_to_the_model_of_plain_log_ratios(frame):
    """Additive log-ratios against lying, fitted apart: the same likelihood, and each ratio written out by hand."""
    logs = {f"log_{part}": np.log(frame[part] / frame["lying"]) for part in PARTS[1:]}
    plain = fit_risk_ratio(frame.assign(**logs), [*map(Linear, logs), Linear("age")], HC0)
    fit = fitted(frame)
    assert fit.fit.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-12)
    a = plain.coefficients[list(logs)]
    assert np.allclose(fit.log_contrast[PARTS[1:]], a, rtol=1e-7)
    assert fit.log_contrast["lying"] == pytest.approx(-a.sum(), rel=1e-7)
    # 30 minutes from sitting to walking, around the mean day.
    mean = fit.center
    d = pd.Series(0.0, logs)
    d["log_sitting"] = math.log((mean["sitting"] - 30) / mean["sitting"])
    d["log_walking"] = math.log((mean["walking"] + 30) / mean["walking"])
    V = plain.covariance.loc[list(logs), list(logs)]
    found = fit.reallocation("sitting", "walking", 30)
    assert found.estimate == pytest.approx(math.exp(d @ a), rel=1e-8)
    assert found.std_error == pytest.approx(math.sqrt(d @ V @ d), rel=1e-7)
    assert fit.joint.chi2 == pytest.approx(plain.joint_wald(list(logs)).chi2, rel=1e-7)


def test_the_log_contrast_sums_to_zero_and_the_center_to_the_day(frame):
    fit = fitted(frame)
    assert fit.log_contrast.sum() == pytest.approx(0, abs=1e-12)
    assert np.allclose(fit.covariance.sum(), 0, atol=1e-12)
    assert fit.center.sum() == pytest.approx(DAY)
    assert fit.doubling("walking").estimate == pytest.approx(2 ** fit.log_contrast["walking"], rel=1e-12)


def test_moving_no_time_or_moving_it_to_itself_is_a_ratio_of_one(frame):
    fit = fitted(frame)
    for moved in (fit.reallocation("sitting", "walking", 0), fit.reallocation("sitting", "sitting", 30)):
        assert (moved.estimate, moved.std_error, moved.p_value) == (1, 0, 1)


def test_more_minutes_than_available_cannot_be_reallocated(frame):
    moved = fitted(frame).reallocation("active", "walking", 30)
    assert isinstance(moved, NotEstimable)
    assert moved.reason == "the mean day has less than 30 min of active"


def test_an_unknown_part_is_refused(frame):
    fit = fitted(frame)
    with pytest.raises(KeyError):
        fit.doubling("sleeping")


@pytest.fixture
def censored(frame):
    """What was under the limit is seen as zero; limits differ between people."""
    parts = frame[PARTS].to_numpy()
    limits = np.where(np.arange(len(parts)) % 2, 0.8, 1.6)
    return np.where(np.arange(5) == 4, parts * (parts >= limits[:, None]), parts), limits


def test_imputed_zeros_are_positive_below_their_limits_and_the_rest_untouched(censored):
    parts, limits = censored
    filled = impute_zeros(parts, 4, limits)
    zero = parts[:, 4] == 0
    assert 0.05 < zero.mean() < 0.6
    assert (filled[zero, 4] > 0).all()
    assert (filled[zero, 4] < limits[zero]).all()
    assert np.array_equal(filled[~zero], parts[~zero])
    assert np.array_equal(filled[:, :4], parts[:, :4])


def test_imputation_ends_at_the_maximum_likelihood_of_the_censored_regression(censored):
    parts, limits = censored
    zero = parts[:, 4] == 0
    X = np.column_stack([np.ones(len(parts)), np.log(parts[:, :3] / parts[:, 3:4])])
    seen = np.log(np.where(zero, limits, parts[:, 4]) / parts[:, 3])

    def minus_log_likelihood(b):
        mean, spread = X @ b[:4], math.exp(b[4])
        each = np.where(zero, norm.logcdf(seen, mean, spread), norm.logpdf(seen, mean, spread))
        return -each.sum()

    start = np.append(np.linalg.lstsq(X, seen, rcond=None)[0], 0.0)
    b = minimize(minus_log_likelihood, start, method="BFGS", options={"gtol": 1e-6}).x
    mean, spread = X @ b[:4], math.exp(b[4])
    z = (seen - mean) / spread
    expected = np.exp(mean - spread * norm.pdf(z) / norm.cdf(z)) * parts[:, 3]
    assert np.allclose(impute_zeros(parts, 4, limits)[zero, 4], expected[zero], rtol=1e-4)


def test_imputation_depends_on_ratios_only_and_not_on_the_reference(censored):
    parts, limits = censored
    usual = impute_zeros(parts, 4, limits)
    assert np.allclose(impute_zeros(parts / 60, 4, limits / 60) * 60, usual, rtol=1e-6)
    order = [4, 3, 0, 2, 1]
    assert np.allclose(impute_zeros(parts[:, order], 0, limits), usual[:, order], rtol=1e-6)


def test_without_zeros_nothing_is_imputed(frame):
    parts = frame[PARTS].to_numpy()
    assert np.array_equal(impute_zeros(parts, 4, 0.1), parts)


def test_data_that_cannot_be_imputed_are_refused(censored):
    parts, limits = censored
    with pytest.raises(ValueError, match="only one part"):
        impute_zeros(parts, 3, limits)
    with pytest.raises(ValueError, match="limits must be positive"):
        impute_zeros(parts, 4, 0.0)
    with pytest.raises(ValueError, match="too few"):
        impute_zeros(parts * [1, 1, 1, 1, 0], 4, limits)
