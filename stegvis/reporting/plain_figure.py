"""The figure of the plain-language page: of 100 people in each group, how many had the outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from stegvis.reporting import figure
from stegvis.reporting.wording import level_label

WIDTH = 340
ROW_HEIGHT = 42


def hundred_plot(rows: Sequence[Mapping[str, Any]], words: Mapping[str, str], label: str, description: str) -> str:
    """Standardized risks as bars of people among 100, as an SVG text; empty without rows.

    Args:
        rows: one risk per category (estimate, ci_low, ci_high as proportions), in the order drawn.
        words: figure_title, figure_axis and figure_groups in the page's language.
        label: the label of synthetic data in the page's language; empty for real data.
        description: text alternative of the figure.
    """
    import altair as alt

    if not rows:
        return ""
    drawn = pd.DataFrame(
        [
            {"group": level_label(row["level"])}
            | {name: 100 * float(row[name]) for name in ("estimate", "ci_low", "ci_high")}
            for row in rows
        ]
    )
    top = float(drawn["ci_high"].max()) * 1.15
    axis = alt.Axis(tickMinStep=1, title=words["figure_axis"])
    x = alt.X("estimate:Q", scale=alt.Scale(domain=[0, top], nice=False), axis=axis)
    y_axis = alt.Axis(titleAngle=0, titleAlign="left", titleY=-8, titleX=-50, grid=False)
    y = alt.Y("group:N", sort=list(drawn["group"]), title=words["figure_groups"], axis=y_axis)
    bars = alt.Chart(drawn).mark_bar(color=figure.ADJUSTED, opacity=0.55, height=22).encode(x=x, y=y)
    ranges = alt.Chart(drawn).mark_rule(color=figure.INK, strokeWidth=2).encode(x="ci_low:Q", x2="ci_high:Q", y=y)
    heading = [words["figure_title"]]
    title = figure.chart_title(heading, bool(label), label)
    chart = alt.layer(bars, ranges).properties(width=WIDTH, height=ROW_HEIGHT * len(drawn), title=title)
    return figure.chart_svg(chart, "hundred", heading, description, bool(label), label)
