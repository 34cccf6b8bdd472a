"""Analysis ``shifted``: what the risk would be if everybody had somewhat more of an exposure than they have.

The model is that of the curve, with a logistic link, so that risks stay below 1. Whoever would be beyond the protocol's
percentile keeps the exposure they have; if that is too large a share of the people, nothing is estimated.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stegvis.analyses.spline import place
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.contract import OUTCOME, Design, NotEstimable, complete_rows, prepare
from stegvis.statistics.level_risks import LevelRisks
from stegvis.statistics.restricted_cubic_spline import basis, percentile
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.shifted import OBSERVED, SHIFTED, raised, shifted_risk
from stegvis.statistics.terms import Linear
from stegvis.study.protocol import Exposure
from stegvis.study.protocol_shift import Shift

MEASURES = ("rr", "rd")
AS_OBSERVED = "as observed"


def shifted_rows(data: WaveData) -> list[ResultRow]:
    """``rr`` and ``rd`` of each exposure that the protocol raises, fully adjusted, against the risk as observed."""
    rules = data.protocol.shift
    if rules is None:
        return []
    return [row for exposure in data.protocol.exposures.names for row in _rows(data, exposure, rules)]


def _rows(data: WaveData, exposure: Exposure, rules: Shift) -> list[ResultRow]:
    amount = rules.amount(exposure)
    if amount is None:
        return []
    covariates = data.covariates("adjusted")
    frame, _ = complete_rows(data.people, [exposure, *(term.column for term in covariates), OUTCOME])
    template = replace(
        data.template("shifted", "adjusted", exposure),
        term=f"{exposure}_shifted",
        level=f"+{amount:g}",
        reference=AS_OBSERVED,
    ).counting(frame, OUTCOME)
    values = frame[exposure].to_numpy(dtype="float64")
    of_events = values[frame[OUTCOME].to_numpy(dtype="float64") == 1]
    where = place(values, of_events, exposure, data.protocol, data.protocol.spline.knots_from)
    if isinstance(where, NotEstimable):
        return _not_estimable(template, where.reason)
    (highest,) = percentile(values, rules.highest_percentile, data.protocol.spline.percentile_rule)
    raised_values = raised(values, amount, float(highest))
    kept = float((raised_values == values).mean())
    if 1 - kept < rules.smallest_share:
        return _not_estimable(template, "too few people could have more and still be within what people have")
    names = [f"{exposure}_{number}" for number in range(1, len(where.knots))]
    frame = frame.assign(**dict(zip(names, basis(values, where.knots).T, strict=True)))
    design = prepare(frame, [*map(Linear, names), *covariates], data.protocol.models)
    if isinstance(design, NotEstimable):
        return _not_estimable(template, design.reason)
    template = replace(template, note=joined(template.note, *design.simplified, _who_is_moved(kept, len(frame), data)))
    return _estimated(template, _risk(design, names, basis(raised_values, where.knots), data))


def _risk(design: Design, names: list[str], bends: np.ndarray, data: WaveData) -> LevelRisks | NotEstimable:
    moved = design.X.assign(**dict(zip(names, bends.T, strict=True)))
    return shifted_risk(design.X.to_numpy(), moved.to_numpy(), design.y, data.protocol.models)


def _estimated(template: ResultRow, found: LevelRisks | NotEstimable) -> list[ResultRow]:
    if isinstance(found, NotEstimable):
        return _not_estimable(template, found.reason)
    of_ratio, of_difference = (replace(template, measure=measure) for measure in MEASURES)
    return [
        of_ratio.with_estimate(found.risk_ratio(SHIFTED, OBSERVED)),
        of_difference.with_estimate(found.risk_difference(SHIFTED, OBSERVED)),
    ]


def _not_estimable(template: ResultRow, reason: str) -> list[ResultRow]:
    return [replace(template, measure=measure).not_estimable(reason) for measure in MEASURES]


def _who_is_moved(kept: float, people: int, data: WaveData) -> str:
    """The support of the estimate, in whole percent; of few people only in words."""
    few = kept * people < data.protocol.disclosure.smallest_count
    who = "nearly everybody" if few else f"{1 - kept:.0%} of the people"
    return f"{who} would have more; the others would be beyond what people have, and have what they have"
