"""The dose-response curve: its published points, their description and tables.

The curve is fitted in ``stegvis.analyses.spline``, the histogram counted in ``stegvis.analyses.histogram``, and both
are drawn in ``curve_plot``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from stegvis.reporting.formatting import NOTHING, count, interval, is_missing, limits, p_value, ratio
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.rows import chosen, records
from stegvis.reporting.words import Words
from stegvis.study.protocol import Exposure, Protocol

SEVERAL = 12


@dataclass(frozen=True)
class Curve:
    """The published points of one curve (value, estimate, ci_low, ci_high), its knots, reference value and tests."""

    exposure: Exposure
    points: tuple[Mapping[str, float], ...]
    knots: tuple[float, ...]
    reference: float
    p_overall: float | None
    p_nonlinearity: float | None


def curve_of(results: pd.DataFrame, analysis: str, exposure: Exposure) -> Curve | None:
    """The curve of an analysis from a wave's results; None when it is suppressed or not estimable."""
    rows = chosen(results, analysis=analysis, exposure=exposure, model="adjusted", population="all")
    published = [
        row for row in rows if row["measure"] == "rr" and row["status"] == "ok" and not is_missing(row["estimate"])
    ]
    if len(published) < 2:
        return None
    reference = float(published[0]["reference"])
    points = []
    for row in published:
        value = float(row["level"])
        # At the reference the ratio is 1 without an interval.
        low, high = (row["estimate"] if is_missing(row[name]) else row[name] for name in ("ci_low", "ci_high"))
        points.append({"value": value, "estimate": row["estimate"], "ci_low": low, "ci_high": high})
    knots = tuple(float(row["estimate"]) for row in rows if row["measure"] == "knot" and row["status"] == "ok")
    tests = {row["measure"]: row["p_value"] for row in rows if row["status"] == "ok"}
    return Curve(
        exposure,
        tuple(sorted(points, key=lambda point: point["value"])),
        knots,
        reference,
        tests.get("p_overall"),
        tests.get("p_nonlinearity"),
    )


def curve_description(curve: Curve, words: Words) -> str:
    """Text alternative of the curve: the ratio at several values, the reference and the minimum."""
    protocol, unit = words.protocol, words.protocol.exposures.scale(curve.exposure).unit
    values = "; ".join(
        f"{point['value']:g} {unit}: {ratio(point['estimate'])} "
        f"({interval(point['ci_low'], point['ci_high'], protocol)})"
        for point in several(curve)
    )
    lowest = min(curve.points, key=lambda point: point["estimate"])
    return (
        f"Risk ratio of {words.outcome.name} against {curve.reference:g} {unit}, on a logarithmic axis. {values}. "
        f"Lowest at {lowest['value']:g} {unit} ({ratio(lowest['estimate'])})."
    )


def several(curve: Curve) -> list[Mapping[str, float]]:
    """Twelve of the curve's points, including the first and the last."""
    last = len(curve.points) - 1
    places = sorted({round(number * last / (SEVERAL - 1)) for number in range(SEVERAL)})
    return [curve.points[place] for place in places]


def curve_table(curve: Curve, identifier: str, caption: str, protocol: Protocol) -> Table:
    """The curve at twelve values, with its knots, reference and tests in the note."""
    scale = protocol.exposures.scale(curve.exposure)
    rows = tuple(
        (
            f"{point['value']:g}",
            "1 (reference)"
            if point["value"] == curve.reference
            else f"{ratio(point['estimate'])} ({limits(point['ci_low'], point['ci_high'])})",
        )
        for point in several(curve)
    )
    knots = ", ".join(f"{knot:.4g}" for knot in curve.knots)
    tests = [
        f"{name}: {p_value(value)}"
        for name, value in (("overall", curve.p_overall), ("nonlinearity", curve.p_nonlinearity))
        if value is not None and not is_missing(value)
    ]
    remark = f"Knots at {knots}; reference {curve.reference:g}. Tests: {'; '.join(tests) or NOTHING}. All values"
    return Table(
        identifier,
        caption,
        (f"{scale.name}, {scale.unit}", "Risk ratio (interval)"),
        (Group(rows),),
        note=f"{remark} are in results.csv.",
    )


def histogram_table(histogram: pd.DataFrame, exposure: Exposure, identifier: str, protocol: Protocol) -> Table | None:
    """Participants by bin of an exposure; suppressed bins are not shown."""
    if histogram.empty:
        return None
    scale = protocol.exposures.scale(exposure)
    decimals = scale.printed_decimals
    rows = []
    for row in records(histogram):
        low, high = (None if is_missing(row[name]) else f"{row[name]:.{decimals}f}" for name in ("low", "high"))
        name = f"below {high}" if low is None else f"{low} and more" if high is None else f"{low} to below {high}"
        rows.append((name, "not shown" if row["status"] == "suppressed" else count(row["n"])))
    caption = f"Participants by {scale.name.lower()} at baseline"
    return Table(identifier, caption, (f"{scale.name}, {scale.unit}", "Participants"), (Group(tuple(rows)),))
