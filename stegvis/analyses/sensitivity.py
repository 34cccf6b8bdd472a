"""Analyses ``sensitivity:<name>``: the main models in other samples, with another covariate, or of another outcome.

They are the entries of the protocol. Each recalculates the categories in its own sample, as published. Where the
published code has an error, both versions are given: ``sensitivity:<name>`` follows the protocol's mode, and
``sensitivity:<name>_strict`` (or ``_as_published``) the other mode. For the outcome itself the protocol's mode is the
main analysis, so only the other version is given here.

E-values are given for every risk ratio (published: for ratios below 1 whose upper limit is below 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pandas as pd

from stegvis.analyses.category_model import category_rows
from stegvis.analyses.condition import Condition, meeting
from stegvis.analyses.covariate_curve import with_curves
from stegvis.analyses.wave_data import WaveData
from stegvis.disclosure import is_small
from stegvis.statistics.categories import add_categories
from stegvis.statistics.contract import OUTCOME
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.terms import MODELS, columns_terms
from stegvis.study.protocol import Protocol
from stegvis.study.protocol_sensitivity import Mode, Restriction, SensitivityEntry

SAME_AS_MAIN = "same as main: everybody meets the restriction, and nothing is added to the models"


@dataclass(frozen=True)
class Sensitivity:
    """One sensitivity analysis.

    Attributes:
        name: after ``sensitivity:``.
        population: name of the sample.
        where: conditions that everybody in it meets.
        added: columns added to the adjusted model.
        curved: numbers of the models that enter as curves.
        outcome: column of 0 and 1.
        note: a remark for the rows.
    """

    name: str
    population: str
    where: tuple[Condition, ...] = ()
    added: tuple[str, ...] = ()
    curved: tuple[str, ...] = ()
    outcome: str = OUTCOME
    note: str = ""


def sensitivity_rows(data: WaveData) -> list[ResultRow]:
    """``rr`` per category and ``p_joint`` of both exposures and both models in each sensitivity analysis."""
    return [row for each in sensitivities(data.protocol) for row in _rows(data, each)]


def sensitivities(protocol: Protocol) -> list[Sensitivity]:
    """The entries of the protocol in its order; of those in two modes, the protocol's mode comes first."""
    own = protocol.study.mode
    entries = [each for each in protocol.sensitivity if not _is_main(each, own)]
    places = {each.name: place for place, each in reversed(list(enumerate(entries)))}
    entries.sort(key=lambda each: (places[each.name], each.answer not in (None, own)))
    return [_made(each, own) for each in entries]


def other_mode(protocol: Protocol) -> Mode:
    """The mode that the protocol does not use."""
    return "strict" if protocol.study.mode == "as_published" else "as_published"


def _is_main(entry: SensitivityEntry, own: Mode) -> bool:
    """Whether an entry is of the outcome itself, in the protocol's mode."""
    return entry.answer == own and entry.outcome == f"{OUTCOME}_{own}"


def _made(entry: SensitivityEntry, own: Mode) -> Sensitivity:
    name = entry.name if entry.answer in (None, own) else f"{entry.name}_{entry.answer}"
    conditions = tuple(condition for each in entry.where for condition in _conditions(each))
    outcome = entry.outcome or OUTCOME
    return Sensitivity(name, entry.population, conditions, entry.add, entry.curved, outcome, entry.note)


def _conditions(restriction: Restriction) -> Iterator[Condition]:
    column, levels = restriction.column, restriction.levels
    if restriction.known:
        yield Condition(column, "known")
    if restriction.at_least is not None:
        yield Condition(column, ">=", restriction.at_least)
    if restriction.below is not None:
        yield Condition(column, "<", restriction.below)
    if len(levels) == 1 and not restriction.or_unknown:
        yield Condition(column, "==", levels[0])
    elif levels:
        yield Condition(column, "in or unknown" if restriction.or_unknown else "in", levels)


def _rows(data: WaveData, each: Sensitivity) -> Iterator[ResultRow]:
    met = meeting(each.where, data.people)
    sample = add_categories(data.people[met], data.protocol)
    further = [column for column in each.added if column not in data.protocol.models.adjusted]
    sample, bends = with_curves(sample, each.curved, data.protocol.spline)
    same = each.outcome == OUTCOME and not further and not bends and bool(met.all())
    for exposure in data.protocol.exposures.names:
        for model in MODELS:
            template = data.template(f"sensitivity:{each.name}", model, exposure, each.population)
            template = replace(template, note=joined(template.note, each.note))
            added = columns_terms(further if model == "adjusted" else (), data.levels)
            straight = data.covariates(model)
            curved = [bend for term in straight for bend in bends.get(term.column, ())]
            covariates = (*straight, *curved, *added)
            rows = category_rows(sample, template, covariates, data.protocol, outcome=each.outcome)
            if each.outcome == f"{OUTCOME}_{other_mode(data.protocol)}":
                rows = [_beside_main(row, sample, each.outcome, data.protocol) for row in rows]
            yield from ((_same_as_main(row) for row in rows) if same else rows)


def _same_as_main(row: ResultRow) -> ResultRow:
    """A row without its numbers: they would pose as a confirmation of the main analysis."""
    names = ("term", "level", "reference", "n", "measure", "members")
    return _without_numbers(row, names).not_estimable(SAME_AS_MAIN)


def _beside_main(row: ResultRow, sample: pd.DataFrame, outcome: str, protocol: Protocol) -> ResultRow:
    """Rows without events: compared with the main analysis they would reveal the few people whose outcomes differ."""
    differing = (sample[outcome] != sample[OUTCOME]).to_numpy(dtype=bool).sum(keepdims=True)
    row = replace(row, events=None)
    if row.status == "ok" and is_small(differing, protocol.disclosure.smallest_count)[0]:
        bare = _without_numbers(row, ("term", "level", "reference", "n", "measure", "members"))
        return bare.not_estimable("the outcome of too few people differs from the main analysis's")
    return row


def _without_numbers(row: ResultRow, kept: tuple[str, ...]) -> ResultRow:
    bare = ResultRow(row.wave, row.analysis, row.population, row.model, row.exposure, note=row.note)
    return replace(bare, **{name: getattr(row, name) for name in kept})
