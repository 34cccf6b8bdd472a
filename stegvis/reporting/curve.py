"""The dose-response curve: risk ratio and confidence band on a log axis, with reference, knots and a histogram.

The curve is fitted in ``stegvis.analyses.spline``, the histogram counted in ``stegvis.analyses.histogram``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from stegvis.reporting import figure
from stegvis.reporting.forest import axis_ticks
from stegvis.reporting.formatting import NOTHING, count, interval, is_missing, limits, p_value, ratio
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.rows import chosen, records
from stegvis.reporting.words import Words
from stegvis.study.protocol import Exposure, Protocol

WIDTH = 330
HEIGHT = 250
# The bars fill the lower part of the plot, so that the curve stays readable.
HISTOGRAM_SHARE = 0.35
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


def curve_plot(
    curve: Curve,
    histogram: pd.DataFrame,
    identifier: str,
    heading: Sequence[str],
    synthetic: bool,
    words: Words,
) -> str:
    """The curve as an SVG text.

    Args:
        curve: what to draw.
        histogram: bins of this exposure (low, high, n, status); suppressed and open bins are omitted. May be empty.
        identifier: unique on the page.
        heading: the lines of the title.
        synthetic: marks the figure as synthetic.
        words: name the outcome, the exposure and the level of the intervals.
    """
    import altair as alt

    points = pd.DataFrame(list(curve.points))
    scale = words.protocol.exposures.scale(curve.exposure)
    first, last = float(points["value"].min()), float(points["value"].max())
    low = float(min(0.8, points["ci_low"].min())) / 1.04
    high = float(max(1.25, points["ci_high"].max())) * 1.04
    x = alt.X("value:Q", scale=alt.Scale(domain=[first, last], nice=False), title=f"{scale.name}, {scale.unit}")
    y_axis = alt.Axis(values=axis_ticks(low, high), format="~g", title="Risk ratio, log scale", orient="left")
    y_scale = alt.Scale(type="log", domain=[low, high], nice=False)
    band = alt.Chart(points).mark_area(color=figure.ADJUSTED, opacity=0.18)
    band = band.encode(x=x, y=alt.Y("ci_low:Q", scale=y_scale, axis=y_axis), y2="ci_high:Q")
    line = alt.Chart(points).mark_line(color=figure.ADJUSTED, strokeWidth=2.5)
    line = line.encode(x=x, y=alt.Y("estimate:Q", scale=y_scale, axis=y_axis))
    one = alt.Chart(pd.DataFrame({"one": [1.0]})).mark_rule(color=figure.MUTED, strokeDash=[4, 3])
    one = one.encode(y=alt.Y("one:Q", scale=y_scale, axis=y_axis))
    knots = pd.DataFrame({"value": [knot for knot in curve.knots if first <= knot <= last]})
    knot_lines = alt.Chart(knots).mark_rule(color=figure.MUTED, strokeDash=[1, 3]).encode(x=x)
    start = pd.DataFrame({"value": [curve.reference], "one": [1.0]})
    dot = alt.Chart(start).mark_point(filled=True, size=80, opacity=1, color=figure.INK)
    dot = dot.encode(x=x, y=alt.Y("one:Q", scale=y_scale, axis=y_axis))
    chart = alt.layer(knot_lines, one, band, line, dot)
    bars = _bins(histogram, first, last)
    if len(bars):
        top = float(bars["n"].max()) / HISTOGRAM_SHARE
        people = alt.Axis(orient="right", title="Participants", grid=False, values=_people_ticks(bars["n"].max()))
        behind = alt.Chart(bars).mark_rect(color=figure.LINE, opacity=0.75)
        behind = behind.encode(
            x=alt.X("low:Q", scale=alt.Scale(domain=[first, last], nice=False), title=f"{scale.name}, {scale.unit}"),
            x2="high:Q",
            y=alt.Y("n:Q", scale=alt.Scale(domain=[0, top], nice=False), axis=people),
            y2=alt.datum(0),
        )
        chart = alt.layer(behind, chart).resolve_scale(y="independent")
    chart = chart.properties(width=WIDTH, height=HEIGHT, title=figure.chart_title(heading, synthetic))
    return figure.chart_svg(chart, identifier, heading, curve_description(curve, words), synthetic)


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


def _bins(histogram: pd.DataFrame, first: float, last: float) -> pd.DataFrame:
    if histogram.empty:
        return histogram
    shown = (histogram["status"] == "ok") & histogram["low"].notna() & histogram["high"].notna()
    shown &= (histogram["low"] >= first) & (histogram["high"] <= last)
    return histogram.loc[shown, ["low", "high", "n"]].astype("float64")


def _people_ticks(most: float) -> list[float]:
    """Zero and a round number near the height of the highest bar."""
    size = 10 ** (len(str(int(most))) - 1)
    return [0, max(1, int(most / size)) * size]
