import numpy as np
import pytest
from scipy.stats import t

from stegvis.statistics.rubin import pool


def toy(expected):
    reference = expected("multiple_imputation")["rubin_toy"]
    Q, U = np.array(reference["Q"])[:, np.newaxis], np.array(reference["U"])[:, np.newaxis, np.newaxis]
    return reference, pool(Q, U, reference["n"] - reference["k"])


def test_agrees_with_mice(expected):
    reference, pooled = toy(expected)
    assert pooled.estimates[0] == pytest.approx(reference["qbar"], rel=1e-9)
    assert pooled.within[0, 0] == pytest.approx(reference["ubar"], rel=1e-9)
    assert pooled.between[0, 0] == pytest.approx(reference["b"], rel=1e-9)
    assert pooled.covariance[0, 0] == pytest.approx(reference["t"], rel=1e-9)
    assert pooled.degrees_of_freedom[0] == pytest.approx(reference["df"], rel=1e-9)
    assert pooled.fraction_missing[0] == pytest.approx(reference["fmi"], rel=1e-9)


def test_the_interval_is_that_of_a_t_distribution(expected):
    reference, pooled = toy(expected)
    ratio = pooled.ratio(0, 0.95)
    width = t.ppf(0.975, reference["df"]) * np.sqrt(reference["t"])
    assert np.log([ratio.ci_low, ratio.ci_high]) == pytest.approx([0.112 - width, 0.112 + width])


def test_the_joint_test_of_one_estimate_is_the_square_of_its_own(expected):
    _, pooled = toy(expected)
    test = pooled.joint_wald([0])
    assert test.chi2 == pytest.approx(0.112**2 / pooled.covariance[0, 0])
    assert test.degrees_of_freedom == 1
    assert 0.03 < test.p_value < 0.09


def test_copies_that_agree_leave_the_estimate_as_it_is():
    U = np.diag([0.01, 0.02])
    pooled = pool(np.tile([0.1, -0.2], (5, 1)), np.tile(U, (5, 1, 1)), 1000)
    assert pooled.covariance == pytest.approx(U)
    assert list(pooled.fraction_missing) == [0, 0]
    assert pooled.degrees_of_freedom == pytest.approx(1001 / 1003 * 1000)
    assert pooled.joint_wald([0, 1]).chi2 == pytest.approx(0.01 / 0.01 + 0.04 / 0.02)
    one = pool(np.array([[0.1, -0.2]]), U[np.newaxis], 1000)
    assert one.covariance == pytest.approx(U)


def test_shapes_must_fit():
    with pytest.raises(ValueError, match="m x k"):
        pool(np.ones((3, 2)), np.ones((3, 2)), 10)
    with pytest.raises(ValueError, match="m x k"):
        pool(np.ones((0, 2)), np.ones((0, 2, 2)), 10)
