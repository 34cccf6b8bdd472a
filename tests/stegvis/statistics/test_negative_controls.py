import math

import numpy as np
import pytest
from scipy.stats import norm

from stegvis.statistics.negative_controls import EmpiricalNull, empirical_null


def test_agrees_with_the_reference(expected):
    reference = expected("calibration")
    null = empirical_null(reference["neg_log_rr"], reference["neg_se"])
    assert null.mean == pytest.approx(reference["mean"], abs=1e-5)
    assert null.sd == pytest.approx(reference["sd"], rel=1e-5)
    found = null.calibrated(reference["target_log_rr"], reference["target_se"], 0.95)
    assert math.log(found.estimate) == pytest.approx(reference["calibrated_log_rr"], rel=1e-5)
    assert found.std_error == pytest.approx(reference["calibrated_se"], rel=1e-5)
    assert found.p_value == pytest.approx(reference["calibrated_p"], rel=1e-5)


def test_without_sampling_error_the_null_is_the_spread_of_the_estimates():
    null = empirical_null([1.0, 2.0], [0.0, 0.0])
    assert (null.mean, null.sd) == pytest.approx((1.5, 0.5), abs=1e-6)


def test_estimates_no_more_spread_than_chance_have_a_null_without_spread():
    assert empirical_null([0.1, 0.1, 0.1], [0.05, 0.05, 0.05]).sd == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 0.2), (0.3, 0.1), (-0.3, 0.1), (0.2, 0.0)])
def test_the_expected_absolute_error(mean, sd):
    draws = norm.ppf((np.arange(200_000) + 0.5) / 200_000, mean, sd or 1e-12)
    assert EmpiricalNull(mean, sd).expected_absolute_error == pytest.approx(np.abs(draws).mean(), abs=1e-4)


def test_one_control_is_too_few():
    with pytest.raises(ValueError, match="at least two"):
        empirical_null([0.1], [0.1])
