"""Several biases at once: they are undone exactly when the observed table is made by them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stegvis.statistics.combined_bias import (
    Accuracy,
    Biases,
    Confounder,
    SimulatedRatio,
    confounding_factor,
    corrected_ratio,
    drawn_risks,
    simulated_ratio,
)
from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.selection_bias import SelectedTable, before_selection

OUTCOME = Accuracy(sensitivity=(0.80, 0.76), specificity=(0.97, 0.95))
EXPOSURE = Accuracy(sensitivity=(0.90, 0.94), specificity=(0.96, 0.92))
SELECTION = SelectedTable(exposed_cases=0.4, unexposed_cases=0.3, exposed_others=0.5, unexposed_others=0.35)
CONFOUNDER = Confounder(prevalence=(0.15, 0.35), risk_ratio=1.8)
EVERY = Biases(OUTCOME, EXPOSURE, SELECTION, CONFOUNDER)


def observed(true_ratio: float, biases: Biases) -> tuple[tuple[float, float], tuple[float, float]]:
    """Risks and numbers of people recorded as exposed and unexposed, written out in the order in which errors arise."""
    unexposed_risk, exposed, unexposed = 0.2, 3000.0, 5000.0
    exposed_risk = unexposed_risk * true_ratio
    if biases.confounder:
        p1, p0, r = *biases.confounder.prevalence, biases.confounder.risk_ratio
        exposed_risk *= (p1 * r + 1 - p1) / (p0 * r + 1 - p0)
    a, b = exposed * exposed_risk, unexposed * unexposed_risk
    c, d = exposed - a, unexposed - b
    if biases.selection:
        a, b = a * biases.selection.exposed_cases, b * biases.selection.unexposed_cases
        c, d = c * biases.selection.exposed_others, d * biases.selection.unexposed_others
    if biases.exposure:
        (se1, se0), (sp1, sp0) = biases.exposure.sensitivity, biases.exposure.specificity
        a, b = a * se1 + b * (1 - sp1), a * (1 - se1) + b * sp1
        c, d = c * se0 + d * (1 - sp0), c * (1 - se0) + d * sp0
    if biases.outcome:
        (se1, se0), (sp1, sp0) = biases.outcome.sensitivity, biases.outcome.specificity
        a, c = a * se1 + c * (1 - sp1), a * (1 - se1) + c * sp1
        b, d = b * se0 + d * (1 - sp0), b * (1 - se0) + d * sp0
    return (a / (a + c), b / (b + d)), (a + c, b + d)


@pytest.mark.parametrize(
    "biases",
    [Biases(), *(replace(Biases(), **{name: value}) for name, value in vars(EVERY).items()), EVERY],
    ids=["none", "outcome", "exposure", "selection", "confounder", "all"],
)
@pytest.mark.parametrize("true_ratio", [0.7, 1.0, 1.6])
def test_what_the_biases_did_is_undone(biases: Biases, true_ratio: float) -> None:
    risks, people = observed(true_ratio, biases)
    ratio, possible = corrected_ratio(risks, people, biases)
    assert float(ratio) == pytest.approx(true_ratio, rel=1e-10)
    assert bool(possible)
    if biases != Biases():
        assert risks[0] / risks[1] != pytest.approx(true_ratio, rel=0.02)


def test_the_order_is_the_reverse_of_that_in_which_errors_arise() -> None:
    """Selection is of true cells: undone first, in the recorded ones, it gives another ratio."""
    risks, people = observed(0.7, replace(EVERY, confounder=None))
    recorded = SelectedTable(
        risks[0] * people[0], risks[1] * people[1], (1 - risks[0]) * people[0], (1 - risks[1]) * people[1]
    )
    before = before_selection(recorded, SELECTION)
    exposed = before.exposed_cases + before.exposed_others
    unexposed = before.unexposed_cases + before.unexposed_others
    ratio, _ = corrected_ratio(
        (before.exposed_cases / exposed, before.unexposed_cases / unexposed),
        (exposed, unexposed),
        Biases(outcome=OUTCOME, exposure=EXPOSURE),
    )
    assert abs(float(ratio) / 0.7 - 1) > 0.01


def test_the_printed_examples() -> None:
    """Those of R's episensr, with the ratios that it prints."""
    exposed, unexposed = 126 + 71, 92 + 224
    accuracy = Accuracy(sensitivity=(0.94, 0.94), specificity=(0.97, 0.97))
    ratio, _ = corrected_ratio((126 / exposed, 92 / unexposed), (exposed, unexposed), Biases(exposure=accuracy))
    assert float(ratio) == pytest.approx(2.377254, abs=5e-7)
    exposed, unexposed = 4558 + 46305, 3428 + 46085
    accuracy = Accuracy(sensitivity=(0.53, 0.53), specificity=(0.99, 0.99))
    ratio, _ = corrected_ratio((4558 / exposed, 3428 / unexposed), (exposed, unexposed), Biases(outcome=accuracy))
    assert float(ratio) == pytest.approx(1.3440, abs=5e-5)
    shares = SelectedTable(0.94, 0.85, 0.64, 0.25)
    ratio, _ = corrected_ratio((136 / 433, 107 / 272), (433, 272), Biases(selection=shares))
    assert float(ratio) == pytest.approx(1.4838, abs=5e-5)


