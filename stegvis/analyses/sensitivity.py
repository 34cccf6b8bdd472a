"""Analyses ``sensitivity:<name>``: the main models in other samples, with another covariate, or of another outcome.

The published sensitivity analyses, except the E-values, which are given for every risk ratio (published: for ratios
below 1 whose upper limit is below 1).

Each recalculates the categories in its own sample, as published. Where the published code has an error, both versions
are
given: ``sensitivity:<name>`` follows the protocol's mode, and ``sensitivity:<name>_strict`` (or ``_as_published``) the
other mode. For low back pain itself the protocol's mode is the main analysis, so only the other version is given here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from stegvis.analyses.category_model import category_rows
from stegvis.analyses.condition import Condition, meeting
from stegvis.analyses.wave_data import WaveData
from stegvis.disclosure import is_small
from stegvis.statistics.categories import add_categories
from stegvis.statistics.contract import OUTCOME
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.terms import MODELS, Linear
from stegvis.study.protocol import EXPOSURES, Protocol

Mode = Literal["as_published", "strict"]
MODES: tuple[Mode, ...] = ("as_published", "strict")


@dataclass(frozen=True)
class Sensitivity:
    """One sensitivity analysis.

    Attributes:
        name: after ``sensitivity:``.
        population: name of the sample.
        where: conditions that everybody in it meets.
        added: columns added to the adjusted model, each as a linear term.
        outcome: column of 0 and 1.
        note: a remark for the rows.
    """

    name: str
    population: str
    where: tuple[Condition, ...] = ()
    added: tuple[str, ...] = ()
    outcome: str = OUTCOME
    note: str = ""


def sensitivity_rows(data: WaveData) -> list[ResultRow]:
    """``rr`` per category and ``p_joint`` of both exposures and both models in each sensitivity analysis."""
    return [row for each in sensitivities(data.protocol) for row in _rows(data, each)]


def sensitivities(protocol: Protocol) -> list[Sensitivity]:
    """The published sensitivity analyses, those with an error in the published code in both modes."""
    rules = protocol.sensitivity
    days = rules.smallest_valid_days

    def both(made: Callable[[Mode, Protocol], Sensitivity]) -> Iterator[Sensitivity]:
        """The analysis in the protocol's mode, then in the other mode under its own name."""
        yield made(protocol.study.mode, protocol)
        other = other_mode(protocol)
        yield _other(made(other, protocol), other)

    return [
        Sensitivity("bmi", "BMI known", (Condition("bmi", "known"),), added=("bmi",)),
        *both(_running_cycling),
        Sensitivity("valid_days", f"{days} valid days or more", (Condition("valid_days", ">=", days),)),
        Sensitivity("no_pain", "no chronic pain at baseline", (Condition("baseline_pain_screen", "==", "no"),)),
        Sensitivity("little_pain", "little pain", (Condition("pain_last_4_weeks", "in", rules.little_pain),)),
        *both(_good_health),
        Sensitivity("no_disease", "no other chronic disease", (Condition("other_disease", "==", "no"),)),
        *both(_severe),
        _other(_outcome(other_mode(protocol)), other_mode(protocol)),
    ]


def other_mode(protocol: Protocol) -> Mode:
    """The mode that the protocol does not use."""
    return "strict" if protocol.study.mode == "as_published" else "as_published"


def _other(made: Sensitivity, mode: Mode) -> Sensitivity:
    return replace(made, name=f"{made.name}_{mode}")


def _running_cycling(mode: Mode, protocol: Protocol) -> Sensitivity:
    column = f"running_cycling_minutes_{mode}"
    days = "all recorded days" if mode == "as_published" else "valid days only"
    return Sensitivity(
        "running_cycling",
        "running and cycling known",
        (Condition(column, "known"),),
        added=(column,),
        note=f"{mode} answer: running and cycling over {days}",
    )


def _good_health(mode: Mode, protocol: Protocol) -> Sensitivity:
    # The published code tests "> 2", which is true for a missing value in Stata.
    kept = mode == "as_published"
    good = Condition("self_rated_health", "in or unknown" if kept else "in", protocol.sensitivity.good_health)
    return Sensitivity(
        "good_health",
        "good or unknown health" if kept else "good health",
        (good,),
        note=f"{mode} answer: unknown health {'kept' if kept else 'left out'}",
    )


def _severe(mode: Mode, protocol: Protocol) -> Sensitivity:
    outcome = f"severe_low_back_pain_{mode}"
    kept = mode == "as_published"
    note = f"{mode} answer: low back pain that is not severe {'counts as none' if kept else 'left out'}"
    return Sensitivity(
        "severe_pain",
        "all" if kept else "all but low back pain that is not severe",
        (Condition(outcome, "known"),),
        outcome=outcome,
        note=joined("events are of severe low back pain", note),
    )


def _outcome(mode: Mode) -> Sensitivity:
    believed = "the box for the low back" if mode == "as_published" else "the screen"
    return Sensitivity(
        "low_back_pain",
        "all",
        outcome=f"low_back_pain_{mode}",
        note=f"{mode} answer: {believed} is believed where a box is ticked though the screen says no; who is free of"
        " pain at baseline is as in the main analysis",
    )


def _rows(data: WaveData, each: Sensitivity) -> Iterator[ResultRow]:
    sample = add_categories(data.people[meeting(each.where, data.people)], data.protocol)
    for exposure in EXPOSURES:
        for model in MODELS:
            template = data.template(f"sensitivity:{each.name}", model, exposure, each.population)
            template = replace(template, note=joined(template.note, each.note))
            added = [Linear(column) for column in each.added if model == "adjusted"]
            covariates = (*data.covariates(model), *added)
            rows = category_rows(sample, template, covariates, data.protocol, outcome=each.outcome)
            if each.name.startswith("low_back_pain_"):
                rows = [_beside_main(row, sample, each.outcome, data.protocol) for row in rows]
            yield from rows


def _beside_main(row: ResultRow, sample: pd.DataFrame, outcome: str, protocol: Protocol) -> ResultRow:
    """Rows without events: compared with the main analysis they would reveal the few people whose outcomes differ."""
    differing = (sample[outcome] != sample[OUTCOME]).to_numpy(dtype=bool).sum(keepdims=True)
    row = replace(row, events=None)
    if row.status == "ok" and is_small(differing, protocol.disclosure.smallest_count)[0]:
        bare = ResultRow(row.wave, row.analysis, row.population, row.model, row.exposure, note=row.note)
        same = {name: getattr(row, name) for name in ("term", "level", "reference", "n", "measure", "members")}
        return replace(bare, **same).not_estimable("the outcome of too few people differs from the main analysis's")
    return row
