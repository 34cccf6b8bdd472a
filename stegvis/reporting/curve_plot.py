"""Draws dose-response curves: lines and bands on a log axis, each with its name, and participants below them.

The script of the page (``figures.js``) reads the points from the drawing, to show the value under the pointer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stegvis.reporting import figure
from stegvis.reporting.axis import linear_ticks, log_share, log_ticks, ratio_domain, round_range, share, tick_label
from stegvis.reporting.curve import Curve
from stegvis.reporting.formatting import count, interval_name, limit, ratio
from stegvis.reporting.plot import UNITS, Plot, number, percent, space_for
from stegvis.reporting.words import Words

HEIGHT, PEOPLE_HEIGHT, GAP = 240, 56, 10
LEFT, FOOT = 62, 46
# Length of the direction beside the axis, px.
SIDEWAYS = 94
# Least distance between the names of two lines, px.
NAME = 17
# One color per line, the last (newest) in that of adjusted results.
COLORS = (figure.ORANGE, figure.PURPLE, figure.GREEN, figure.ADJUSTED)
# Of lines that share a color.
DASHES = ("", "7 3", "2 3")
# With more lines than this, their bands would hide each other.
MOST_BANDS = 3
# How far rounding to two decimals moves a ratio, and what differs only by the arithmetic of computers.
ROUNDING, EXACT, PASSES = 0.005, 1e-9, 60

Domain = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """A curve as one of the lines of a figure.

    Attributes:
        curve: its points.
        name: written at its end; empty in a figure of one line.
        model: what it is adjusted for, if a reader can choose.
        shown: whether it is visible at first.
        main: it is drawn stronger than the others, and only it has its band while others are visible.
    """

    curve: Curve
    name: str = ""
    model: str = ""
    shown: bool = True
    main: bool = False


def curve_domain(curves: Iterable[Curve]) -> Domain:
    """The vertical axis that several figures of curves share."""
    return ratio_domain(
        point[name] for curve in curves for point in curve.points for name in ("estimate", "ci_low", "ci_high")
    )


def curves_plot(
    lines: Sequence[Line],
    histogram: pd.DataFrame | None,
    identifier: str,
    heading: Sequence[str],
    description: str,
    synthetic: bool,
    words: Words,
    domain: Domain | None = None,
) -> str:
    """Curves of one exposure as an SVG text.

    Args:
        lines: what to draw; at least one.
        histogram: bins of the exposure (low, high, n, status); suppressed and open bins are omitted. May be absent.
        identifier: unique on the page.
        heading: the lines of the title.
        description: text alternative.
        synthetic: marks the figure as synthetic.
        words: name the exposure and the level of the intervals.
        domain: the ends of the vertical axis, if it is shared; else those of its own curves.
    """
    curves = [line.curve for line in lines]
    ends = domain or curve_domain(curves)
    values = [point["value"] for curve in curves for point in curve.points]
    x_ends = round_range(min(values), max(values))
    bars = _bins(histogram, x_ends)
    people = PEOPLE_HEIGHT + GAP if len(bars) else 0
    plot = Plot(LEFT, space_for([line.name for line in lines], 14), HEIGHT, below=people + FOOT)
    plot.titles(heading, figure.SYNTHETIC if synthetic else "")
    # Where there is no space for the direction beside the axis, it is in its title.
    marked = HEIGHT - _height(1, ends) >= SIDEWAYS
    title_of_axis = "Risk ratio, log scale" if marked else "Risk ratio (log); below 1: lower risk"
    plot.edge(title_of_axis, plot.above + 12, figure.MUTED)
    plot.above += 24
    _axes(plot, ends, x_ends, words.exposure(curves[0].exposure), people)
    if len(bars):
        _people(plot, bars, x_ends)
    for model in dict.fromkeys(line.model for line in lines):
        _lines(plot, [line for line in lines if line.model == model], ends, x_ends)
    scale = words.protocol.exposures.scale(curves[0].exposure)
    reading = {
        "range": f"{x_ends[0]:g} {x_ends[1]:g}", "domain": f"{ends[0]:g} {ends[1]:g}",
        "area": f"{plot.above} {HEIGHT}", "label": scale.name, "unit": scale.unit,
        "interval": interval_name(words.protocol),
    }  # fmt: skip
    plot.root.attrib.update({f"data-{name}": text for name, text in reading.items()})
    title = ", ".join(heading) + (f" ({figure.SYNTHETIC})" if synthetic else "")
    return plot.finish(identifier, title, description)


def _axes(plot: Plot, ends: Domain, x_ends: Domain, title: str, people: int) -> None:
    for value in log_ticks(*ends, HEIGHT, upright=True):
        y = _height(value, ends)
        line = plot.line((0, y), (1, y), figure.MUTED if value == 1 else figure.LINE)
        if value == 1:
            line.set("stroke-dasharray", "4 3")
        plot.text(tick_label(value), 0, y + 4.5, shift=-8, anchor="end")
    one = _height(1, ends)
    for text, y, anchor, space in (
        ("← lower risk", one + 8, "end", HEIGHT - one),
        ("higher risk →", one - 8, "start", one),
    ):
        if space >= SIDEWAYS:
            _sideways(plot, text, y, anchor)
    bottom = HEIGHT + people
    plot.line((0, bottom), (1, bottom), figure.MUTED)
    plot.ticks(lambda pixels: linear_ticks(*x_ends, pixels), lambda value: share(value, x_ends), bottom)
    plot.text(title, 0, bottom + 40)


def _sideways(plot: Plot, text: str, y: float, anchor: str) -> None:
    """Text beside the vertical axis that reads upward, so that its arrow points along the axis."""
    x = 12 - plot.left
    made = plot.text(text, 0, 0, figure.MUTED, anchor=anchor)
    made.attrib.update({"x": "0", "y": "0", "transform": f"translate({x},{number(plot.above + y)}) rotate(-90)"})


def _people(plot: Plot, bars: pd.DataFrame, x_ends: Domain) -> None:
    """Bars of the number of participants, in a strip of their own below the curve."""
    most, base = float(bars["n"].max()), HEIGHT + GAP + PEOPLE_HEIGHT
    for low, high, n in bars[["low", "high", "n"]].itertuples(index=False):
        size = PEOPLE_HEIGHT * n / most
        left, right = share(low, x_ends), share(high, x_ends)
        bar = plot.add(
            "rect",
            {
                "class": "people", "x": percent(left), "width": percent(right - left), "height": number(size),
                "y": number(plot.above + base - size), "fill": figure.LINE,
            },
        )  # fmt: skip
        plot.add("title", {}, bar).text = f"{tick_label(low)} to below {tick_label(high)}: {count(n)} participants"
    plot.text(f"{count(most)}", 0, HEIGHT + GAP + 10, figure.MUTED, -8, "end")
    plot.text("people", 0, HEIGHT + GAP + 26, figure.MUTED, -8, "end")


def _lines(plot: Plot, lines: Sequence[Line], ends: Domain, x_ends: Domain) -> None:
    names = _name_heights([_height(line.curve.points[-1]["estimate"], ends) for line in lines])
    for place, (line, name_y) in enumerate(zip(lines, names, strict=True)):
        color, dash = _style(lines, place)
        data = {
            "data-name": line.name, "data-model": line.model, "data-points": _points(line.curve), "data-color": color,
        }  # fmt: skip
        part = plot.group("series", **data)
        if not line.shown:
            part.root.set("display", "none")
        _one(
            part,
            line.curve,
            color,
            ends,
            x_ends,
            band=line.main or (len(lines) <= MOST_BANDS and not lines[-1].main),
            width=3.5 if line.main else 2,
            dash=dash,
        )
        if len(lines) == 1:
            _knots(part, line.curve, x_ends)
        if line.name:
            part.text(line.name, 1, name_y + 4.5, color, 8)


def _style(lines: Sequence[Line], place: int) -> tuple[str, str]:
    """Color and dashes of a line: that of adjusted results for the main or the last line, others from the last on."""
    if lines[place].main:
        return COLORS[-1], ""
    colors = COLORS[:-1] if lines[-1].main else COLORS
    from_last = len(lines) - 1 - place - lines[-1].main
    return colors[-1 - from_last % len(colors)], DASHES[from_last // len(colors) % len(DASHES)]


def _one(
    part: Plot, curve: Curve, color: str, ends: Domain, x_ends: Domain, band: bool, width: float, dash: str
) -> None:
    x = [UNITS * share(point["value"], x_ends) for point in curve.points]
    heights = {
        name: [_height(value, ends) for value in _unrounded(x, [point[name] for point in curve.points])]
        for name in ("estimate", "ci_low", "ci_high")
    }
    line, lower, upper = ([f"{at:.1f} {y:.1f}" for at, y in zip(x, each, strict=True)] for each in heights.values())
    area = part.stretched()
    band_of = {"class": "band", "d": f"M{'L'.join([*upper, *reversed(lower)])}Z", "fill": color, "fill-opacity": "0.16"}
    if not band:
        band_of |= {"display": "none", "data-several": "hides"}
    part.add("path", band_of, area)
    drawn = {"d": f"M{'L'.join(line)}", "fill": "none", "stroke": color, "stroke-width": number(width)}
    if dash:
        drawn["stroke-dasharray"] = dash
    part.add("path", {**drawn, "vector-effect": "non-scaling-stroke"}, area)
    at = {"cx": percent(share(curve.reference, x_ends)), "cy": number(part.above + _height(1, ends)), "r": "4.5"}
    part.add("circle", {**at, "fill": color})


def _unrounded(x: Sequence[float], published: Sequence[float]) -> list[float]:
    """Values as smooth as their rounding allows: a line through rounded values would go down in stairs.

    Each is moved toward the line between its neighbors, never further from what is published than rounding to two
    decimals may have moved it. Values with more decimals stay as they are.
    """
    if any(abs(round(value, 2) - value) > EXACT for value in published):
        return list(published)
    values, inner = np.array(published, dtype="float64"), np.array(published[1:-1], dtype="float64")
    at = np.array(x)
    share_of_step = (at[1:-1] - at[:-2]) / (at[2:] - at[:-2])
    for _ in range(PASSES):
        between = values[:-2] + (values[2:] - values[:-2]) * share_of_step
        values[1:-1] = np.clip(between, inner - ROUNDING, inner + ROUNDING)
    return [float(value) for value in values]


def _knots(part: Plot, curve: Curve, x_ends: Domain) -> None:
    for knot in curve.knots:
        if x_ends[0] <= knot <= x_ends[1]:
            line = part.line((share(knot, x_ends), 0), (share(knot, x_ends), HEIGHT), figure.MUTED)
            line.set("stroke-dasharray", "1 3")


def _points(curve: Curve) -> str:
    """Value, ratio and limits of each point as they are printed, for the script."""
    return ";".join(
        f"{tick_label(point['value'])} {ratio(point['estimate'])} {limit(point['ci_low'])} {limit(point['ci_high'])}"
        if point["value"] != curve.reference
        else f"{tick_label(point['value'])} 1"
        for point in curve.points
    )


def _name_heights(wanted: Sequence[float]) -> list[float]:
    """Heights of names near the ends of their lines, apart from each other and in the order of the lines."""
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    heights, last = [0.0] * len(wanted), float("-inf")
    for place in order:
        last = heights[place] = max(wanted[place], last + NAME)
    # Half of what the lowest name was moved down is given back by all, so that none is far from its line.
    back = max((heights[place] - wanted[place] for place in order), default=0.0) / 2
    return [height - back for height in heights]


def _height(value: float, ends: Domain) -> float:
    return HEIGHT * (1 - log_share(value, ends))


def _bins(histogram: pd.DataFrame | None, x_ends: Domain) -> pd.DataFrame:
    if histogram is None or histogram.empty:
        return pd.DataFrame(columns=["low", "high", "n"])
    shown = (histogram["status"] == "ok") & histogram["low"].notna() & histogram["high"].notna()
    shown &= (histogram["low"] >= x_ends[0] - 1e-9) & (histogram["high"] <= x_ends[1] + 1e-9)
    return histogram.loc[shown, ["low", "high", "n"]].astype("float64")
