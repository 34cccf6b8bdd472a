"""Analysis ``combined_bias``: the highest category against the reference, corrected for several biases at once.

From the standardized risks of the adjusted model and the priors that the protocol assumes (``combined_bias``). Each
bias alone, and all together; without that section nothing is estimated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy import special

from stegvis.analyses.category_design import CategoryDesign, category_design
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.categories import REFERENCE
from stegvis.statistics.combined_bias import Accuracy, Biases, Confounder, SimulatedRatio, drawn_risks, simulated_ratio
from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.misclassification import Shape, prior_quantiles
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.selection_bias import SelectedTable
from stegvis.statistics.standardization import StandardizedRisks, standardized_risks
from stegvis.study.protocol import Exposure
from stegvis.study.protocol_bias import CombinedBias
from stegvis.study.protocol_models import ErrorPrior

NONE, ALL = "none", "all"
OUTCOME_ERRORS, EXPOSURE_ERRORS = "outcome_misclassification", "exposure_misclassification"
SELECTION, CONFOUNDING = "selection", "unmeasured_confounding"
ACCURACY = ("sensitivity", "specificity")


def combined_bias_rows(data: WaveData) -> list[ResultRow]:
    """Measure ``rr`` of the highest category: ``term`` names the bias that is corrected, ``none`` or ``all``."""
    rules = data.protocol.combined_bias
    if rules is None:
        return []
    biases = drawn_biases(rules)
    return [row for exposure in data.protocol.exposures.names for row in _rows(exposure, rules, biases, data)]


def priors_of(rules: CombinedBias) -> dict[str, dict[str, tuple[Shape, tuple[float, ...]]]]:
    """Shape and values of each prior by its name, of each bias that has priors by the name of its results."""
    sections = {
        OUTCOME_ERRORS: rules.outcome,
        EXPOSURE_ERRORS: rules.exposure,
        SELECTION: rules.selection,
        CONFOUNDING: rules.confounder,
    }
    found: dict[str, dict[str, tuple[Shape, tuple[float, ...]]]] = {}
    for bias, section in sections.items():
        if section is not None:
            priors = {name: getattr(section, name) for name in type(section).model_fields}
            found[bias] = {
                name: (prior.shape if isinstance(prior, ErrorPrior) else "trapezoidal", prior.values)
                for name, prior in priors.items()
            }
    return found


def drawn_biases(rules: CombinedBias) -> dict[str, Biases]:
    """Draws of the parameters by the name of what is corrected; those of one bias are the same in ``all``.

    Parameters of the two groups of a bias are correlated by a Gaussian copula.
    """
    random = np.random.default_rng(rules.seed)
    priors = priors_of(rules)
    found: dict[str, Biases] = {}

    def drawn(bias: str, *names: str) -> list[np.ndarray]:
        shared = random.standard_normal(rules.draws)
        quantiles = []
        for name in names:
            own = random.standard_normal(rules.draws)
            at = special.ndtr(np.sqrt(rules.correlation) * shared + np.sqrt(1 - rules.correlation) * own)
            quantiles.append(prior_quantiles(*priors[bias][name], at))
        return quantiles

    for bias, groups in ((OUTCOME_ERRORS, ("top", "reference")), (EXPOSURE_ERRORS, ("cases", "others"))):
        if bias in priors:
            first, second = (drawn(bias, *(f"{what}_{group}" for group in groups)) for what in ACCURACY)
            accuracy = Accuracy((first[0], first[1]), (second[0], second[1]))
            found[bias] = Biases(outcome=accuracy) if bias == OUTCOME_ERRORS else Biases(exposure=accuracy)
    if SELECTION in priors:
        cells = drawn(SELECTION, "top_cases", "reference_cases", "top_others", "reference_others")
        found[SELECTION] = Biases(selection=SelectedTable(*cells))
    if CONFOUNDING in priors:
        top, reference = drawn(CONFOUNDING, "prevalence_top", "prevalence_reference")
        (ratio,) = drawn(CONFOUNDING, "risk_ratio")
        found[CONFOUNDING] = Biases(confounder=Confounder((top, reference), ratio))
    together = {name: value for each in found.values() for name, value in vars(each).items() if value is not None}
    return {NONE: Biases()} | found | {ALL: Biases(**together)}


def _rows(exposure: Exposure, rules: CombinedBias, biases: Mapping[str, Biases], data: WaveData) -> list[ResultRow]:
    made = category_design(data, data.template("combined_bias", "adjusted", exposure))
    top = data.protocol.exposures.scale(exposure).categories[-1]
    risks = _risks(made, top, data)
    rows = []
    for name, parameters in biases.items():
        row = replace(made.rows[top], term=name)
        found = risks if isinstance(risks, NotEstimable) else _simulated(risks, top, parameters, made, rules, data)
        if isinstance(found, NotEstimable):
            rows.append(row.not_estimable(found.reason))
            continue
        priors = "" if name == NONE else "priors of the protocol: assumptions"
        counted = f"{found.used} draws, {found.dropped} impossible ones dropped"
        note = joined(row.note, priors, "median and limits with sampling error", counted)
        rows.append(replace(row, estimate=found.median, ci_low=found.low, ci_high=found.high, note=note))
    return rows


def _risks(made: CategoryDesign, top: int, data: WaveData) -> StandardizedRisks | NotEstimable:
    if isinstance(made.design, NotEstimable):
        return made.design
    if top not in made.occupied:
        return NotEstimable("nobody is in this category")
    return standardized_risks(made.design.X, made.design.y, made.levels, "logistic", data.protocol.models)


def _simulated(
    risks: StandardizedRisks, top: int, biases: Biases, made: CategoryDesign, rules: CombinedBias, data: WaveData
) -> SimulatedRatio | NotEstimable:
    at = [risks.levels.index(category) for category in (top, REFERENCE)]
    # The same sampling error whatever is corrected, so that rows differ by the bias alone.
    random = np.random.default_rng([rules.seed, 1])
    drawn = drawn_risks(risks.risks[at], risks.unconditional[np.ix_(at, at)], rules.draws, random)
    people = tuple(float(made.rows[category].n or 0) for category in (top, REFERENCE))
    return simulated_ratio(
        (drawn[0], drawn[1]),
        (people[0], people[1]),
        biases,
        confidence=data.protocol.models.confidence,
        largest_impossible_share=rules.largest_impossible_share,
    )
