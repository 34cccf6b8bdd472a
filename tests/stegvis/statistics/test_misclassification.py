import numpy as np
import pytest
from scipy import stats

from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.misclassification import (
    CorrectedRatios,
    corrected_cases,
    corrected_risks,
    prior_draws,
    probabilistic_ratios,
    specificity_floor,
)

AGREED = 1e-9


def reported(reference):
    return np.array(reference["events"]) / np.array(reference["n"])


def test_agrees_with_the_reference(expected, oracle_rows):
    reference, draws = expected("qba_outcome"), oracle_rows("qba_draws")
    risks = reported(reference)
    assert list(risks[1:] / risks[0]) == pytest.approx(reference["observed_rr"], rel=AGREED)
    once = corrected_risks(risks, 0.80, 0.97)
    assert list(once[1:] / once[0]) == pytest.approx(reference["simple_se80_sp97"], rel=AGREED)
    found = probabilistic_ratios(
        risks, draws["se"].to_numpy(), draws["sp"].to_numpy(), confidence=0.95, largest_impossible_share=0.1
    )
    assert isinstance(found, CorrectedRatios)
    assert found.quantiles.T.tolist() == [pytest.approx(row, rel=AGREED) for row in reference["quantiles_2.5_50_97.5"]]
    assert (found.used, found.dropped) == (reference["draws_used"], reference["draws_dropped"])
    assert specificity_floor(risks) == pytest.approx(reference["sp_floor"], rel=AGREED)


def test_the_printed_examples(expected):
    """R package episensr; and the reference's own corrected counts."""
    for case in expected("evalue_qba")["misclassification_outcome"]:
        exposed, unexposed, exposed_others, unexposed_others = expected("evalue_qba")["misclassification_outcome"][0][
            "input"
        ]
        totals = exposed + exposed_others, unexposed + unexposed_others
        pairs = zip((exposed, unexposed), totals, case["se"], case["sp"], strict=True)
        cases = [corrected_cases(*pair) for pair in pairs]
        assert cases == pytest.approx([case["result"]["A"], case["result"]["B"]], rel=AGREED)
        ratio = cases[0] / totals[0] / (cases[1] / totals[1])
        assert ratio == pytest.approx(case["result"]["rr"], rel=AGREED)
        difference = cases[0] / totals[0] - cases[1] / totals[1]
        assert difference == pytest.approx(case["result"]["rd"], rel=AGREED)


def test_perfect_reporting_changes_nothing():
    risks = np.array([0.17, 0.15, 0.13])
    assert list(corrected_risks(risks, 1.0, 1.0)) == pytest.approx(list(risks))


def test_impossible_errors_are_refused_and_counted():
    risks = np.array([0.17, 0.13])
    assert isinstance(corrected_risks(risks, 0.8, 0.87), NotEstimable)
    assert isinstance(corrected_risks(risks, 0.15, 0.99), NotEstimable)
    assert isinstance(corrected_cases(13, 100, 0.8, 0.8), NotEstimable)
    specificity = np.r_[np.full(95, 0.97), np.full(5, 0.80)]
    kept = probabilistic_ratios(risks, np.full(100, 0.8), specificity, confidence=0.95, largest_impossible_share=0.1)
    assert (kept.used, kept.dropped) == (95, 5)
    refused = probabilistic_ratios(
        risks, np.full(100, 0.8), specificity, confidence=0.95, largest_impossible_share=0.04
    )
    assert isinstance(refused, NotEstimable)


def test_sampling_error_alone_is_that_of_the_ratio():
    risks, errors = np.array([0.17, 0.13]), np.array([0.008, 0.007])
    found = probabilistic_ratios(
        risks,
        np.ones(100_000),
        np.ones(100_000),
        confidence=0.95,
        largest_impossible_share=0.1,
        covariance=np.diag(errors**2),
        random=np.random.default_rng(1),
    )
    width = 1.959964 * np.sqrt(((errors / risks) ** 2).sum())
    limits = np.log(risks[1] / risks[0]) + width * np.array([-1, 1])
    assert np.log(found.quantiles[[0, 2], 0]) == pytest.approx(limits, abs=0.003)


def test_priors_have_their_distribution():
    random = np.random.default_rng(1)
    a, b, c, d = 0.6, 0.7, 0.8, 1.0
    drawn = prior_draws("trapezoidal", (a, b, c, d), 20_000, random)
    theirs = stats.trapezoid((b - a) / (d - a), (c - a) / (d - a), loc=a, scale=d - a)
    shares = np.linspace(0.01, 0.99, 25)
    assert np.quantile(drawn, shares) == pytest.approx(theirs.ppf(shares), abs=0.005)
    drawn = prior_draws("beta", (8, 2), 20_000, random)
    assert np.quantile(drawn, shares) == pytest.approx(stats.beta(8, 2).ppf(shares), abs=0.01)
    assert set(prior_draws("trapezoidal", (0.9, 0.9, 0.9, 0.9), 3, random)) == {0.9}


@pytest.mark.parametrize(
    ("shape", "values"),
    [("beta", (1, 2, 3)), ("beta", (0, 2)), ("trapezoidal", (0.9, 0.8, 0.95, 1)), ("trapezoidal", (0.5, 1.2))],
)
def test_an_invalid_prior_is_refused(shape, values):
    with pytest.raises(ValueError, match="prior has"):
        prior_draws(shape, values, 10, np.random.default_rng(1))


def test_draws_must_agree_in_number_and_sampling_error_needs_a_generator():
    risks, options = np.array([0.2, 0.15]), {"confidence": 0.95, "largest_impossible_share": 0.1}
    with pytest.raises(ValueError, match="as many draws"):
        probabilistic_ratios(risks, np.full(10, 0.8), np.full(9, 0.97), **options)
    with pytest.raises(ValueError, match="source of draws"):
        probabilistic_ratios(risks, np.full(10, 0.8), np.full(10, 0.97), covariance=np.eye(2) * 1e-5, **options)
