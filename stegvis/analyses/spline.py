"""Analyses ``spline`` and ``mutual_spline``: dose-response curves of the exposures.

The published curve ran from the lowest to the highest value; those are single people, so it is reported between
percentiles that have enough people, and enough events, beyond them: a curve where nobody had an event is drawn by the
model alone. Knots are sample percentiles or fixed (``spline.knots_from``); the
curve with the other knots is called ``spline_fixed_knots`` or ``spline_sample_knots``, so that both are reported.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from stegvis.analyses.category_model import joint_row, remarks
from stegvis.analyses.mutual import other_exposure
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.contract import OUTCOME, NotEstimable, complete_rows
from stegvis.statistics.restricted_cubic_spline import PERCENTILES, basis, curve, knots_of, percentile
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.risk_ratio import Fit, fit_risk_ratio
from stegvis.statistics.terms import Linear, Term
from stegvis.study.protocol import Exposure, Protocol

KnotRule = Literal["sample", "fixed"]


@dataclass(frozen=True)
class Place:
    """The knots, the reference and the range of a curve."""

    knots: tuple[float, ...]
    reference: float
    lowest: float
    highest: float


def spline_rows(data: WaveData) -> list[ResultRow]:
    """The curves of both exposures, fully adjusted, with knots by the protocol's rule and then by the other."""
    in_force = data.protocol.spline.knots_from
    other: KnotRule = "fixed" if in_force == "sample" else "sample"
    rows = []
    for analysis, rule in (("spline", in_force), (f"spline_{other}_knots", other)):
        for exposure in data.protocol.exposures.names:
            rows += _curve_rows(data, analysis, exposure, rule, mutual=False)
    return rows


def mutual_spline_rows(data: WaveData) -> list[ResultRow]:
    """The curves of both exposures, adjusted for a spline of the other exposure with its own knots."""
    rule, exposures = data.protocol.spline.knots_from, data.protocol.exposures.names
    if len(exposures) == 1:
        return []
    return [row for exposure in exposures for row in _curve_rows(data, "mutual_spline", exposure, rule, mutual=True)]


def place(
    values: np.ndarray, of_events: np.ndarray, exposure: Exposure, protocol: Protocol, rule: KnotRule
) -> Place | NotEstimable:
    """Knots, reference and range of a curve, from known values; not estimable if a percentile could be a person's.

    Args:
        values: of each person (n,).
        of_events: of each event (e,).
        exposure: whose values they are.
        protocol: the study's protocol.
        rule: where the knots come from.
    """
    if len(of_events) < 2 * protocol.disclosure.smallest_count:
        return NotEstimable("there are too few events for a curve")
    spline, scale = protocol.spline, protocol.spline.scale(exposure)
    n, smallest = len(values), protocol.disclosure.smallest_count
    if rule == "fixed":
        percentiles: tuple[float, ...] = (0.5,)
    else:
        percentiles = (*PERCENTILES[spline.knots], spline.reference_percentile)
    if min(*percentiles, *(1 - share for share in percentiles)) * n < smallest:
        return NotEstimable("there are too few people for percentiles that reveal nobody")
    low, high = spline.shown_percentiles
    lowest, highest = percentile(values, [max(low, smallest / n), min(high, 1 - smallest / n)], spline.percentile_rule)
    beyond = smallest / len(of_events)
    first, last = percentile(of_events, [beyond, 1 - beyond], spline.percentile_rule)
    lowest, highest = max(lowest, first), min(highest, last)
    if rule == "fixed":
        return Place(scale.fixed_knots, scale.fixed_reference, float(lowest), float(highest))
    try:
        knots = knots_of(values, spline.knots, spline.percentile_rule)
    except ValueError:
        return NotEstimable("the knots of the spline coincide")
    (reference,) = percentile(values, spline.reference_percentile, spline.percentile_rule)
    return Place(knots, float(reference), float(lowest), float(highest))


def curve_values(where: Place, step: float) -> dict[str, float]:
    """Printed and exact values of a curve's points, increasing: multiples of the step, the knots, the reference."""
    first, last = math.ceil(where.lowest / step), math.floor(where.highest / step)
    knots = [knot for knot in where.knots if where.lowest <= knot <= where.highest]
    grid = [round(number * step, 10) for number in range(first, last + 1)]
    found: dict[str, float] = {}
    for value in (where.reference, *knots, *grid):
        found.setdefault(f"{value:.6g}", value)
    return dict(sorted(found.items(), key=lambda each: each[1]))


