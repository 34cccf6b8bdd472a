"""What protocol, codebook and claims say about each other: the covariates that a codebook adds, and contradictions."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator

from stegvis.study.claims import Claims
from stegvis.study.codebook import (
    COMMON,
    Codebook,
    Column,
    LayoutName,
    covariates,
    participant_levels,
    secondary_outcomes,
    study_columns,
)
from stegvis.study.exposure_agreement import claim_contradictions, exposure_contradictions
from stegvis.study.outcomes import Outcome
from stegvis.study.protocol import EXPOSURES, Protocol
from stegvis.study.protocol_estimates import estimate_contradictions
from stegvis.study.settings import SettingsError

# Columns that the SELECTs of people make themselves.
MADE = (
    "wave",
    "older",
    "low_back_pain",
    "box_against_screen",
    "has_recording",
    "reason",
    "answered",
    "baseline_pain_screen",
    "valid_days",
    "whole_days",
    "follow_up_years",
    "in_cohort",
    "state",
    "vital_status_known",
    "vital_event",
    "vital_years",
    "responded_after_death",
    *EXPOSURES,
)
# Numbers of the analysis set that come from recordings and dates.
COUNTED = (
    "recorded_days",
    "valid_days",
    "whole_days",
    "follow_up_years",
    "running_cycling_minutes_as_published",
    "running_cycling_minutes_strict",
)
# Other outcomes of the analysis set.
OUTCOMES = (
    "low_back_pain_as_published",
    "low_back_pain_strict",
    "severe_low_back_pain_as_published",
    "severe_low_back_pain_strict",
)
# Columns of participants and of a follow-up without which nothing can be analyzed.
NEEDED = ("person", "baseline_date", "sex", "age")
SEXES = ("female", "male")
# Exclusions of people who are eligible at baseline.
AT_FOLLOW_UP = ("followup_screen_missing", "covariate_missing")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class ContradictionError(SettingsError):
    """Two files of a study contradict each other; the message names file and key, and what there is."""


def with_added_covariates(protocol: Protocol, codebook: Codebook) -> Protocol:
    """The protocol with the covariates of the codebook in its models and among its complete cases.

    Raises:
        ContradictionError: a covariate has another role, or the protocol lists added covariates itself.
    """
    if protocol.covariates.additional:
        raise ContradictionError("protocol.toml: covariates.additional: add a covariate in codebook.toml")
    roles = covariates(codebook)
    answers = [name for each in codebook.outcomes.values() if each.primary for name in each.asked_at_baseline]
    taken = [name for name in (*COMMON, *answers, *MADE) if name not in ("sex", "age")]
    for name in roles:
        if name in taken:
            raise ContradictionError(
                f"codebook.toml: {name}.covariate: {name} has a role already; a covariate is none of {', '.join(taken)}"
            )
    listed = (*protocol.models.age, *protocol.models.adjusted)
    added = {name: role for name, role in roles.items() if name not in listed}
    if not added:
        return protocol
    names = {name: {"en": role.label, "nb": role.label_nb} for name, role in added.items()}
    models = {
        model: (*getattr(protocol.models, model), *(name for name, role in added.items() if model in role.models))
        for model in ("age", "adjusted")
    }
    complete = (*protocol.exclusions.complete_case, *(name for name, role in added.items() if role.complete_case))
    return protocol.model_copy(
        update={
            "covariates": protocol.covariates.model_copy(update={"additional": names}),
            "models": protocol.models.model_copy(update=models),
            "exclusions": protocol.exclusions.model_copy(update={"complete_case": complete}),
        }
    )


def check_agreement(protocol: Protocol, codebook: Codebook, claims: Claims) -> None:
    """Find what contradicts between the files.

    Args:
        protocol: with the added covariates.
        codebook: of the same study.
        claims: of the same study.

    Raises:
        ContradictionError: the first contradiction.
    """
    for problem in _contradictions(protocol, codebook, claims):
        raise ContradictionError(problem)


def _contradictions(protocol: Protocol, codebook: Codebook, claims: Claims) -> Iterator[str]:
    yield from _columns(codebook)
    known = tuple(covariates(codebook))
    lists = {
        "models.age": protocol.models.age,
        "models.adjusted": protocol.models.adjusted,
        "exclusions.complete_case": protocol.exclusions.complete_case,
        "attrition_weights.squared": protocol.attrition_weights.squared,
    }
    for key, names in lists.items():
        more = protocol.exposures.names if key == "attrition_weights.squared" else ()
        yield from _outside(f"protocol.toml: {key}", names, (*known, *more), "covariate")
        yield from (f"protocol.toml: {key}: {name} is there twice" for name in names if list(names).count(name) > 1)
    columns, levels = study_columns(codebook), participant_levels(codebook)
    characteristics = protocol.characteristics
    yield from _outside("protocol.toml: characteristics.further", characteristics.further, columns, "column")
    for column, groups in characteristics.groups.items():
        key = f"protocol.toml: characteristics.groups.{column}"
        yield from _outside("protocol.toml: characteristics.groups", [column], levels, "column with levels")
        for group, members in groups.items():
            yield from _outside(f"{key}.{group}", members, levels[column], "level")
        grouped = {level for members in groups.values() for level in members}
        for level in levels[column]:
            if level not in grouped:
                yield f"{key}: no group has the level '{level}' of codebook.toml"
    yield from _outcomes(codebook)
    yield from _derived(protocol, codebook)
    yield from _sensitivity(protocol, codebook)
    yield from _exclusions(protocol)
    controls = [each.column for each in protocol.negative_controls.controls]
    known_of_people = dict.fromkeys(("sex", "age", "older", *protocol.exposures.names, *COUNTED, *columns, *levels))
    yield from _outside("protocol.toml: negative_controls.controls.column", controls, known_of_people, "column")
    yield from exposure_contradictions(protocol)
    yield from claim_contradictions(protocol, claims)
    yield from estimate_contradictions(protocol, codebook)


def _exclusions(protocol: Protocol) -> Iterator[str]:
    """Exclusions without which the wrong people are analyzed, and those at follow-up, which come last."""
    order, key = protocol.exclusions.order, "protocol.toml: exclusions.order"
    needed = {"no_valid_walking_day": "an exposure", "followup_screen_missing": "the outcome"}
    needed |= {"covariate_missing": "the covariates of complete_case"} if protocol.exclusions.complete_case else {}
    yield from (f"{key}: it lacks {rule}: people without {what} cannot be analyzed" for rule, what in needed.items()
                if rule not in order)  # fmt: skip
    first = [rule for rule in order if rule not in AT_FOLLOW_UP]
    last = [rule for rule in order if rule in AT_FOLLOW_UP]
    if list(order) != [*first, *last]:
        yield f"{key}: who is eligible is known at baseline, so this is the order: {', '.join([*first, *last])}"


def _columns(codebook: Codebook) -> Iterator[str]:
    """Columns that every study needs, and names that no column may have."""
    participants = codebook.participants.columns
    needed: dict[LayoutName, tuple[str, ...]] = {"participants": NEEDED, "questionnaire": ("person", "answer_date")}
    for layout, names in needed.items():
        for name in names:
            if name not in codebook[layout].columns:
                yield f"codebook.toml: {layout}.columns: there is no column '{name}', which every study needs"
    sexes = participant_levels(codebook).get("sex", ())
    if sorted(sexes) != sorted(SEXES) or participants["age"].type != "number":
        yield f"codebook.toml: participants.columns: sex has the levels {' and '.join(SEXES)}, and age is a number"
    for name in (*participants, *codebook.derived):
        if not _NAME.fullmatch(name):
            yield f"codebook.toml: {name}: a column's name is of small letters, digits and _"
        if name in MADE or (name in codebook.derived and name in COMMON):
            yield f"codebook.toml: {name}: the program itself makes a column of that name"


def _derived(protocol: Protocol, codebook: Codebook) -> Iterator[str]:
    """Columns that are made from others."""
    delivered = codebook.participants.columns
    cuts = [name for name, each in codebook.derived.items() if each.rule == "at_least"]
    yield from _outside("protocol.toml: covariates.cuts", protocol.covariates.cuts, cuts, "column of rule at_least")
    for name, each in codebook.derived.items():
        key = f"codebook.toml: derived.{name}"
        yield from _outside(f"{key}.source", each.source, delivered, "column of participants")
        if each.rule == "at_least" and name not in protocol.covariates.cuts:
            yield f"protocol.toml: covariates.cuts: there is no cut of {name}, which codebook.toml derives by at_least"
        if each.rule == "at_least":
            scored = delivered[each.source[0]]
            low, high = scored.range or (-math.inf, math.inf)
            if scored.type != "number":
                yield f"{key}.source: {each.source[0]} is no number"
            elif not low < protocol.covariates.cuts[name] <= high:
                yield f"protocol.toml: covariates.cuts.{name}: {each.source[0]} runs from {low:g} to {high:g}"
        if each.rule == "any_yes":
            for source in each.source:
                yield from _outside(f"{key}.source: {source}", ("no", "yes"), _codes(codebook, source), "level")
        for other, level in each.unless.items():
            yield from _outside(f"{key}.unless.{other}", (level,), _codes(codebook, other), "level")


def _outcomes(codebook: Codebook) -> Iterator[str]:
    """Outcomes that nobody can have, and other than one primary outcome."""
    primary = [name for name, each in codebook.outcomes.items() if each.primary]
    if len(primary) != 1:
        yield f"codebook.toml: outcomes: one of them has primary = true, not {len(primary)}"
    for name, outcome in codebook.outcomes.items():
        key = f"codebook.toml: outcomes.{name}"
        if not _NAME.fullmatch(name):
            yield f"{key}: an outcome's name is of small letters, digits and _"
        needs: dict[LayoutName, tuple[str, ...]] = {
            "questionnaire": outcome.columns,
            "participants": outcome.asked_at_baseline,
        }
        for layout, needed in needs.items():
            columns = codebook[layout].columns
            yield from _outside(key, needed, columns, f"column of {layout}")
            for column in needed:
                yield from _fits(key, outcome, column, columns[column])


def _fits(key: str, outcome: Outcome, name: str, column: Column) -> Iterator[str]:
    """Whether a column can be what an outcome makes of it."""
    found = tuple(dict.fromkeys((column.codes or {}).values()))
    if name == outcome.box or outcome.kind == "tick":
        expected = "tick"
    elif outcome.kind == "score" and name == outcome.source:
        expected = "number"
    else:
        expected = "code"
        wanted = outcome.levels if outcome.kind == "question" and name == outcome.source else ("no", "yes")
        yield from _outside(f"{key}: {name}", wanted, found, "level")
    if column.type != expected:
        yield f"{key}: {name} is of type {column.type}; a {outcome.kind} needs {expected}"
    low, high = column.range or (-math.inf, math.inf)
    if expected == "number" and outcome.at_least is not None and not low < outcome.at_least <= high:
        yield f"{key}.at_least: {name} runs from {low:g} to {high:g}"


def _sensitivity(protocol: Protocol, codebook: Codebook) -> Iterator[str]:
    """Sensitivity analyses of columns and levels that are not there."""
    levels = participant_levels(codebook) | {"baseline_pain_screen": ("no", "yes")}
    columns = study_columns(codebook)
    numbers = [name for name in ("age", *columns) if name not in levels]
    outcomes = (*OUTCOMES, *(f"outcome_{name}" for name in secondary_outcomes(codebook)))
    seen: set[tuple[str, str | None]] = set()
    for each in protocol.sensitivity:
        key = f"protocol.toml: sensitivity.{each.name}"
        if (each.name, each.answer) in seen or (each.answer and (each.name, None) in seen):
            yield f"{key}: there are two of that name"
        seen.add((each.name, each.answer))
        for where in each.where:
            known = ("sex", *COUNTED, *columns, *numbers, *levels, *outcomes)
            yield from _outside(f"{key}.where.column", [where.column], dict.fromkeys(known), "column")
            yield from _outside(f"{key}.where.{where.column}", where.levels, levels.get(where.column, ()), "level")
            if (where.at_least is not None or where.below is not None) and where.column in levels:
                yield f"{key}.where.{where.column}: it is no number; give levels: {', '.join(levels[where.column])}"
        addable = dict.fromkeys((*numbers, *COUNTED, *covariates(codebook)))
        yield from _outside(f"{key}.add", each.add, addable, "number or covariate")
        straight = [name for name in protocol.models.adjusted if name not in levels]
        yield from _outside(f"{key}.curved", each.curved, straight, "number among the adjusted covariates")
        if each.outcome:
            yield from _outside(f"{key}.outcome", [each.outcome], outcomes, "outcome")


def _codes(codebook: Codebook, column: str) -> tuple[str, ...]:
    """The levels of a delivered column of participants; none of one that has none, or is not there."""
    found = codebook.participants.columns.get(column)
    return tuple(dict.fromkeys(found.codes.values())) if found and found.codes else ()


def _outside(key: str, given: Collection[str], known: Collection[str], what: str) -> Iterator[str]:
    for name in given:
        if name not in known:
            yield f"{key}: there is no {what} '{name}'; there are: {', '.join(known)}"