def test_no_confounding_without_a_difference_or_without_an_effect() -> None:
    assert confounding_factor(Confounder((0.3, 0.3), 2.0)) == 1
    assert confounding_factor(Confounder((0.1, 0.4), 1.0)) == 1
    assert confounding_factor(Confounder((1.0, 0.0), 2.5)) == 2.5


def test_draws_are_corrected_one_by_one_and_impossible_ones_are_counted() -> None:
    risks, people = observed(0.7, EVERY)
    specificity = np.array([0.97, 0.5, 0.99])
    biases = replace(EVERY, outcome=Accuracy((0.8, 0.76), (specificity, np.full(3, 0.95))))
    ratios, possible = corrected_ratio(risks, people, biases)
    assert possible.tolist() == [True, False, True]
    assert np.isnan(ratios).tolist() == [False, True, False]
    for at in (0, 2):
        one = replace(EVERY, outcome=Accuracy((0.8, 0.76), (float(specificity[at]), 0.95)))
        assert ratios[at] == pytest.approx(float(corrected_ratio(risks, people, one)[0]), rel=1e-12)
    limits = {"confidence": 0.95, "largest_impossible_share": 0.1}
    refused = simulated_ratio((np.full(3, risks[0]), np.full(3, risks[1])), people, biases, **limits)
    assert refused == NotEstimable("the data contradict more than 10% of the priors' draws")


def test_point_masses_give_the_closed_form() -> None:
    risks, people = observed(0.7, EVERY)

    def repeated(value: float) -> np.ndarray:
        return np.full(200, value)

    drawn = Biases(
        Accuracy(tuple(map(repeated, OUTCOME.sensitivity)), tuple(map(repeated, OUTCOME.specificity))),
        Accuracy(tuple(map(repeated, EXPOSURE.sensitivity)), tuple(map(repeated, EXPOSURE.specificity))),
        SelectedTable(*map(repeated, vars(SELECTION).values())),
        Confounder(tuple(map(repeated, CONFOUNDER.prevalence)), repeated(CONFOUNDER.risk_ratio)),
    )
    found = simulated_ratio(
        (repeated(risks[0]), repeated(risks[1])), people, drawn, confidence=0.95, largest_impossible_share=0
    )
    assert isinstance(found, SimulatedRatio)
    assert (found.low, found.median, found.high) == pytest.approx((0.7, 0.7, 0.7), rel=1e-10)
    assert (found.used, found.dropped) == (200, 0)


def test_without_a_bias_the_draws_have_the_wald_interval() -> None:
    risks, covariance = np.array([0.14, 0.19]), np.array([[6e-5, 1e-5], [1e-5, 8e-5]])
    drawn = drawn_risks(risks, covariance, 200_000, np.random.default_rng(1))
    found = simulated_ratio((drawn[0], drawn[1]), (1.0, 1.0), Biases(), confidence=0.95, largest_impossible_share=0.1)
    assert isinstance(found, SimulatedRatio)
    gradient = np.array([1 / risks[0], -1 / risks[1]])
    half = 1.959964 * np.sqrt(gradient @ covariance @ gradient)
    plain = np.log(risks[0] / risks[1]) + np.array([-half, 0, half])
    assert np.log([found.low, found.median, found.high]) == pytest.approx(plain, abs=0.002)
