"""Why the main estimates changed between two releases: the change of each, step by step in a fixed order.

Belongs here: the samples of the steps, the re-estimation along them, and what may be told of it. Does not belong here:
which estimates differ at all (``stegvis.release.bridge``), the error of a change (``stegvis.statistics.release_change``), reading.

From the estimate of the release before: the rows of people in both are replaced by today's (``corrected_rows``); who is
no longer analyzed leaves, and who was known then but excluded comes in (``changed_eligibility``); who was not known
then comes in (``new_people``); the protocol of today replaces that of then (``protocol``). Each step is estimated anew,
and the steps sum to the whole change exactly. Categories are cut in each step's sample by its protocol's rule; errors
take the cuts as given.

A step of so few people that their number may not be told is counted with the step after it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from stegvis.disclosure import primary_rule
from stegvis.statistics.categories import CATEGORIES, add_categories
from stegvis.statistics.contract import OUTCOME, NotEstimable
from stegvis.statistics.levels import Levels
from stegvis.statistics.release_change import Estimate, change, estimate
from stegvis.statistics.results import joined
from stegvis.statistics.terms import MODELS, Model, category_term, covariate_terms
from stegvis.study.protocol import EXPOSURES, Exposure, Protocol
from stegvis.study.protocol_models import Exposures, Models

STEPS = ("corrected_rows", "changed_eligibility", "new_people", "protocol")
COVARIATES = ("sex", "age", "education", "income", "employment", "smoking", "depression")
COMPARED = (*EXPOSURES, OUTCOME, *COVARIATES)


@dataclass(frozen=True)
class Step:
    """One step: how many people it is about (missing for the protocol, or when too few), and what it changed.

    ``change`` and ``std_error`` are on the log scale; missing when the step is counted with the one after it.
    """

    step: str
    people: int | None
    change: float | None
    std_error: float | None
    note: str = ""


@dataclass(frozen=True)
class Bridged:
    """One risk ratio of the release before and of this one, and the steps between them.

    ``change`` is on the log scale; ``flagged`` marks a change larger than the protocol's number of standard errors.
    """

    wave: str
    model: str
    exposure: str
    level: str
    before: float
    now: float
    change: float
    std_error: float | None
    flagged: bool
    steps: tuple[Step, ...]
    note: str = ""


@dataclass(frozen=True)
class _Wave:
    """A wave's samples along the steps, indexed by person, and how many people each step is about."""

    samples: tuple[pd.DataFrame, ...]
    people: tuple[int, ...]
    erased: bool


def protocol_before(values: Mapping[str, Any], now: Protocol) -> Protocol:
    """Today's protocol with the models and exposures of an earlier one.

    Raises:
        ValueError: the earlier values are not of today's form.
        KeyError: a section is absent.
    """
    earlier = {
        "models": Models.model_validate(values["models"]),
        "exposures": Exposures.model_validate(values["exposures"]),
    }
    return now.model_copy(update=earlier)


def bridge_steps(
    before: pd.DataFrame,
    now: pd.DataFrame,
    results_before: pd.DataFrame,
    results_now: pd.DataFrame,
    protocol_then: Protocol,
    protocol: Protocol,
    levels: Levels,
) -> list[Bridged]:
    """Bridge every main risk ratio that both releases tell.

    Args:
        before: whoever's data the release before had, one row per person and wave: ``wave``, ``person``, ``reason`` (of
            exclusion, missing for the analyzed), and ``COMPARED``. Who withdrew since is absent.
        now: today's analyzed people: ``wave``, ``person`` and ``COMPARED``.
        results_before: results as the release before told them.
        results_now: results as this release tells them.
        protocol_then: the protocol of the release before (see ``protocol_before``).
        protocol: the protocol in force.
        levels: ordered levels of the categorical covariates, the reference first.
    """
    found: list[Bridged] = []
    for wave in sorted(set(before["wave"]) & set(now["wave"])):
        mine = before[before["wave"] == wave].set_index("person").sort_index()
        today = now[now["wave"] == wave].set_index("person").sort_index()
        told = _people_told(results_before, wave)
        samples = _samples(mine, today, told)
        for exposure in EXPOSURES:
            for model in MODELS:
                then = _told(results_before, wave, model, exposure)
                later = _told(results_now, wave, model, exposure)
                if then is None or later is None:
                    continue
                estimates = _estimates(samples, model, exposure, protocol_then, protocol, levels)
                found += _bridged(wave, model, exposure, then, later, samples, estimates, protocol)
    return found


