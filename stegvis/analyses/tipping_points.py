"""Analysis ``tipping_point``: how much higher the risk of those lost must be for a headline ratio to be 1.

Those lost are the living who did not respond, where deaths and emigrations are known (``death_bounds`` is about the
dead).
"""

from __future__ import annotations

from dataclasses import replace

from stegvis.analyses.category_design import with_cuts_of_people
from stegvis.analyses.category_model import category_rows
from stegvis.analyses.living import living
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.categories import REFERENCE
from stegvis.statistics.contract import NotEstimable, complete_rows
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.tipping_point import tipping_point
from stegvis.study.protocol import Exposure

MEASURES = ("tipping_point", "tipping_point_limit")
NOTE = (
    "risk in those lost over risk in those followed, of the category; the lost of the reference are like its followed"
)


def tipping_point_rows(data: WaveData) -> list[ResultRow]:
    """Measures ``tipping_point`` and ``tipping_point_limit`` of each category but the reference."""
    return [row for exposure in data.protocol.exposures.names for row in _rows(exposure, data)]


def _rows(exposure: Exposure, data: WaveData) -> list[ResultRow]:
    template = data.template("tipping_point", "adjusted", exposure)
    main = [
        row
        for row in category_rows(data.people, template, data.covariates("adjusted"), data.protocol)
        if row.measure == "rr"
    ]
    known, _ = complete_rows(living(data.eligible), [exposure])
    eligible = with_cuts_of_people(known, data)
    labels = data.labels(exposure)
    rows = []
    for (category, label), ratio_row in zip(labels.items(), main, strict=True):
        if category == REFERENCE:
            continue
        answered = eligible.loc[eligible[f"{exposure}_category"] == category, "answered"].astype(bool)
        row = replace(
            template,
            term=ratio_row.term,
            level=label,
            reference=ratio_row.reference,
            n=ratio_row.n,
            events=ratio_row.events,
            members=ratio_row.members,
            note=joined(template.note, NOTE),
        )
        for measure in MEASURES:
            found = _found(measure, ratio_row, int((~answered).sum()), len(answered), data)
            row = replace(row, measure=measure)
            rows.append(
                row.not_estimable(found.reason) if isinstance(found, NotEstimable) else replace(row, estimate=found)
            )
    return rows


def _found(measure: str, row: ResultRow, lost: int, everyone: int, data: WaveData) -> float | NotEstimable:
    if row.status != "ok":
        return NotEstimable("the ratio is not estimable")
    smallest = data.protocol.disclosure.smallest_count
    # Also if nobody was lost: a tipping point reveals the share lost.
    if lost < smallest:
        return NotEstimable(f"fewer than {smallest} people of the category were lost")
    ratio = row.estimate
    if measure == "tipping_point_limit":
        if row.ci_low <= 1 <= row.ci_high:
            return 1.0
        ratio = row.ci_high if row.ci_high < 1 else row.ci_low
    risk = row.events / row.n if row.n and row.events is not None else None
    return tipping_point(ratio, lost / everyone, risk)
