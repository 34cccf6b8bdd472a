"""Analysis ``composition``: the 24-hour day as a composition, and reallocation of minutes around the mean day.

Only running and cycling may be zero; people without any time in another part (possible under some rules of a valid day)
are excluded. The estimators are in ``stegvis.statistics.composition``.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from stegvis.analyses.category_model import remarks
from stegvis.analyses.time_use import EXPOSURE, PARTS, Days, days_of, moves
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.composition import CompositionFit, closure, fit_composition, impute_zeros
from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.terms import MODELS

MAY_BE_ZERO = "running and cycling"
DOUBLED = "doubled relative to the other parts"


def composition_rows(data: WaveData) -> list[ResultRow]:
    """``rr`` per reallocation around the mean day and per doubling of a part, and ``p_joint`` of the composition."""
    days = days_of(data)
    frame, note = _without_zeros(days.frame, days.minutes, data)
    rows: list[ResultRow] = []
    for model in MODELS:
        template = replace(days.template(data, "composition", model), reference="mean day")
        template = replace(template, note=joined(template.note, note))
        if frame is None:
            rows += _not_estimable(template, data, "zeros cannot be imputed: " + note)
            continue
        template = days.counted(template, frame)
        fit = fit_composition(frame, list(PARTS), data.covariates(model), data.protocol.models, total=days.minutes)
        rows += (
            _not_estimable(template, data, fit.reason)
            if isinstance(fit, NotEstimable)
            else _estimated(fit, template, data, days)
        )
    return rows


def _without_zeros(frame: pd.DataFrame, minutes: float, data: WaveData) -> tuple[pd.DataFrame | None, str]:
    """The frame with zeros imputed and the parts closed again, and a note; None if impossible."""
    always = [part for part in PARTS if part != MAY_BE_ZERO]
    frame = frame[(frame[always] > 0).all(axis=1)].reset_index(drop=True)
    zero = frame[MAY_BE_ZERO] == 0
    if frame.empty or not zero.any():
        return frame, ""
    # The smallest detectable amount is one epoch in all 24-hour days together.
    limits = data.protocol.epochs.seconds / 60 / frame["whole_days"].to_numpy(dtype="float64")
    try:
        parts = impute_zeros(frame[list(PARTS)].to_numpy(), list(PARTS).index(MAY_BE_ZERO), limits)
    except ValueError as error:
        return None, str(error)
    many = zero.sum() >= data.protocol.disclosure.smallest_count
    share = f"{zero.mean():.0%}" if many else "few"
    note = f"no {MAY_BE_ZERO} in {share} of people: imputed by log-ratio EM"
    return frame.assign(**pd.DataFrame(closure(parts, minutes), columns=list(PARTS))), note


def _estimated(fit: CompositionFit, template: ResultRow, data: WaveData, days: Days) -> list[ResultRow]:
    mean_day = ", ".join(f"{part} {value:.1f}" for part, value in fit.center.items())
    notes = remarks(fit.fit, fit.fit.dropped, data.protocol)
    template = replace(template, note=joined(template.note, f"mean day, min: {mean_day}", *notes))
    rows = []
    for source, target, amount, row in moves(template, data):
        row = replace(row, reference="mean day")
        found = fit.reallocation(source, target, amount)
        reason = found.reason if isinstance(found, NotEstimable) else days.beyond(fit.center, source, target, amount)
        rows.append(row.not_estimable(reason) if reason else row.with_ratio(found))
    rows += [replace(template, term=part, level=DOUBLED).with_ratio(fit.doubling(part)) for part in PARTS]
    note = joined(template.note, f"Wald test on {fit.joint.degrees_of_freedom} df")
    joint = replace(template, term=EXPOSURE, reference="", measure="p_joint", note=note)
    return [*rows, replace(joint, estimate=fit.joint.p_value, p_value=fit.joint.p_value)]


def _not_estimable(template: ResultRow, data: WaveData, reason: str) -> list[ResultRow]:
    rows = [replace(row, reference="mean day") for _, _, _, row in moves(template, data)]
    rows += [replace(template, term=part, level=DOUBLED) for part in PARTS]
    rows.append(replace(template, term=EXPOSURE, reference="", measure="p_joint"))
    return [row.not_estimable(reason) for row in rows]
