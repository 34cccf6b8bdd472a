"""Why the main estimates changed between two releases: each change decomposed into steps in a fixed order.

Starting from the estimate of the previous release:

1. ``corrected_rows``: rows of participants analyzed in both releases are replaced by the current ones;
2. ``changed_eligibility``: participants no longer analyzed are removed, and those known but excluded before are added;
3. ``new_people``: participants unknown to the previous release are added;
4. ``protocol``: the current protocol replaces the previous one.

The estimate is recomputed after each step, and the steps sum exactly to the total change. Categories are cut in the
sample of each step by the rule of its protocol; standard errors take the cut points as given. A step with fewer
participants than the smallest count is combined with the next step. An estimate that fails a gate in either release is
not compared, and neither are the steps of a sample whose model fails one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pandas as pd

from stegvis.disclosure import primary_rule
from stegvis.statistics.categories import add_categories
from stegvis.statistics.contract import OUTCOME, NotEstimable
from stegvis.statistics.levels import Levels
from stegvis.statistics.release_change import Estimate, change, estimate
from stegvis.statistics.results import joined
from stegvis.statistics.terms import MODELS, Model, category_term, covariate_terms
from stegvis.study.protocol import EXPOSURES, Exposure, Protocol
from stegvis.study.protocol_models import Exposures, Models

STEPS = ("corrected_rows", "changed_eligibility", "new_people", "protocol")


def compared(protocol: Protocol) -> list[str]:
    """The columns of a person that are compared: exposures, outcome and covariates."""
    covariates = (*protocol.exclusions.complete_case, *protocol.models.age, *protocol.models.adjusted)
    return list(dict.fromkeys((*protocol.exposures.names, OUTCOME, *covariates)))


@dataclass(frozen=True)
class Step:
    """One step: the number of participants concerned (missing for the protocol, or when suppressed) and its change.

    ``change`` and ``std_error`` are on the log scale; missing when the step is combined with the next one.
    """

    step: str
    people: int | None
    change: float | None
    std_error: float | None
    note: str = ""


@dataclass(frozen=True)
class Bridged:
    """One risk ratio of the previous and of this release, and the steps between them.

    ``change`` is on the log scale; ``flagged``: it exceeds the protocol's number of standard errors.
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
    """The samples of a wave before and after each step, indexed by person, and the participants of each step."""

    samples: tuple[pd.DataFrame, ...]
    people: tuple[int, ...]
    erased: bool


def protocol_before(values: Mapping[str, Any], now: Protocol) -> Protocol:
    """The current protocol with the models and exposures of an earlier one.

    Raises:
        ValueError: the earlier values do not have the current form.
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
    """Decompose the change of every main risk ratio published in both releases.

    Args:
        before: the data behind the previous release, one row per person and wave: ``wave``, ``person``, ``reason`` (for
            exclusion, missing for the analyzed), and ``compared``. Participants who have withdrawn since are absent.
        now: the participants analyzed now: ``wave``, ``person`` and ``compared``.
        results_before: results as published in the previous release.
        results_now: results as published in this release.
        protocol_then: the protocol of the previous release (see ``protocol_before``).
        protocol: the current protocol.
        levels: ordered levels of the categorical covariates, the reference first.
    """
    found: list[Bridged] = []
    for wave in sorted(set(before["wave"]) & set(now["wave"])):
        own = before[before["wave"] == wave].set_index("person").sort_index()
        current = now[now["wave"] == wave].set_index("person").sort_index()
        published = _published_people(results_before, wave)
        samples = _samples(own, current, published)
        for exposure in protocol.exposures.names:
            for model in MODELS:
                found_both = _in_both(results_before, results_now, wave, model, exposure)
                if found_both is None:
                    continue
                then, later = found_both
                estimates = _estimates(samples, model, exposure, protocol_then, protocol, levels)
                found += _bridged(wave, model, exposure, then, later, samples, estimates, protocol)
    return found


def of_method(bridged: Bridged) -> Bridged:
    """The change of an edition by another method: its people are the same, so all of it is one step, the protocol's."""
    step = Step("protocol", None, bridged.change, bridged.std_error)
    return replace(bridged, steps=(step,) if bridged.steps else ())


def edition_steps(
    results_before: pd.DataFrame, results_now: pd.DataFrame, waves: Sequence[str], kind: str
) -> list[Bridged]:
    """The change of each main risk ratio of editions with corrected data: one step, and how many changed is not said.

    Args:
        results_before: results as published in the previous release.
        results_now: results as published in this release.
        waves: of such editions.
        kind: what the release says of them.
    """
    found = []
    for wave, exposure, model in product(waves, EXPOSURES, MODELS):
        found_both = _in_both(results_before, results_now, wave, model, exposure)
        if found_both is None:
            continue
        then, now = found_both
        for (_, old), (_, new) in list(zip(then.iterrows(), now.iterrows(), strict=True))[1:]:
            if (old["status"], new["status"]) == ("ok", "ok"):
                before, after = float(old["estimate"]), float(new["estimate"])
                change = math.log(after) - math.log(before)
                steps = (Step("corrected_rows", None, change, None, kind),)
                named = (wave, model, exposure, str(new["level"]), before, after, change)
                found.append(Bridged(*named, None, False, steps, kind))
    return found


