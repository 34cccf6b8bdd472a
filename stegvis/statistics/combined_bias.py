"""A risk ratio corrected for several biases at once, from fixed bias parameters or from draws of them.

Errors are corrected in the reverse of the order in which they arise (Fox, MacLehose and Lash 2021, Applying
Quantitative Bias Analysis to Epidemiologic Data, 2nd edition, doi 10.1007/978-3-030-82673-4; Lash et al. 2014, doi
10.1093/ije/dyu149): misclassification of the outcome within each recorded exposure, of the exposure within each true
outcome, selection of each true cell, and an unmeasured confounder. The formulas are those of the R packages episensr
and multibias.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.misclassification import possible_risks, root_of, true_risks
from stegvis.statistics.selection_bias import SelectedTable, Values, before_selection


@dataclass(frozen=True)
class Accuracy:
    """Sensitivity and specificity of a classification in two groups: the exposed and unexposed, or cases and others."""

    sensitivity: tuple[Values, Values]
    specificity: tuple[Values, Values]


@dataclass(frozen=True)
class Confounder:
    """An unmeasured binary confounder: its prevalence in the exposed and unexposed, and its risk ratio."""

    prevalence: tuple[Values, Values]
    risk_ratio: Values


@dataclass(frozen=True)
class Biases:
    """The bias parameters, as numbers or m draws; None where a bias is taken to be absent.

    Attributes:
        outcome: classification of the outcome in those recorded as exposed, and as unexposed.
        exposure: classification of the exposure in true cases, and in others.
        selection: probability of being analyzed, of each true cell; only their ratios matter.
        confounder: unmeasured.
    """

    outcome: Accuracy | None = None
    exposure: Accuracy | None = None
    selection: SelectedTable | None = None
    confounder: Confounder | None = None


@dataclass(frozen=True)
class SimulatedRatio:
    """Median and simulation limits over the possible draws, and the numbers of possible and impossible ones."""

    median: float
    low: float
    high: float
    used: int
    dropped: int


def corrected_ratio(
    risks: tuple[Values, Values], people: tuple[float, float], biases: Biases
) -> tuple[np.ndarray, np.ndarray]:
    """The risk ratio without the biases.

    Args:
        risks: observed, of the exposed and the unexposed; numbers or m draws.
        people: numbers of both.
        biases: the parameters.

    Returns:
        The ratios (m, nan where the parameters cannot have led to the observed risks), and where they can (m, bool).

    Raises:
        ValueError: a selection probability is not in (0, 1].
    """
    risk, totals = [np.asarray(each, dtype="float64") for each in risks], [np.asarray(each) for each in people]
    possible = (risk[0] > 0) & (risk[0] < 1) & (risk[1] > 0) & (risk[1] < 1)
    if biases.outcome is not None:
        risk, fine = _corrected(risk, biases.outcome)
        possible = possible & fine
    table = SelectedTable(
        exposed_cases=risk[0] * totals[0],
        unexposed_cases=risk[1] * totals[1],
        exposed_others=(1 - risk[0]) * totals[0],
        unexposed_others=(1 - risk[1]) * totals[1],
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        if biases.exposure is not None:
            table, fine = _reclassified(table, biases.exposure)
            possible = possible & fine
        if biases.selection is not None:
            table = before_selection(table, biases.selection)
        ratio = np.asarray(table.risk_ratio)
    if biases.confounder is not None:
        ratio = ratio / confounding_factor(biases.confounder)
    ratio, possible = np.broadcast_arrays(ratio, possible)
    return np.where(possible, ratio, np.nan), possible


def confounding_factor(confounder: Confounder) -> Values:
    """The factor by which a confounder multiplies the risk ratio (Bross 1966, doi 10.1016/0021-9681(66)90062-2)."""
    exposed, unexposed = confounder.prevalence
    excess = confounder.risk_ratio - 1
    return (1 + exposed * excess) / (1 + unexposed * excess)


def simulated_ratio(
    risks: tuple[Values, Values],
    people: tuple[float, float],
    biases: Biases,
    *,
    confidence: float,
    largest_impossible_share: float,
) -> SimulatedRatio | NotEstimable:
    """The distribution of the corrected ratio over draws of the risks (``drawn_risks``) and of the parameters.

    Args:
        risks: m draws of the observed risk of the exposed, and of the unexposed.
        people: numbers of both.
        biases: m draws of each parameter.
        confidence: share of the distribution between the limits.
        largest_impossible_share: if more draws than this share are impossible, nothing is estimated.

    Returns:
        Median and limits; not estimable if the data contradict the priors.
    """
    ratios, possible = corrected_ratio(risks, people, biases)
    dropped = int((~possible).sum())
    if dropped > largest_impossible_share * len(possible):
        return NotEstimable(f"the data contradict more than {largest_impossible_share:.0%} of the priors' draws")
    tail = (1 - confidence) / 2
    low, median, high = (float(each) for each in np.quantile(ratios[possible], [tail, 0.5, 1 - tail]))
    return SimulatedRatio(median, low, high, int(possible.sum()), dropped)


def drawn_risks(risks: np.ndarray, covariance: np.ndarray, draws: int, random: np.random.Generator) -> np.ndarray:
    """Draws of K risks with their sampling error, normal on the log scale, before any correction (K x draws).

    Without a bias, the ratios of the draws have the Wald interval of the ratio on the log scale.
    """
    relative = covariance / np.outer(risks, risks)
    noise = random.standard_normal((draws, len(risks))) @ root_of(relative).T
    drawn: np.ndarray = (risks * np.exp(noise)).T
    return drawn


def _corrected(risks: list[np.ndarray], accuracy: Accuracy) -> tuple[list[np.ndarray], np.ndarray]:
    """True shares from recorded ones, and where both are possible and neither 0 nor 1."""
    found, possible = [], np.array(True)
    for risk, sensitivity, specificity in zip(risks, accuracy.sensitivity, accuracy.specificity, strict=True):
        se, sp = np.asarray(sensitivity), np.asarray(specificity)
        found.append(true_risks(risk, se, sp))
        possible = possible & possible_risks(risk, se, sp) & (found[-1] < 1)
    return found, possible


def _reclassified(table: SelectedTable, accuracy: Accuracy) -> tuple[SelectedTable, np.ndarray]:
    """The table by true exposure: the exposure is a share of the cases, and of the others."""
    cases = np.asarray(table.exposed_cases + table.unexposed_cases)
    others = np.asarray(table.exposed_others + table.unexposed_others)
    shares, possible = _corrected([table.exposed_cases / cases, table.exposed_others / others], accuracy)
    made = SelectedTable(
        exposed_cases=shares[0] * cases,
        unexposed_cases=(1 - shares[0]) * cases,
        exposed_others=shares[1] * others,
        unexposed_others=(1 - shares[1]) * others,
    )
    return made, possible