def _curve_rows(data: WaveData, analysis: str, exposure: Exposure, rule: KnotRule, mutual: bool) -> list[ResultRow]:
    exposures = (exposure, other_exposure(exposure)) if mutual else (exposure,)
    template = data.template(analysis, "adjusted", exposure)
    return curve_rows(data.people, template, exposures, data.covariates("adjusted"), data.protocol, rule)


def curve_rows(
    people: pd.DataFrame,
    template: ResultRow,
    exposures: Sequence[Exposure],
    covariates: Sequence[Term],
    protocol: Protocol,
    rule: KnotRule,
    groups: str | None = None,
) -> list[ResultRow]:
    """The curve of the first exposure, adjusted for those of the others and the covariates.

    Args:
        people: one row per person (or per person and wave, with ``groups``).
        template: a row without the estimate.
        exposures: those with a curve in the model.
        covariates: the other terms.
        protocol: the study's protocol.
        rule: where the knots come from.
        groups: column of the person (cluster) of a row; the variance is then clustered.

    Returns:
        The knots, the curve's points and the tests of its shape; the percentiles behind them count each person once.
    """
    exposure, extra = exposures[0], [] if groups is None else [groups]
    frame, dropped = complete_rows(people, [*exposures, *(term.column for term in covariates), OUTCOME, *extra])
    template = replace(template, term=f"{exposure}_spline").counting(frame, OUTCOME)
    template = replace(template, note=joined(template.note, f"{rule} knots"))
    each_once = frame.drop_duplicates("person")
    with_event = frame[frame[OUTCOME] == 1].drop_duplicates("person")
    places: list[Place] = []
    for each in exposures:
        values, of_events = (some[each].to_numpy(dtype="float64") for some in (each_once, with_event))
        found = place(values, of_events, each, protocol, rule)
        if isinstance(found, NotEstimable):
            return _not_estimable(template, found.reason)
        places.append(found)
    terms: list[Linear] = []
    for each, where in zip(exposures, places, strict=True):
        frame, added = _with_basis(frame, each, where.knots)
        terms += added
    fit = fit_risk_ratio(frame, [*terms, *covariates], protocol.models, groups=groups)
    template = replace(template, note=joined(template.note, *remarks(fit, dropped, protocol)))
    if isinstance(fit, NotEstimable):
        return _not_estimable(template, fit.reason)

    names = [term.column for term in terms[: len(places[0].knots) - 1]]
    return _fitted_rows(fit, template, names, places[0], protocol.spline.scale(exposure).grid_step)


def _fitted_rows(fit: Fit, template: ResultRow, names: list[str], where: Place, step: float) -> list[ResultRow]:
    """Knots, points and tests of a fitted curve; ``names`` are its terms."""
    values = curve_values(where, step)
    drawn = curve(
        fit.coefficients.loc[names].to_numpy(),
        fit.covariance.loc[names, names].to_numpy(),
        where.knots,
        list(values.values()),
        where.reference,
        fit.confidence,
    )
    template = replace(template, reference=f"{where.reference:.6g}")
    rows = [
        replace(template, level=str(number), measure="knot", estimate=knot, events=None)
        for number, knot in enumerate(where.knots, start=1)
    ]
    for level, ratio in zip(values, drawn.ratios, strict=True):
        # A point is compared with the reference by the model's shape: an E-value would be read as one of people.
        rows.append(replace(template, level=level).with_estimate(ratio))
    rows.append(joint_row(fit, template, names, "p_overall"))
    rows.append(joint_row(fit, template, names[1:], "p_nonlinearity"))
    return rows


def _with_basis(frame: pd.DataFrame, exposure: Exposure, knots: Sequence[float]) -> tuple[pd.DataFrame, list[Linear]]:
    columns = basis(frame[exposure].to_numpy(dtype="float64"), knots)
    names = [f"{exposure}_spline_{number}" for number in range(columns.shape[1])]
    return frame.assign(**dict(zip(names, columns.T, strict=True))), [Linear(name) for name in names]


def _not_estimable(template: ResultRow, reason: str) -> list[ResultRow]:
    measures = ("rr", "p_overall", "p_nonlinearity")
    return [replace(template, measure=measure).not_estimable(reason) for measure in measures]
