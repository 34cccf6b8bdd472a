import numpy as np
import pytest
from statsmodels.stats.meta_analysis import combine_effects

from study.statistics.meta_analysis import combine

NAMES = {"fixed": "fixed", "dersimonian_laird": "dl"}
# metafor's search for these ends at a coarser tolerance; here the equations are solved to the last digit.
ITERATED = {"paule_mandel": ("pm", 1e-3), "reml": ("reml", 1e-5)}


@pytest.mark.parametrize("method", NAMES)
def test_agrees_with_metafor(expected, method):
    reference = expected("pooling")
    wanted = reference[NAMES[method]]
    found = combine(reference["log_rr"], reference["se"], method)
    assert found.estimate == pytest.approx(wanted["est"], rel=1e-9)
    assert found.std_error == pytest.approx(wanted["se"], rel=1e-9)
    assert found.tau2 == pytest.approx(wanted["tau2"], rel=1e-9)
    ratio = found.ratio(0.95)
    assert (ratio.estimate, ratio.ci_low, ratio.ci_high) == pytest.approx(
        (wanted["rr"], wanted["lo"], wanted["hi"]), rel=1e-9
    )
    assert (found.q, found.q_p_value) == pytest.approx((reference["Q"], reference["Q_p"]), rel=1e-9)
    assert 100 * found.i_squared == pytest.approx(reference["I2_dl"], rel=1e-9)


@pytest.mark.parametrize("method", ITERATED)
def test_agrees_with_what_metafor_iterated_to(expected, method):
    reference = expected("pooling")
    name, agreed = ITERATED[method]
    found = combine(reference["log_rr"], reference["se"], method)
    assert found.estimate == pytest.approx(reference[name]["est"], rel=agreed)
    assert found.std_error == pytest.approx(reference[name]["se"], rel=agreed)


def test_paule_mandel_solves_its_equation_and_agrees_with_statsmodels(expected):
    reference = expected("pooling")
    b, s = np.array(reference["log_rr"]), np.array(reference["se"])
    found = combine(b, s, "paule_mandel")
    weights = 1 / (s**2 + found.tau2)
    assert (weights * (b - found.estimate) ** 2).sum() == pytest.approx(len(b) - 1, rel=1e-9)
    theirs = combine_effects(b, s**2, method_re="pm", atol=1e-12, maxiter=1000)
    assert found.tau2 == pytest.approx(theirs.tau2, rel=1e-6)


def test_reml_is_a_maximum(expected):
    reference = expected("pooling")
    b, v = np.array(reference["log_rr"]), np.array(reference["se"]) ** 2
    found = combine(b, np.sqrt(v), "reml")

    def likelihood(tau2):
        w = 1 / (v + tau2)
        mean = np.average(b, weights=w)
        return (np.log(w).sum() - np.log(w.sum()) - (w * (b - mean) ** 2).sum()) / 2

    assert likelihood(found.tau2) > max(likelihood(found.tau2 * 0.99), likelihood(found.tau2 * 1.01))


def test_groups_that_agree_and_a_single_group():
    alike = [combine([0.1, 0.1], [0.2, 0.2], method) for method in (*NAMES, *ITERATED)]
    assert {(round(found.estimate, 12), found.tau2) for found in alike} == {(0.1, 0.0)}
    one = combine([0.1], [0.2], "reml")
    assert (one.estimate, one.std_error, one.tau2) == pytest.approx((0.1, 0.2, 0.0))
    with pytest.raises(ValueError, match="positive standard errors"):
        combine([0.1], [0.0], "fixed")
