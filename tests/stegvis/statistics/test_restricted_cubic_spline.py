import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stegvis.statistics.restricted_cubic_spline import Normalization, basis, curve, knots_of, percentile
from stegvis.statistics.risk_ratio import Fit, fit_risk_ratio
from stegvis.statistics.terms import Categorical, Linear
from tests.stegvis.conftest import PROTOCOL

HC0 = PROTOCOL.models.model_copy(update={"variance": "hc0"})
COVARIATES = [
    Linear("age"),
    Linear("women"),
    Categorical("edu", (1, 2, 3)),
    Categorical("smoke", ("never", "former", "current")),
    Linear("bmi"),
]
IN_R: dict[int, Normalization] = {0: "none", 1: "last_gap", 2: "range"}
CURVES = ["volume_3", "volume_4", "volume_5", "intensity_3", "intensity_4"]


def fitted(cohort, column, knots) -> tuple[Fit, list[str]]:
    columns = basis(cohort[column].to_numpy(), knots)
    names = [f"s{number}" for number in range(1, columns.shape[1] + 1)]
    frame = cohort.assign(**dict(zip(names, columns.T, strict=True)))
    fit = fit_risk_ratio(frame, [*(Linear(name) for name in names), *COVARIATES], HC0, outcome="clbp")
    assert isinstance(fit, Fit)
    return fit, names


@pytest.mark.parametrize("knots", [3, 4, 5, 6])
@pytest.mark.parametrize("normalization", [0, 1, 2])
def test_the_basis_is_that_of_r(expected, knots, normalization):
    answer = expected("rcs")[f"basis_nk{knots}_norm{normalization}"]
    found = basis(np.array(answer["x"]), answer["knots"], IN_R[normalization])
    # R printed fifteen digits; a cubic term is a difference of numbers larger than itself.
    assert np.allclose(found, np.array(answer["basis"]), rtol=1e-12, atol=1e-12 * np.abs(answer["basis"]).max())


@pytest.mark.parametrize("name", CURVES)
def test_knots_curves_and_tests_agree_with_r(cohort, expected, name):
    answer = expected("rcs")[name]
    knots = knots_of(cohort[answer["var"]].to_numpy(), answer["nk"], "type_7")
    assert knots == pytest.approx(answer["knots"], rel=1e-12)
    fit, names = fitted(cohort, answer["var"], knots)
    for term, row in zip(names, answer["coefs"], strict=True):
        assert fit.coefficients[term] == pytest.approx(row["coef"], rel=1e-6)
        assert fit.ratio(term).std_error == pytest.approx(row["se"], rel=1e-6)
    for test, tested in (("wald_overall", names), ("wald_nonlinear", names[1:])):
        found = fit.joint_wald(tested)
        assert found.chi2 == pytest.approx(answer[test]["chi2"], rel=1e-6)
        assert found.degrees_of_freedom == answer[test]["df"]
        assert found.p_value == pytest.approx(answer[test]["p"], rel=1e-6)
    points = answer["curve"]
    drawn = curve(
        fit.coefficients[names].to_numpy(),
        fit.covariance.loc[names, names].to_numpy(),
        knots,
        [point["x"] for point in points],
        answer["ref"],
        0.95,
    )
    for point, ratio in zip(points, drawn.ratios, strict=True):
        assert ratio.estimate == pytest.approx(point["rr"], rel=1e-6)
        assert ratio.ci_low == pytest.approx(point["lo"], rel=1e-6)
        assert ratio.ci_high == pytest.approx(point["hi"], rel=1e-6)
        assert ratio.std_error == pytest.approx(point["se"], rel=1e-6, abs=1e-15)


def test_a_normalization_changes_no_fit(cohort):
    knots = knots_of(cohort["walk_min"].to_numpy(), 4)
    X = basis(cohort["walk_min"].to_numpy(), knots)
    for normalization in ("none", "last_gap"):
        other = basis(cohort["walk_min"].to_numpy(), knots, normalization)
        ratio = other[:, 1:].max(axis=0) / X[:, 1:].max(axis=0)
        assert np.allclose(other[:, 1:], X[:, 1:] * ratio, rtol=1e-9)


@given(st.lists(st.floats(0, 100), min_size=3, max_size=6, unique=True).map(sorted))
def test_the_curve_is_straight_beyond_the_outer_knots(knots):
    if np.diff(knots).min() < 1e-2:
        return
    for start, step in ((knots[0] - 30, 10.0), (knots[-1], 10.0)):
        y = basis(start + step * np.arange(4), knots)
        assert np.abs(np.diff(y, n=2, axis=0)).max() <= 1e-6 * max(1, np.abs(y).max())
    assert (basis(np.array([knots[0] - 1, knots[0]]), knots)[:, 1:] == 0).all()


def test_stata_percentiles_are_means_of_neighbors():
    ten = np.arange(1.0, 11.0)
    assert percentile(ten, [0.10, 0.50, 0.90], "stata").tolist() == [1.5, 5.5, 9.5]
    assert percentile(ten, [0.10, 0.50, 0.90], "type_7") == pytest.approx([1.9, 5.5, 9.1])
    assert knots_of(ten, 3, "stata") == (1.5, 5.5, 9.5)


@pytest.mark.parametrize("knots", [(1, 2), (1, 2, 2), (3, 2, 1)])
def test_knots_that_do_not_rise_are_refused(knots):
    with pytest.raises(ValueError, match="three knots"):
        basis(np.array([1.0]), knots)


def test_knots_that_coincide_in_a_sample_are_refused():
    with pytest.raises(ValueError, match="three knots"):
        knots_of(np.array([1.0] * 20 + [2.0]), 3)
