"""The steps from the whole cohort to the analyzed people, each with a model of who passes it.

The order is not that of time but that in which everybody at a step has known predictors: covariates known, the answer
at baseline known, a valid recording, an answer at follow-up. The probability of passing all is the product in any
order. Whoever had the outcome at baseline is no longer part of the target population and leaves after the second step,
whoever has died or emigrated by the wave before the last.

Missing values are not predictors: nobody with a missing covariate is analyzed, so that nobody could represent them. In
the first step those with known covariates represent those without, by what is known of everyone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stegvis.analyses.living import gone
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.contract import NotEstimable, prepare
from stegvis.statistics.selection_weights import Step, fit_step, inverse_probabilities
from stegvis.statistics.terms import Linear, Term
from stegvis.study.protocol import Protocol
from stegvis.study.protocol_models import Models

# Steps whose exclusion a protocol may not list; the other three follow from what the models need.
SCREEN, FREE = "baseline_screen_missing", "baseline_low_back_pain"
COVARIATES, ANSWER, RECORDING, FOLLOW_UP = "covariates", "baseline_answer", "recording", "follow_up"
PASSED = "passed"


@dataclass(frozen=True)
class Selection:
    """The steps of a wave, fitted.

    Attributes:
        steps: by name; without those that everybody passed.
        people: N, in the cohort.
        selected: s positions in the cohort of the analyzed people who passed all steps.
        analyzed: n, bool: who they are among the analyzed people.
        left_out: of each step the predictors that were left out, because a level has too few people on either side.
    """

    steps: dict[str, Step]
    people: int
    selected: np.ndarray
    analyzed: np.ndarray
    left_out: dict[str, tuple[str, ...]]

    @property
    def weights(self) -> np.ndarray:
        """s: how many members of the cohort each represents."""
        return inverse_probabilities(list(self.steps.values()), self.selected)


def steps_of(protocol: Protocol) -> tuple[str, ...]:
    """The names of the steps of a study, in order."""
    return (COVARIATES, *((ANSWER,) if SCREEN in protocol.exclusions.order else ()), RECORDING, FOLLOW_UP)


def needed_columns(protocol: Protocol) -> tuple[str, ...]:
    """The columns that an analyzed person must have: the covariates, and those of the complete-case rule."""
    listed = protocol.exclusions.complete_case if "covariate_missing" in protocol.exclusions.order else ()
    return tuple(dict.fromkeys((*protocol.models.adjusted, *listed)))


def selection_of(data: WaveData) -> Selection | NotEstimable:
    """Fit the models of all steps.

    Raises:
        ValueError: the wave was read without the cohort, or an analyzed person is not in it.
    """
    if data.cohort is None:
        raise ValueError("the wave was read without the whole cohort")
    cohort, protocol = data.cohort, data.protocol
    flags, free = _passing(cohort, protocol)
    dead_or_abroad = cohort["person"].isin(gone(data.eligible)).to_numpy()
    at_risk = np.arange(len(cohort))
    steps, left_out = {}, {}
    for name in steps_of(protocol):
        if name == RECORDING:
            at_risk = at_risk[free[at_risk]]
        if name == FOLLOW_UP:
            at_risk = at_risk[~dead_or_abroad[at_risk]]
        passed = flags[name][at_risk]
        if not passed.all():
            made = _fitted(name, cohort.iloc[at_risk], at_risk, passed, data)
            if isinstance(made, NotEstimable):
                return made
            steps[name], left_out[name] = made
        at_risk = at_risk[passed]
    places = pd.Index(cohort["person"]).get_indexer(pd.Index(data.people["person"].astype("str")))
    if (places < 0).any():
        raise ValueError("an analyzed person is not in the cohort")
    analyzed = np.isin(places, at_risk)
    if not analyzed.any():
        return NotEstimable("nobody passed all steps from the cohort to the analysis")
    return Selection(steps, len(cohort), places[analyzed], analyzed, left_out)


def _passing(cohort: pd.DataFrame, protocol: Protocol) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Who passes each step (N, bool), and who may belong to the target population."""
    exposed = cohort[list(protocol.exposures.names)].notna().all(axis=1).to_numpy()
    flags = {
        COVARIATES: cohort[list(needed_columns(protocol))].notna().all(axis=1).to_numpy(),
        ANSWER: cohort["baseline_answered"].to_numpy(dtype=bool),
        RECORDING: cohort["recorded"].to_numpy(dtype=bool) & exposed,
        FOLLOW_UP: cohort["answered"].to_numpy(dtype=bool),
    }
    had = cohort["had_outcome"].astype("boolean").fillna(False).to_numpy(dtype=bool)
    return flags, ~had if FREE in protocol.exclusions.order else np.ones(len(cohort), dtype=bool)


def _fitted(
    name: str, people: pd.DataFrame, at_risk: np.ndarray, passed: np.ndarray, data: WaveData
) -> tuple[Step, tuple[str, ...]] | NotEstimable:
    """The model of a step, and the predictors that were left out."""
    models = data.protocol.models
    # With fewer than this many who fall out there is nothing to model: they are taken to be like the others.
    if (~passed).sum() < models.minimum_events:
        step = fit_step(at_risk, passed, np.ones((len(people), 1)), models)
        return _refused(name, step) if isinstance(step, NotEstimable) else (step, ())
    wanted = list(_predictors(name, people, data))
    terms = [term for term in wanted if _usable(term, people, passed, models)]
    squares = {f"{name}_squared": people[name].astype("float64") ** 2 for name in _squared(terms, data.protocol)}
    frame = people.assign(**{PASSED: passed.astype("float64")}, **squares)
    design = prepare(frame, [*terms, *(Linear(each) for each in squares)], models, outcome=PASSED)
    if isinstance(design, NotEstimable):
        return _refused(name, design)
    step = fit_step(at_risk, passed, design.X.to_numpy(), models)
    omitted = tuple(term.column for term in wanted if term not in terms)
    return _refused(name, step) if isinstance(step, NotEstimable) else (step, omitted)


def _predictors(name: str, people: pd.DataFrame, data: WaveData) -> Iterator[Term]:
    """The predictors of a step: the covariates that are known of everyone there, and the exposures once recorded."""
    for term in data.covariates("adjusted"):
        if name != COVARIATES or people[term.column].notna().all():
            yield term
    if name == FOLLOW_UP:
        yield from (Linear(exposure) for exposure in data.protocol.exposures.names)


def _squared(terms: Sequence[Term], protocol: Protocol) -> list[str]:
    used = {term.column for term in terms}
    return [column for column in protocol.attrition_weights.squared if column in used]


def _usable(term: Term, people: pd.DataFrame, passed: np.ndarray, models: Models) -> bool:
    """Whether a number varies, or each level that occurs has enough people who pass and who fall out."""
    values = people[term.column]
    if isinstance(term, Linear):
        return bool(values.min() < values.max())
    level, levels = pd.factorize(values)
    counts = np.bincount(2 * level + passed, minlength=2 * len(levels))
    return len(levels) > 1 and bool((counts >= models.minimum_events).all())


def _refused(name: str, reason: NotEstimable) -> NotEstimable:
    """The reasons of the contract name events; here an event is a passed step."""
    text = reason.reason.replace("non-events", "people who fall out").replace("events", "people who stay")
    return NotEstimable(f"model of the step {name}: {text}")
