import numpy as np
import pytest

from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.release_change import change, estimate
from stegvis.statistics.risk_ratio import fit_risk_ratio
from stegvis.statistics.terms import Categorical, Linear
from tests.stegvis.conftest import PROTOCOL

HC0 = PROTOCOL.models.model_copy(update={"variance": "hc0"})
TERMS = [
    Categorical("vol_cat", (1, 2, 3, 4)),
    Linear("age"),
    Linear("women"),
    Categorical("edu", (1, 2, 3)),
    Categorical("smoke", ("never", "former", "current")),
    Linear("bmi"),
]
NAMES = ["vol_cat[2]", "vol_cat[3]", "vol_cat[4]"]


def estimated(frame):
    found = estimate(frame.set_index("id"), TERMS, HC0, outcome="clbp")
    assert not isinstance(found, NotEstimable)
    return found


@pytest.fixture
def releases(cohort):
    """The first 3000 people; then all, with the outcome of every 97th corrected."""
    corrected = cohort["id"] % 97 == 0
    return cohort[cohort["id"] <= 3000], cohort.assign(clbp=cohort["clbp"].where(~corrected, 1 - cohort["clbp"]))


def test_the_change_and_its_error_agree_with_r(releases, expected):
    oracle = expected("release_change")
    old, new = map(estimated, releases)
    found = change(old, new, NAMES)
    assert np.allclose(old.coefficients[NAMES], oracle["log_rr_1"], rtol=1e-6)
    assert np.allclose(new.coefficients[NAMES], oracle["log_rr_2"], rtol=1e-6)
    assert np.allclose(found.difference, oracle["change"], rtol=1e-6)
    assert np.allclose([found.std_error(name) for name in NAMES], oracle["se_change"], rtol=1e-6)
    joint = found.difference @ np.linalg.solve(found.covariance, found.difference)
    assert joint == pytest.approx(oracle["joint_chi2"], rel=1e-6)


def test_influences_sum_to_zero_and_their_squares_to_the_sandwich(cohort):
    found = estimated(cohort)
    sandwich = fit_risk_ratio(cohort, TERMS, HC0, outcome="clbp").covariance
    assert np.allclose(found.influence.sum(), 0, atol=1e-8)
    assert np.allclose(found.influence.T @ found.influence, sandwich, rtol=1e-6, atol=1e-12)


def test_between_identical_releases_nothing_changed_for_sure(cohort):
    found = change(estimated(cohort), estimated(cohort.sample(frac=1, random_state=1)), NAMES)
    assert np.allclose(found.difference, 0, atol=1e-10)
    assert np.allclose([found.std_error(name) for name in NAMES], 0, atol=1e-10)
    same = change(estimated(cohort), estimated(cohort), NAMES)
    assert (same.difference == 0).all()
    assert (same.covariance.to_numpy() == 0).all()


def test_between_strangers_the_variances_add(cohort):
    halves = cohort[cohort["id"] <= 2000], cohort[cohort["id"] > 2000]
    old, new = map(estimated, halves)
    errors = [fit_risk_ratio(half, TERMS, HC0, outcome="clbp").ratio("vol_cat[4]").std_error for half in halves]
    assert change(old, new, NAMES).std_error("vol_cat[4]") == pytest.approx(np.hypot(*errors), rel=1e-6)


def test_there_and_back_again(releases):
    old, new = map(estimated, releases)
    there, back = change(old, new, NAMES), change(new, old, NAMES)
    assert np.array_equal(there.difference, -back.difference)
    assert np.array_equal(there.covariance, back.covariance)


def test_a_person_with_two_rows_is_refused(cohort):
    repeated = cohort.assign(id=1).set_index("id")
    with pytest.raises(ValueError, match="two rows"):
        estimate(repeated, TERMS, HC0, outcome="clbp")


def test_a_sample_without_enough_events_or_with_an_extreme_coefficient_has_no_estimate(cohort):
    people = cohort.set_index("id")
    few = estimate(people.assign(clbp=0), TERMS, HC0, outcome="clbp")
    assert isinstance(few, NotEstimable)
    assert "fewer than" in few.reason
    strict = HC0.model_copy(update={"largest_coefficient": 1e-6})
    extreme = estimate(people, TERMS, strict, outcome="clbp")
    assert isinstance(extreme, NotEstimable)
    assert "too large" in extreme.reason