def _samples(before: pd.DataFrame, now: pd.DataFrame, published: int | None) -> _Wave:
    columns = [name for name in now if name in before and name not in ("wave", "reason")]
    old = before.loc[before["reason"].isna(), columns]
    new = now[columns]
    both = old.index.intersection(new.index)
    was, is_now = old.loc[both].astype(object), new.loc[both].astype(object)
    corrected = int((~((was == is_now) | (was.isna() & is_now.isna()))).any(axis=1).sum())
    removed = len(old) - len(both)
    added = new.index.difference(old.index)
    known = added.intersection(before.index)
    erased = max(published - len(old), 0) if published is not None else 0
    return _Wave(
        samples=(
            old,
            pd.concat([old.drop(index=both), new.loc[both]]).sort_index(),
            new.loc[both.union(known)].sort_index(),
            new,
        ),
        people=(corrected, removed + len(known) + erased, len(added) - len(known)),
        erased=erased > 0,
    )


def _estimates(
    wave: _Wave, model: Model, exposure: Exposure, then: Protocol, now: Protocol, levels: Levels
) -> list[Estimate | NotEstimable]:
    """The estimate before the first step and after each."""

    def fitted(sample: pd.DataFrame, used: Protocol) -> Estimate | NotEstimable:
        terms = [category_term(exposure, used), *covariate_terms(model, used, levels)]
        # Diagnostics are of the adjusted models, as those that withhold estimates.
        gates = now.diagnostics if model == "adjusted" else None
        return estimate(add_categories(sample, used, [exposure]), terms, used.models, gates=gates)

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
    term = category_term(exposure, protocol)
    reasons = [each.reason for each in estimates if isinstance(each, NotEstimable)]
    fitted = [each for each in estimates if isinstance(each, Estimate)]
    for position, category in enumerate(term.levels[1:], start=1):
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
        # What the available rows do not reproduce of the published estimate: rows of withdrawn participants are erased.
        difference = float(fitted[0].coefficients[name]) - math.log(before)
        error = change(fitted[0], fitted[-1], [name]).std_error(name)
        note = ""
        if samples.erased:
            note = (
                "participants withdrew: their contribution is part of changed_eligibility, without its share of the "
                "standard error"
            )
        elif abs(difference) > 0.5 * 10.0**-protocol.release.digits.ratios / before + 1e-9:
            note = "a changed program changed the estimate of the same rows: that is part of protocol"
        yield Bridged(
            *named,
            error,
            # What has no standard error is not flagged: it says nothing of whether a change is large.
            error > 0 and abs(total) > protocol.bridge.flagged_standard_errors * error,
            tuple(_steps(fitted, name, samples, difference, protocol.disclosure.smallest_count)),
            note,
        )


def _steps(fitted: list[Estimate], name: str, wave: _Wave, unreproduced: float, smallest: int) -> Iterator[Step]:
    start, carried = 0, 0.0
    for number, step in enumerate(STEPS, start=1):
        people = wave.people[number - 1] if number <= len(wave.people) else None
        if step == ("changed_eligibility" if wave.erased else "protocol"):
            carried += unreproduced
        if people is not None and 0 < people < smallest:
            yield Step(step, None, None, None, joined(primary_rule(smallest), "combined with the next step"))
            continue
        moved = change(fitted[start], fitted[number], [name])
        yield Step(step, people, float(moved.difference[name]) + carried, moved.std_error(name))
        start, carried = number, 0.0


def _in_both(
    results_before: pd.DataFrame, results_now: pd.DataFrame, wave: str, model: Model, exposure: Exposure
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """The published rows of the categories of a main model, the reference first; None if their number has changed."""
    both = []
    for results in (results_before, results_now):
        main = _main(results, wave)
        both.append(main[(main["model"] == model) & (main["exposure"] == exposure) & (main["measure"] == "rr")])
    then, now = both
    return (then, now) if len(then) == len(now) > 0 else None


def _published_people(results: pd.DataFrame, wave: str) -> int | None:
    """The number of participants analyzed in the previous release, as published."""
    n = _main(results, wave).query("measure == 'p_joint'")["n"].dropna()
    return int(n.max()) if len(n) else None


def _main(results: pd.DataFrame, wave: str) -> pd.DataFrame:
    return results[(results["wave"] == wave) & (results["analysis"] == "main") & (results["population"] == "all")]
