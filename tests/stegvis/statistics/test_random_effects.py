import math

import numpy as np
import pytest

from stegvis.statistics.meta_analysis import combine
from stegvis.statistics.random_effects import random_effects, tau2_interval

# The 13 trials of BCG vaccination in Colditz et al. 1994 (JAMA 271(9):698-702): cases and others, vaccinated and not.
BCG = np.array([
    [4, 119, 11, 128], [6, 300, 29, 274], [3, 228, 11, 209], [62, 13536, 248, 12619], [33, 5036, 47, 5761],
    [180, 1361, 372, 1079], [8, 2537, 10, 619], [505, 87886, 499, 87892], [29, 7470, 45, 7232], [17, 1699, 65, 1600],
    [186, 50448, 141, 27197], [5, 2493, 3, 2338], [27, 16886, 29, 17825],
])  # fmt: skip


def bcg():
    a, b, c, d = BCG.T
    return np.log(a / (a + b) / (c / (c + d))), np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))


def test_reproduces_the_published_analysis_of_the_bcg_trials():
    """As printed for these data by metafor (Viechtbauer 2010, doi 10.18637/jss.v036.i03): REML, Q-profile, knha."""
    found = random_effects(*bcg(), 0.95)
    assert found.tau2.estimate == pytest.approx(0.3132, abs=5e-5)
    assert (found.tau2.low, found.tau2.high) == pytest.approx((0.1197, 1.1115), abs=5e-5)
    assert found.i_squared.estimate == pytest.approx(0.9222, abs=5e-5)
    assert (found.i_squared.low, found.i_squared.high) == pytest.approx((0.8192, 0.9768), abs=5e-5)
    assert (found.mean.estimate, found.mean.low, found.mean.high) == pytest.approx(
        (-0.7145, -1.1084, -0.3206), abs=5e-5
    )
    assert found.p_value == pytest.approx(0.0019, abs=5e-5)
    assert found.combined.q == pytest.approx(152.233, abs=5e-4)


def test_agrees_with_the_formulas_written_out_in_r(expected):
    """The same formulas in base R 4.2.2 (optimize, uniroot, qt), on the oracle's four estimates."""
    reference = expected("pooling")
    found = random_effects(np.array(reference["log_rr"]), np.array(reference["se"]), 0.95)
    assert found.std_error == pytest.approx(0.04781910802044, rel=1e-7)
    assert (found.mean.low, found.mean.high) == pytest.approx((-0.36904245539363, -0.06467896811043), rel=1e-6)
    assert found.p_value == pytest.approx(0.02006752458101, rel=1e-6)
    assert (found.tau2.low, found.tau2.high) == pytest.approx((0, 0.132490092113), rel=1e-8)
    assert (found.i_squared.estimate, found.i_squared.high) == pytest.approx((0.345605292989, 0.957991720673), rel=1e-6)
    assert (found.prediction.low, found.prediction.high) == pytest.approx((-0.531718547177, 0.097997123673), rel=1e-6)


def test_two_groups_by_hand():
    """Two equal standard errors: without heterogeneity beyond chance, the interval is that of a mean of two numbers."""
    found = random_effects(np.array([0.0, 0.1]), np.array([0.1, 0.1]), 0.95)
    half = abs(0.1 - 0.0) / 2  # the standard error of the mean of two numbers is half their distance
    assert found.combined.tau2 == 0
    assert found.std_error == pytest.approx(half)
    assert found.mean.high - found.mean.estimate == pytest.approx(math.tan(0.475 * math.pi) * half)  # t with 1 df
    assert math.isnan(found.prediction.low)


def test_groups_closer_than_chance_do_not_narrow_the_cautious_interval():
    b, se = np.array([0.2, 0.2001, 0.1999]), np.array([0.1, 0.1, 0.1])
    found = random_effects(b, se, 0.95)
    wald = combine(b, se, "fixed").std_error
    assert found.scale < 1
    assert found.mean.high - found.mean.low < 2 * 1.96 * wald < found.cautious.high - found.cautious.low


def test_equal_estimates_have_an_interval_and_no_variance_between_them():
    found = random_effects(np.array([0.3, 0.3]), np.array([0.1, 0.2]), 0.95)
    assert (found.mean.low, found.mean.high) == pytest.approx((0.3, 0.3))
    assert found.cautious.low < 0.3 < found.cautious.high
    assert found.tau2 == type(found.tau2)(0.0, 0.0, 0.0)
    assert math.isnan(found.p_value) or found.p_value == 0


@pytest.mark.slow
def test_the_cautious_interval_covers_the_truth_with_few_groups():
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(2000):
        se = rng.uniform(0.05, 0.2, 4)
        b = rng.normal(-0.2, np.sqrt(se**2 + 0.1**2))
        interval = random_effects(b, se, 0.95).cautious
        covered += interval.low <= -0.2 <= interval.high
    assert covered / 2000 >= 0.935


@pytest.mark.parametrize("function", [random_effects, tau2_interval])
def test_one_group_cannot_be_combined(function):
    with pytest.raises(ValueError, match="at least two"):
        function(np.array([0.1]), np.array([0.1]), 0.95)
