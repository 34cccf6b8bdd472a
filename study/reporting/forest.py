"""The forest plot: risk ratios of one exposure's categories, age-adjusted and fully adjusted, on a log axis.

Belongs here: drawing estimates that arrive finished. Does not belong here: the table of the same numbers
(``tables.py``). Altair describes the chart and vl-convert draws it in this process: no browser, no network.
"""

from __future__ import annotations

from io import StringIO
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from study.protocol import Exposure, protocol
from study.reporting import figure
from study.reporting.formatting import interval, ratio
from study.reporting.rows import main_risk_ratios, records
from study.reporting.wording import MODELS, OUTCOME, is_shown, level_label

ABSENT = {"suppressed": "not shown", "not_estimable": "not estimable", "ok": "not estimable"}
PLOT_WIDTH = 320
ROW_HEIGHT = 44
TICKS_FINE = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4)
TICKS_MIDDLE = (0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5)
TICKS_COARSE = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)


def forest_plot(results: pd.DataFrame, exposure: Exposure, wave: str, synthetic: bool) -> str:
    """The plot as an SVG text; empty when there is no estimate of this exposure.

    Args:
        results: results of one wave, columns of ``inputs.RESULT_COLUMNS``.
        exposure: walking_minutes or walking_met.
        wave: the wave's name, for the titles.
        synthetic: marks the figure as synthetic.
    """
    rows = [_drawn(row) for row in records(main_risk_ratios(results, exposure))]
    if not rows:
        return ""
    heading = [f"{protocol().exposures.scale(exposure).name} and {OUTCOME}", f"Wave {wave}"]
    text = StringIO()
    _chart(pd.DataFrame(rows), exposure, heading, synthetic).save(text, format="svg")
    svg = ElementTree.fromstring(text.getvalue())
    title = f"Forest plot: {heading[0]}, {wave}" + (f" ({figure.SYNTHETIC})" if synthetic else "")
    return figure.finish(svg, f"forest-{exposure}", title, forest_description(rows))


def forest_description(rows: list[dict[str, Any]]) -> str:
    """The plot in words: every estimate it shows."""
    parts = []
    for row in rows:
        if row["kind"] == "estimate":
            said = f"risk ratio {ratio(row['estimate'])} ({interval(row['ci_low'], row['ci_high'])})"
        else:
            said = row["label"]
        parts.append(f"{row['category']}, {row['model'].lower()}: {said}")
    return "Risk ratios on a logarithmic axis. " + "; ".join(dict.fromkeys(parts)) + "."


def axis_ticks(low: float, high: float) -> list[float]:
    """Round values inside the axis' domain, coarser the wider it is; 1 is always one of them."""
    span = high / low
    ticks = TICKS_FINE if span < 2.2 else TICKS_MIDDLE if span < 6 else TICKS_COARSE
    return [tick for tick in ticks if low <= tick <= high]


def _drawn(row: dict[str, Any]) -> dict[str, Any]:
    # Only what is drawn is handed on, so that a number that must not be shown cannot reach the figure.
    drawn = {"category": level_label(row["level"]), "model": MODELS[row["model"]], "anchor": 1.0}
    if row["level"] == row["reference"]:
        return {**drawn, "kind": "reference", "label": "reference"}
    if not is_shown(row):
        return {**drawn, "kind": "absent", "label": ABSENT[row["status"]]}
    return {**drawn, "kind": "estimate", **{name: float(row[name]) for name in ("estimate", "ci_low", "ci_high")}}


def _chart(rows: pd.DataFrame, exposure: Exposure, heading: list[str], synthetic: bool) -> Any:
    import altair as alt

    scale = protocol().exposures.scale(exposure)
    estimates = rows[rows["kind"] == "estimate"].reindex(columns=["category", "model", "estimate", "ci_low", "ci_high"])
    references = rows[rows["kind"] == "reference"].drop_duplicates("category")
    absent = rows[rows["kind"] == "absent"]
    low = float(min([0.8, *estimates["ci_low"]])) / 1.04
    high = float(max([1.25, *estimates["ci_high"]])) * 1.04
    x_axis = alt.Axis(values=axis_ticks(low, high), format="~g", title=["Risk ratio, log scale", "below 1: lower risk"])
    x_scale = alt.Scale(type="log", domain=[low, high], nice=False)
    names = list(MODELS.values())
    y = alt.Y("category:N", sort=list(dict.fromkeys(rows["category"])), title=scale.unit)
    offset = alt.YOffset("model:N", sort=names, scale=alt.Scale(domain=names, paddingOuter=0.35))
    legend = alt.Legend(title=None, orient="bottom", direction="horizontal")
    color = alt.Color(
        "model:N", scale=alt.Scale(domain=names, range=[figure.AGE_ADJUSTED, figure.ADJUSTED]), legend=legend
    )
    shape = alt.Shape("model:N", scale=alt.Scale(domain=names, range=["circle", "square"]), legend=legend)
    one = alt.Chart(pd.DataFrame({"anchor": [1.0]})).mark_rule(color=figure.MUTED, strokeDash=[4, 3])
    base = alt.Chart(estimates).encode(y=y, yOffset=offset, color=color)
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("ci_low:Q", scale=x_scale, axis=x_axis), x2="ci_high:Q")
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=alt.X("estimate:Q", scale=x_scale, axis=x_axis), shape=shape
    )
    layers = [one.encode(x=alt.X("anchor:Q", scale=x_scale, axis=x_axis)), bars, points]
    for words, offsets in ((references, {}), (absent, {"yOffset": offset})):
        label = alt.Chart(words).mark_text(align="left", dx=7, color=figure.MUTED, fontSize=13)
        layers.append(label.encode(x=alt.X("anchor:Q", scale=x_scale, axis=x_axis), y=y, text="label:N", **offsets))
    title = alt.TitleParams(
        heading,
        subtitle=figure.SYNTHETIC if synthetic else "",
        subtitleColor=figure.WARNING,
        subtitleFontWeight="bold",
        color=figure.INK,
        anchor="start",
        frame="group",
        fontSize=13,
        subtitleFontSize=13,
    )
    height = ROW_HEIGHT * rows["category"].nunique()
    chart = alt.layer(*layers).properties(width=PLOT_WIDTH, height=height, title=title, background="transparent")
    text = {"labelColor": figure.INK, "titleColor": figure.INK, "labelFontSize": 13, "titleFontSize": 13}
    lines = {"domainColor": figure.MUTED, "tickColor": figure.MUTED, "gridColor": figure.LINE}
    return (
        chart.configure(font="sans-serif")
        .configure_axis(**text, **lines, titleFontWeight="normal")
        .configure_axisY(grid=False, titleAngle=0, titleAlign="left", titleY=-8, titleX=-44)
        .configure_view(stroke=None)
        .configure_legend(labelColor=figure.INK, labelFontSize=13, symbolSize=70)
    )
