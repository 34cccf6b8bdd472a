"""Analysis ``isotemporal``: substitution of minutes a day of one activity for another."""

from __future__ import annotations

from dataclasses import replace

from stegvis.analyses.category_model import remarks
from stegvis.analyses.time_use import EXPOSURE, PARTS, days_of, moves
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.isotemporal import fit_isotemporal
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.terms import MODELS


def isotemporal_rows(data: WaveData) -> list[ResultRow]:
    """``rr`` per substitution of the protocol's minutes between any two parts, and ``p_joint`` of all parts.

    A substitution that leads from the mean day to where hardly anybody is would be an extrapolation, and has none.
    """
    days = days_of(data)
    rows: list[ResultRow] = []
    for model in MODELS:
        template = days.template(data, "isotemporal", model)
        fit = fit_isotemporal(days.frame, list(PARTS), data.covariates(model), data.protocol.models)
        if isinstance(fit, NotEstimable):
            rows += [row.not_estimable(fit.reason) for _, _, _, row in moves(template, data)]
            rows.append(replace(template, term=EXPOSURE, measure="p_joint").not_estimable(fit.reason))
            continue
        template = replace(template, note=joined(template.note, *remarks(fit.fit, fit.fit.dropped, data.protocol)))
        mean_day = days.frame[list(PARTS)].mean()
        for source, target, minutes, row in moves(template, data):
            reason = days.beyond(mean_day, source, target, minutes)
            ratio = fit.substitution(source, target, minutes)
            rows.append(row.not_estimable(reason) if reason else row.with_ratio(ratio))
        test = fit.joint
        note = joined(template.note, f"Wald test on {test.degrees_of_freedom} df")
        joint = replace(template, term=EXPOSURE, measure="p_joint", note=note)
        rows.append(replace(joint, estimate=test.p_value, p_value=test.p_value))
    return rows