def _samples(before: pd.DataFrame, now: pd.DataFrame, told: int | None) -> _Wave:
    old = before.loc[before["reason"].isna(), list(COMPARED)]
    new = now[list(COMPARED)]
    both = old.index.intersection(new.index)
    was, is_now = old.loc[both].astype(object), new.loc[both].astype(object)
    corrected = int((~((was == is_now) | (was.isna() & is_now.isna()))).any(axis=1).sum())
    left = len(old) - len(both)
    came = new.index.difference(old.index)
    known = came.intersection(before.index)
    erased = max(told - len(old), 0) if told is not None else 0
    return _Wave(
        samples=(
            old,
            pd.concat([old.drop(index=both), new.loc[both]]).sort_index(),
            new.loc[both.union(known)].sort_index(),
            new,
        ),
        people=(corrected, left + len(known) + erased, len(came) - len(known)),
        erased=erased > 0,
    )


def _estimates(
    wave: _Wave, model: Model, exposure: Exposure, then: Protocol, now: Protocol, levels: Levels
) -> list[Estimate | NotEstimable]:
    """The estimate before the first step and after each."""

    def fitted(sample: pd.DataFrame, used: Protocol) -> Estimate | NotEstimable:
        terms = [category_term(exposure), *covariate_terms(model, used, levels)]
        return estimate(add_categories(sample, used), terms, used.models)

    found = [fitted(wave.samples[0], then)]
    for sample, previous in zip(wave.samples[1:], wave.samples, strict=False):
        found.append(found[-1] if sample.equals(previous) else fitted(sample, then))
    same = (then.models, then.exposures) == (now.models, now.exposures)
    found.append(found[-1] if same else fitted(wave.samples[-1], now))
    return found


def _bridged(
    wave: str,
    model: Model,
    exposure: Exposure,
    then: pd.DataFrame,
    later: pd.DataFrame,
    samples: _Wave,
    estimates: list[Estimate | NotEstimable],
    protocol: Protocol,
) -> Iterator[Bridged]:
    term = category_term(exposure)
    reasons = [each.reason for each in estimates if isinstance(each, NotEstimable)]
    fitted = [each for each in estimates if isinstance(each, Estimate)]
    for position, category in enumerate(CATEGORIES[1:], start=1):
        old, new = then.iloc[position], later.iloc[position]
        if old["status"] != "ok" or new["status"] != "ok":
            continue
        before, now = float(old["estimate"]), float(new["estimate"])
        total = math.log(now) - math.log(before)
        named = (wave, model, exposure, str(new["level"]), before, now, total)
        if reasons:
            yield Bridged(*named, None, False, (), f"the steps cannot be estimated: {reasons[0]}")
            continue
        name = term.coefficient(category)
        # What the rows at hand do not repeat of the estimate told then: withdrawn people are gone from them.
        apart = float(fitted[0].coefficients[name]) - math.log(before)
        error = change(fitted[0], fitted[-1], [name]).std_error(name)
        note = ""
        if samples.erased:
            note = "people withdrew: what they changed is part of changed_eligibility, without its share of the error"
        elif abs(apart) > 1e-9:
            note = "the program changed the estimate of the same rows: it is part of protocol"
        yield Bridged(
            *named,
            error,
            # Less than this is the last digit of a fit.
            abs(total) > protocol.bridge.flagged_standard_errors * error + 1e-9,
            tuple(_steps(fitted, name, samples, apart, protocol.disclosure.smallest_count)),
            note,
        )


def _steps(fitted: list[Estimate], name: str, wave: _Wave, apart: float, smallest: int) -> Iterator[Step]:
    start, carried = 0, 0.0
    for number, step in enumerate(STEPS, start=1):
        people = wave.people[number - 1] if number <= len(wave.people) else None
        if step == ("changed_eligibility" if wave.erased else "protocol"):
            carried += apart
        if people is not None and 0 < people < smallest:
            yield Step(step, None, None, None, joined(primary_rule(smallest), "counted with the step after it"))
            continue
        moved = change(fitted[start], fitted[number], [name])
        yield Step(step, people, float(moved.difference[name]) + carried, moved.std_error(name))
        start, carried = number, 0.0


def _told(results: pd.DataFrame, wave: str, model: Model, exposure: Exposure) -> pd.DataFrame | None:
    """The four categories' rows of a main model, the reference first, as a release tells them."""
    mine = _main(results, wave)
    rows = mine[(mine["model"] == model) & (mine["exposure"] == exposure) & (mine["measure"] == "rr")]
    return rows if len(rows) == len(CATEGORIES) else None


def _people_told(results: pd.DataFrame, wave: str) -> int | None:
    """How many people the release before told it had analyzed."""
    n = _main(results, wave).query("measure == 'p_joint'")["n"].dropna()
    return int(n.max()) if len(n) else None


def _main(results: pd.DataFrame, wave: str) -> pd.DataFrame:
    return results[(results["wave"] == wave) & (results["analysis"] == "main") & (results["population"] == "all")]
