"""The forest plot of one ratio: a line per cohort, squares by weight, and diamonds for the combined estimates."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from stegvis.pooling.combining import Pooled
from stegvis.pooling.tables import METHODS, method_rows
from stegvis.reporting import figure
from stegvis.reporting.axis import log_ticks
from stegvis.reporting.formatting import limits, ratio

WIDTH = 320
ROW_HEIGHT = 34
DRAWN = ("fixed", "random_hartung_knapp_cautious")
WIDEST = 20.0  # the axis ends at this factor from 1; an interval beyond it is cut off there


def pooled_forest(pooled: Pooled, identifier: str, heading: list[str], confidence: float, synthetic: bool) -> str:
    """A forest plot as an SVG text.

    Args:
        pooled: the ratio.
        identifier: unique on the page.
        heading: the lines of the title.
        confidence: level of the combined intervals.
        synthetic: labels the figure as synthetic.
    """
    rows = _lines(pooled, confidence)
    description = "Risk ratios on a logarithmic axis. " + "; ".join(
        f"{row['label']}: {ratio(row['estimate'])} ({confidence:.0%} CI {limits(row['ci_low'], row['ci_high'])})"
        for row in rows
    )
    chart = _chart(pd.DataFrame(rows)).properties(title=figure.chart_title(heading, synthetic))
    return figure.chart_svg(chart, identifier, heading, f"{description}.", synthetic)


def _lines(pooled: Pooled, confidence: float) -> list[dict[str, Any]]:
    lines = [
        {"label": str(row["cohort"]), "kind": "cohort", "weight": row["random_weight"]}
        | {name: float(row[name]) for name in ("estimate", "ci_low", "ci_high")}
        for row in pooled.rows.to_dict("records")
    ]
    found = method_rows(pooled, confidence)
    for method in DRAWN:
        values = {name: float(found[method][name]) for name in ("estimate", "ci_low", "ci_high")}
        lines.append({"label": METHODS[method].split(",")[0], "kind": "combined", "weight": 0.5, **values})
    return lines


def _chart(rows: pd.DataFrame) -> Any:
    import altair as alt

    low = max(1 / WIDEST, min(0.8, rows["ci_low"].min()) / 1.04)
    high = min(WIDEST, max(1.25, rows["ci_high"].max()) * 1.04)
    rows = rows.assign(size=40 + 260 * rows["weight"], shown_low=rows["ci_low"].clip(low, high))
    rows = rows.assign(shown_high=rows["ci_high"].clip(low, high), anchor=1.0)
    scale = alt.Scale(type="log", domain=[low, high], nice=False)
    title = ["Risk ratio, log scale", "below 1: lower risk"]
    axis = alt.Axis(values=log_ticks(low, high, WIDTH), format="~g", title=title)
    y = alt.Y("label:N", sort=list(rows["label"]), title=None, axis=alt.Axis(grid=False, labelLimit=220))
    one = alt.Chart(pd.DataFrame({"anchor": [1.0]})).mark_rule(color=figure.MUTED, strokeDash=[4, 3])
    bars = alt.Chart(rows).mark_rule(strokeWidth=2)
    points = alt.Chart(rows).mark_point(filled=True, opacity=1)
    color = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=["cohort", "combined"], range=[figure.AGE_ADJUSTED, figure.ADJUSTED]),
        legend=None,
    )
    shape = alt.Shape(
        "kind:N", scale=alt.Scale(domain=["cohort", "combined"], range=["square", "diamond"]), legend=None
    )
    layers = [
        one.encode(x=alt.X("anchor:Q", scale=scale, axis=axis)),
        bars.encode(x=alt.X("shown_low:Q", scale=scale, axis=axis), x2="shown_high:Q", y=y, color=color),
        points.encode(
            x=alt.X("estimate:Q", scale=scale, axis=axis),
            y=y,
            color=color,
            shape=shape,
            size=alt.Size("size:Q", scale=None, legend=None),
        ),
    ]
    return alt.layer(*layers).properties(width=WIDTH, height=ROW_HEIGHT * len(rows) + math.ceil(ROW_HEIGHT / 2))
