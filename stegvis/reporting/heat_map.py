"""The joint table as a heat map: a risk ratio in each cell, colored by their distance from 1.

Cell colors are light on every page, with dark text on them, so that the numbers stay readable on a dark page.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from stegvis.reporting import figure
from stegvis.reporting.formatting import interval, is_missing, ratio
from stegvis.reporting.wording import is_shown, level_label
from stegvis.study.protocol import Protocol

CELL = 78
CELL_INK = "#10151a"
LOWEST, NONE, HIGHEST = "#7db8de", "#f5f5f2", "#eda36a"
# Ratios at or beyond this value (or its inverse) have the full color.
FULL = 0.6


def heat_map(
    cells: Sequence[Mapping[str, Any]],
    axes: tuple[str, str],
    heading: Sequence[str],
    synthetic: bool,
    protocol: Protocol,
) -> str:
    """The cells as an SVG text; empty without cells.

    Args:
        cells: rows of results whose level is ``volume & intensity``.
        axes: titles of the columns (intensity) and the rows (volume).
        heading: the lines of the title.
        synthetic: labels the figure as synthetic.
        protocol: gives the level of the intervals.
    """
    import altair as alt

    if not cells:
        return ""
    drawn = pd.DataFrame([_drawn(cell) for cell in cells])
    rows, columns = list(dict.fromkeys(drawn["row"])), list(dict.fromkeys(drawn["column"]))
    x = alt.X("column:N", sort=columns, title=axes[0], axis=alt.Axis(labelAngle=0, orient="bottom"))
    y = alt.Y("row:N", sort=rows, title=[axes[1]], axis=alt.Axis(titlePadding=16))
    scale = alt.Scale(
        domain=[math.log(FULL), 0, -math.log(FULL)], range=[LOWEST, NONE, HIGHEST], clamp=True, interpolate="rgb"
    )
    base = alt.Chart(drawn).encode(x=x, y=y)
    squares = base.mark_rect(stroke=figure.LINE).encode(color=alt.Color("color:Q", scale=scale, legend=None))
    estimates = base.mark_text(color=CELL_INK, fontSize=15, fontWeight="bold", dy=-8).encode(text="estimate:N")
    intervals = base.mark_text(color=CELL_INK, fontSize=12, dy=11).encode(text="limits:N")
    chart = alt.layer(squares, estimates, intervals)
    chart = chart.properties(
        width=CELL * len(columns), height=CELL * 0.75 * len(rows), title=figure.chart_title(heading, synthetic)
    )
    return figure.chart_svg(chart, "joint-map", heading, heat_map_description(cells, protocol), synthetic)


def heat_map_description(cells: Sequence[Mapping[str, Any]], protocol: Protocol) -> str:
    """Text alternative of the map: every cell."""
    parts = []
    for cell in cells:
        volume, intensity = pair(cell["level"])
        if cell["level"] == cell["reference"]:
            value = "reference"
        elif is_shown(cell):
            value = f"risk ratio {ratio(cell['estimate'])} ({interval(cell['ci_low'], cell['ci_high'], protocol)})"
        else:
            value = "not shown" if cell["status"] == "suppressed" else "not estimable"
        parts.append(f"volume {level_label(volume)}, intensity {level_label(intensity)}: {value}")
    return "; ".join(parts) + "."


def pair(level: Any) -> tuple[str, str]:
    """Volume and intensity of a cell's level."""
    volume, _, intensity = str(level).partition(" & ")
    return volume, intensity


def _drawn(cell: Mapping[str, Any]) -> dict[str, Any]:
    volume, intensity = pair(cell["level"])
    place = {"row": level_label(volume), "column": level_label(intensity)}
    if cell["level"] == cell["reference"]:
        return {**place, "color": 0.0, "estimate": "1", "limits": "reference"}
    if not is_shown(cell) or is_missing(cell["estimate"]):
        reason = "not shown" if cell["status"] == "suppressed" else "too few"
        return {**place, "color": 0.0, "estimate": "–", "limits": reason}
    shown = f"{ratio(cell['ci_low'])}–{ratio(cell['ci_high'])}"
    return {
        **place,
        "color": math.log(float(cell["estimate"])),
        "estimate": ratio(cell["estimate"]),
        "limits": shown,
    }
