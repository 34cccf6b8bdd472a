"""Analyses ``sensitivity:<name>``: the main models in other samples, with another covariate, or of another outcome.

Belongs here: the published sensitivity analyses. Does not belong here: E-values, the ninth of them, which stand beside
every risk ratio (published: for ratios below 1 whose upper limit is below 1).

Each cuts the categories anew in its own sample, as published. Where the published code had a trap, both answers are
given: ``sensitivity:<name>`` follows the protocol's mode, and ``sensitivity:<name>_strict`` (or ``_as_published``) is
what the other mode would say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from study.analyses.category_model import category_rows
from study.analyses.wave_data import WaveData
from study.protocol import EXPOSURES, Protocol
from study.statistics.categories import add_categories
from study.statistics.contract import OUTCOME
from study.statistics.results import ResultRow, joined
from study.statistics.terms import MODELS, Linear, Term

Mode = Literal["as_published", "strict"]
MODES: tuple[Mode, ...] = ("as_published", "strict")


@dataclass(frozen=True)
class Sensitivity:
    """One sensitivity analysis.

    Attributes:
        name: after ``sensitivity:``.
        population: who is in it, printed.
        members: which of the people are in it (bool, one per row).
        added: a covariate of the adjusted model.
        outcome: column of 0 and 1.
        note: what a reader must know.
    """

    name: str
    population: str
    members: Callable[[pd.DataFrame], pd.Series]
    added: tuple[Term, ...] = ()
    outcome: str = OUTCOME
    note: str = ""


def sensitivity_rows(data: WaveData) -> list[ResultRow]:
    """``rr`` per category and ``p_joint`` of both exposures and both models in each sensitivity analysis."""
    return [row for each in sensitivities(data.protocol) for row in _rows(data, each)]


def sensitivities(protocol: Protocol) -> list[Sensitivity]:
    """The published sensitivity analyses, those with a trap under both modes."""
    rules = protocol.sensitivity
    days, pain = rules.smallest_valid_days, rules.little_pain
    in_force = protocol.study.mode
    return [
        Sensitivity("bmi", "BMI known", lambda people: people["bmi"].notna(), (Linear("bmi"),)),
        Sensitivity(
            "running_cycling",
            "running and cycling known",
            lambda people: people["running_cycling_minutes"].notna(),
            (Linear("running_cycling_minutes"),),
            note="running and cycling over "
            + ("all recorded days" if in_force == "as_published" else "valid days only"),
        ),
        Sensitivity("valid_days", f"{days} valid days or more", lambda people: people["valid_days"] >= days),
        Sensitivity("no_pain", "no chronic pain at baseline", lambda people: people["baseline_pain_screen"] == "no"),
        Sensitivity("little_pain", "little pain", lambda people: people["pain_last_4_weeks"].isin(pain)),
        *(_good_health(mode, in_force, rules.good_health) for mode in _in_order(in_force)),
        Sensitivity("no_disease", "no other chronic disease", lambda people: people["other_disease"] == "no"),
        *(_severe(mode, in_force) for mode in _in_order(in_force)),
    ]


def _in_order(in_force: Mode) -> Iterator[Mode]:
    """The mode in force, then the other."""
    yield in_force
    yield from (mode for mode in MODES if mode != in_force)


def _named(name: str, mode: Mode, in_force: Mode) -> str:
    return name if mode == in_force else f"{name}_{mode}"


def _good_health(mode: Mode, in_force: Mode, good: tuple[str, ...]) -> Sensitivity:
    def members(people: pd.DataFrame) -> pd.Series:
        known_good = people["self_rated_health"].isin(good)
        # The published code asked for "> 2", which a missing value is in Stata.
        return known_good | people["self_rated_health"].isna() if mode == "as_published" else known_good

    population = "good health" if mode == "strict" else "good or unknown health"
    note = f"{mode} answer: unknown health {'kept' if mode == 'as_published' else 'left out'}"
    return Sensitivity(_named("good_health", mode, in_force), population, members, note=note)


def _severe(mode: Mode, in_force: Mode) -> Sensitivity:
    outcome = f"severe_low_back_pain_{mode}"
    population = "all" if mode == "as_published" else "all but low back pain that is not severe"
    note = (
        f"{mode} answer: low back pain that is not severe {'counts as none' if mode == 'as_published' else 'left out'}"
    )
    return Sensitivity(
        _named("severe_pain", mode, in_force),
        population,
        lambda people: people[outcome].notna(),
        outcome=outcome,
        note=joined("events are of severe low back pain", note),
    )


def _rows(data: WaveData, each: Sensitivity) -> Iterator[ResultRow]:
    members = each.members(data.people).astype("boolean").fillna(False).astype(bool)
    sample = add_categories(data.people[members], data.protocol)
    for exposure in EXPOSURES:
        for model in MODELS:
            template = data.template(f"sensitivity:{each.name}", model, exposure, each.population)
            template = replace(template, note=joined(template.note, each.note))
            covariates = (*data.covariates(model), *(each.added if model == "adjusted" else ()))
            yield from category_rows(sample, template, covariates, data.protocol, outcome=each.outcome)
