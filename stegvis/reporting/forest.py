"""Forest plots: risk ratios on a log axis, of an exposure's categories by model, or of one comparison by analysis."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from stegvis.reporting import figure
from stegvis.reporting.formatting import interval, ratio
from stegvis.reporting.rows import main_risk_ratios, records
from stegvis.reporting.wording import MODELS, is_shown, level_label
from stegvis.reporting.words import Words
from stegvis.study.protocol import Exposure, Protocol

ABSENT = {"suppressed": "not shown", "not_estimable": "not estimable", "ok": "not estimable"}
PLOT_WIDTH = 320
LADDER_WIDTH = 235
ROW_HEIGHT = 44
LADDER_ROW_HEIGHT = 38
LABEL_CHARACTERS = 25
LINE_BREAK = "|"
TICKS_FINE = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4)
TICKS_MIDDLE = (0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5)
TICKS_COARSE = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)


def forest_plot(results: pd.DataFrame, exposure: Exposure, wave: str, synthetic: bool, words: Words) -> str:
    """The main results of an exposure as an SVG text; empty when there is no estimate of it.

    Args:
        results: results of one wave, columns of ``inputs.RESULT_COLUMNS``.
        exposure: walking_minutes or walking_met.
        wave: the wave's name, for the titles.
        synthetic: labels the figure as synthetic.
        words: name the outcome, the exposure and the level of the intervals.
    """
    rows = [
        _drawn(row, level_label(row["level"]), MODELS[row["model"]])
        for row in records(main_risk_ratios(results, exposure))
    ]
    if not rows:
        return ""
    protocol = words.protocol
    scale = protocol.exposures.scale(exposure)
    heading = [f"{scale.name} and {words.outcome.name}", f"Wave {wave}"]
    chart = _chart(pd.DataFrame(rows), list(MODELS.values()), scale.unit, PLOT_WIDTH, ROW_HEIGHT)
    chart = chart.properties(title=figure.chart_title(heading, synthetic))
    return figure.chart_svg(chart, f"forest-{exposure}", heading, forest_description(rows, protocol), synthetic)


def ladder_plot(
    entries: Sequence[tuple[str, Mapping[str, Any]]],
    identifier: str,
    heading: Sequence[str],
    synthetic: bool,
    protocol: Protocol,
) -> str:
    """One risk ratio per line, each with its own label, as an SVG text; empty without entries.

    Args:
        entries: label and row of results, from the top down; a label may be long.
        identifier: unique on the page.
        heading: the lines of the title.
        synthetic: labels the figure as synthetic.
        protocol: names the exposure and the level of the intervals.
    """
    rows = [_drawn(row, label, MODELS["adjusted"]) for label, row in entries]
    if not rows:
        return ""
    wrapped = [{**row, "category": LINE_BREAK.join(textwrap.wrap(row["category"], LABEL_CHARACTERS))} for row in rows]
    chart = _chart(pd.DataFrame(wrapped), [MODELS["adjusted"]], "", LADDER_WIDTH, LADDER_ROW_HEIGHT)
    chart = chart.properties(title=figure.chart_title(heading, synthetic))
    return figure.chart_svg(chart, identifier, heading, forest_description(rows, protocol), synthetic)


def forest_description(rows: list[dict[str, Any]], protocol: Protocol) -> str:
    """Text alternative of the plot: every estimate it shows."""
    parts = []
    for row in rows:
        if row["kind"] == "estimate":
            value = f"risk ratio {ratio(row['estimate'])} ({interval(row['ci_low'], row['ci_high'], protocol)})"
        else:
            value = row["label"]
        parts.append(f"{row['category']}, {row['model'].lower()}: {value}")
    return "Risk ratios on a logarithmic axis. " + "; ".join(dict.fromkeys(parts)) + "."


def axis_ticks(low: float, high: float) -> list[float]:
    """Round values inside the axis' domain, coarser the wider it is; 1 is always one of them."""
    span = high / low
    ticks = TICKS_FINE if span < 2.2 else TICKS_MIDDLE if span < 6 else TICKS_COARSE
    return [tick for tick in ticks if low <= tick <= high]


def _drawn(row: Mapping[str, Any], label: str, series: str) -> dict[str, Any]:
    # Only what is drawn is passed on, so that a suppressed number cannot reach the figure.
    drawn = {"category": label, "model": series, "anchor": 1.0}
    if row["level"] == row["reference"]:
        return {**drawn, "kind": "reference", "label": "reference"}
    if not is_shown(row):
        return {**drawn, "kind": "absent", "label": ABSENT[row["status"]]}
    return {**drawn, "kind": "estimate", **{name: float(row[name]) for name in ("estimate", "ci_low", "ci_high")}}


def _chart(rows: pd.DataFrame, names: list[str], unit: str, width: int, row_height: int) -> Any:
    import altair as alt

    estimates = rows[rows["kind"] == "estimate"].reindex(columns=["category", "model", "estimate", "ci_low", "ci_high"])
    references = rows[rows["kind"] == "reference"].drop_duplicates("category")
    absent = rows[rows["kind"] == "absent"]
    low = float(min([0.8, *estimates["ci_low"]])) / 1.04
    high = float(max([1.25, *estimates["ci_high"]])) * 1.04
    x_axis = alt.Axis(values=axis_ticks(low, high), format="~g", title=["Risk ratio, log scale", "below 1: lower risk"])
    x_scale = alt.Scale(type="log", domain=[low, high], nice=False)
    y_axis = alt.Axis(
        grid=False,
        labelExpr=f"split(datum.label, '{LINE_BREAK}')",
        labelLimit=200,
        titleAngle=0,
        titleAlign="left",
        titleY=-8,
        titleX=-44,
    )
    y = alt.Y("category:N", sort=list(dict.fromkeys(rows["category"])), title=unit or None, axis=y_axis)
    offset = alt.YOffset("model:N", sort=names, scale=alt.Scale(domain=names, paddingOuter=0.35))
    several = len(names) > 1
    legend = alt.Legend(title=None, orient="bottom", direction="horizontal") if several else None
    colors = [figure.AGE_ADJUSTED, figure.ADJUSTED] if several else [figure.ADJUSTED]
    color = alt.Color("model:N", scale=alt.Scale(domain=names, range=colors), legend=legend)
    shapes = ["circle", "square"] if several else ["square"]
    shape = alt.Shape("model:N", scale=alt.Scale(domain=names, range=shapes), legend=legend)
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
    return alt.layer(*layers).properties(width=width, height=row_height * rows["category"].nunique())
