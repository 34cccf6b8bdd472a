from decimal import Decimal, localcontext

import numpy as np
import pytest
from statsmodels.stats.meta_analysis import combine_effects

from stegvis.statistics.meta_analysis import combine

NAMES = {"fixed": "fixed", "dersimonian_laird": "dl"}
ITERATED = {"paule_mandel": "pm", "reml": "reml"}


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
def test_agrees_with_the_root_of_the_same_equation_to_fifty_digits(expected, method):
    reference = expected("pooling")
    b, s = (list(map(Decimal, map(str, reference[name]))) for name in ("log_rr", "se"))
    with localcontext(prec=50):
        v = [each**2 for each in s]
        tau2 = bisected(lambda tau2: EQUATIONS[method](b, v, tau2), Decimal(0), Decimal(1))
        weights = [1 / (each + tau2) for each in v]
        estimate, std_error = mean(b, weights), 1 / sum(weights).sqrt()
    found = combine(reference["log_rr"], reference["se"], method)
    assert (found.tau2, found.estimate, found.std_error) == pytest.approx(
        (float(tau2), float(estimate), float(std_error)), rel=1e-12
    )


@pytest.mark.parametrize("method", ITERATED)
def test_metafor_s_own_stopping_rule_leads_from_the_same_equation_to_its_numbers(expected, method):
    """So far metafor's printed values lie from the root: 3e-3 and 5e-6 of tau2."""
    reference = expected("pooling")
    b, v = np.array(reference["log_rr"]), np.array(reference["se"]) ** 2
    stopped = {"paule_mandel": as_uniroot_stops, "reml": as_scoring_stops}[method](b, v)
    wanted = reference[ITERATED[method]]
    weights = 1 / (v + stopped)
    assert (stopped, np.average(b, weights=weights), weights.sum() ** -0.5) == pytest.approx(
        (wanted["tau2"], wanted["est"], wanted["se"]), rel=1e-9
    )


def mean(b, weights):
    return sum(x * w for x, w in zip(b, weights, strict=True)) / sum(weights)


def paule_mandel_equation(b, v, tau2):
    weights = [1 / (each + tau2) for each in v]
    center = mean(b, weights)
    return len(b) - 1 - sum(w * (x - center) ** 2 for x, w in zip(b, weights, strict=True))


def reml_equation(b, v, tau2):
    weights = [1 / (each + tau2) for each in v]
    center = mean(b, weights)
    squares = sum(w**2 for w in weights)
    return sum(weights) - squares / sum(weights) - sum((w * (x - center)) ** 2 for x, w in zip(b, weights, strict=True))


EQUATIONS = {"paule_mandel": paule_mandel_equation, "reml": reml_equation}


def bisected(increasing, low, high):
    for _ in range(160):
        middle = (low + high) / 2
        low, high = (middle, high) if increasing(middle) < 0 else (low, middle)
    return low


def as_scoring_stops(b, v):
    """metafor's REML: Fisher scoring from the Hedges estimate until tau2 moves by no more than 1e-5."""
    tau2 = max(0.0, float(b.var(ddof=1) - v.mean()))
    while True:
        w = 1 / (v + tau2)
        P = np.diag(w) - np.outer(w, w) / w.sum()
        step = (b @ P @ P @ b - np.trace(P)) / np.trace(P @ P)
        tau2 += step
        if abs(step) <= 1e-5:
            return tau2


def as_uniroot_stops(b, v):
    """metafor's Paule-Mandel: R's uniroot between 0 and 100 with its default tolerance, the fourth root of epsilon.

    R searches by Brent's zeroin (Brent 1973, Algorithms for Minimization without Derivatives); scipy's variant of it
    stops elsewhere.
    """
    epsilon = np.finfo(float).eps
    tolerance = epsilon**0.25

    def f(tau2):
        return -paule_mandel_equation(list(b), list(v), tau2)

    a, x = 0.0, 100.0
    fa, fx = f(a), f(x)
    c, fc = a, fa
    while True:
        before = x - a
        if abs(fc) < abs(fx):
            a, x, c, fa, fx, fc = x, c, x, fx, fc, fx
        least = 2 * epsilon * abs(x) + tolerance / 2
        step = (c - x) / 2
        if abs(step) <= least or fx == 0:
            return x
        if abs(before) >= least and abs(fa) > abs(fx):
            if a == c:
                p, q = (c - x) * fx / fa, 1 - fx / fa
            else:
                t, u, w = fa / fc, fx / fc, fx / fa
                p, q = w * ((c - x) * t * (t - u) - (x - a) * (u - 1)), (t - 1) * (u - 1) * (w - 1)
            p, q = (p, -q) if p > 0 else (-p, q)
            if p < min(0.75 * (c - x) * q - abs(least * q) / 2, abs(before * q / 2)):
                step = p / q
        a, fa = x, fx
        x += step if abs(step) >= least else np.copysign(least, step)
        fx = f(x)
        if fx * fc > 0:
            c, fc = a, fa


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
