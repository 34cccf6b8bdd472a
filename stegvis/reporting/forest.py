"""Forest plots: risk ratios on a log axis with their numbers beside them, by category and model or by analysis."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from stegvis.reporting import figure
from stegvis.reporting.axis import log_share, log_ticks, ratio_domain
from stegvis.reporting.formatting import count, interval, interval_name, is_missing, limit, p_value, ratio
from stegvis.reporting.plot import NARROW, Plot, number, percent, space_for
from stegvis.reporting.rows import main_risk_ratios, records
from stegvis.reporting.wording import MODELS, is_shown, level_label
from stegvis.reporting.words import Words
from stegvis.study.protocol import Exposure, Protocol

ABSENT = {"suppressed": "not shown", "not_estimable": "not estimable", "ok": "not estimable"}
LOWER, HIGHER = "← lower risk", "higher risk →"
HEADING = "Risk ratio"
# Heights of a row, of a line of a label, and of the headings, px.
ROW, LABEL_LINE, HEAD, FOOT = 24, 16, 24, 44
LABEL_CHARACTERS = 14
# With less than this between labels and numbers on a narrow screen, px, the numbers are in two lines there.
LEAST_AREA = 80
STACKED_ROW = 34
GAP = 10
POINT = 4

Domain = tuple[float, float]


def domain_of(rows: Iterable[Mapping[str, Any]]) -> Domain:
    """The axis that several figures share: it shows every estimate among these rows of results that may be shown."""
    shown = [row for row in rows if is_shown(row)]
    return ratio_domain(row[name] for row in shown for name in ("estimate", "ci_low", "ci_high"))


def forest_plot(
    results: pd.DataFrame, exposure: Exposure, wave: str, synthetic: bool, words: Words, domain: Domain | None = None
) -> str:
    """The main results of an exposure as an SVG text; empty when there is no estimate of it.

    Args:
        results: results of one wave, columns of ``inputs.RESULT_COLUMNS``.
        exposure: walking_minutes or walking_met.
        wave: the wave's name, for the titles.
        synthetic: labels the figure as synthetic.
        words: name the outcome, the exposure and the level of the intervals.
        domain: the ends of the axis, if it is shared; else those of its own rows.
    """
    rows = records(main_risk_ratios(results, exposure))
    if not rows:
        return ""
    scale = words.protocol.exposures.scale(exposure)
    heading = [f"{scale.name} and {words.outcome.name}", f"Wave {wave}"]
    drawn = [_drawn(row, level_label(row["level"]), MODELS[row["model"]]) for row in rows]
    return _plot(drawn, f"forest-{exposure}", heading, scale.unit, domain or domain_of(rows), synthetic, words.protocol)


def ladder_plot(
    entries: Sequence[tuple[str, Mapping[str, Any]]],
    identifier: str,
    heading: Sequence[str],
    synthetic: bool,
    protocol: Protocol,
    domain: Domain | None = None,
) -> str:
    """One risk ratio per line, each with its own label, as an SVG text; empty without entries.

    Args:
        entries: label and row of results, from the top down; a label may be long.
        identifier: unique on the page.
        heading: the lines of the title.
        synthetic: labels the figure as synthetic.
        protocol: names the exposure and the level of the intervals.
        domain: as of ``forest_plot``.
    """
    if not entries:
        return ""
    drawn = [_drawn(row, label, MODELS["adjusted"]) for label, row in entries]
    own = domain or domain_of(row for _, row in entries)
    return _plot(drawn, identifier, heading, "", own, synthetic, protocol)


def forest_description(rows: Sequence[Mapping[str, Any]], protocol: Protocol) -> str:
    """Text alternative of the plot: every estimate it shows."""
    parts = []
    for row in rows:
        if row["kind"] == "estimate":
            value = f"risk ratio {ratio(row['estimate'])} ({interval(row['ci_low'], row['ci_high'], protocol)})"
        else:
            value = row["label"]
        parts.append(f"{row['category']}, {row['model'].lower()}: {value}")
    return "Risk ratios on a logarithmic axis. " + "; ".join(dict.fromkeys(parts)) + "."


def ratio_axis(plot: Plot, domain: Domain) -> None:
    """A horizontal axis of ratios below a plot, the line of no difference, and in which direction a risk is lower."""
    one = log_share(1, domain)
    plot.line((one, 0), (one, plot.height), figure.MUTED).set("stroke-dasharray", "4 3")
    plot.line((0, plot.height), (1, plot.height), figure.MUTED)
    plot.ticks(lambda pixels: log_ticks(*domain, pixels), lambda value: log_share(value, domain), plot.height)
    plot.text(LOWER, one, plot.height + 38, figure.MUTED, -8, "end")
    plot.text(HIGHER, one, plot.height + 38, figure.MUTED, 8)


def drawn_interval(
    plot: Plot, low: float, high: float, y: float, domain: Domain, color: str, parent: Any = None
) -> None:
    """A line from limit to limit, with an arrow at an end of the axis that a limit is beyond."""
    part = plot if parent is None else parent
    ends = log_share(low, domain), log_share(high, domain)
    part.line((ends[0], y), (ends[1], y), color, 2)
    for beyond, end, sign in ((low < domain[0], ends[0], 1), (high > domain[1], ends[1], -1)):
        if beyond:
            arrow = part.text("◂" if sign > 0 else "▸", end, y + 4.5, color, anchor="start" if sign > 0 else "end")
            arrow.set("class", "beyond")


def _drawn(row: Mapping[str, Any], label: str, series: str) -> dict[str, Any]:
    # Only what is drawn is passed on, so that a suppressed number cannot reach the figure.
    drawn = {"category": label, "model": series}
    if row["level"] == row["reference"]:
        return {**drawn, "kind": "reference", "label": "reference"}
    if not is_shown(row):
        return {**drawn, "kind": "absent", "label": ABSENT[row["status"]]}
    shown = {name: row[name] for name in ("estimate", "ci_low", "ci_high", "p_value", "n", "events")}
    numbers = f"{ratio(row['estimate'])} ({limit(row['ci_low'])}–{limit(row['ci_high'])})"
    return {**drawn, "kind": "estimate", "label": numbers, **shown}


def _plot(
    rows: Sequence[dict[str, Any]],
    identifier: str,
    heading: Sequence[str],
    unit: str,
    domain: Domain,
    synthetic: bool,
    protocol: Protocol,
) -> str:
    categories: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        same = categories.setdefault(row["category"], [])
        if row["kind"] != "reference" or not same:
            same.append(row)
    labels = {name: textwrap.wrap(name, LABEL_CHARACTERS) or [""] for name in categories}
    names = [unit, *(line for lines in labels.values() for line in lines)]
    beside = space_for([HEADING, f"({interval_name(protocol)})", *(row["label"] for row in rows)], GAP + 2)
    stacked = space_for(names) + beside > NARROW - LEAST_AREA
    ends = (
        space_for([HEADING, *(part for row in rows for part in _parts(row["label"]))], GAP + 2) if stacked else beside
    )
    row_height = STACKED_ROW if stacked else ROW
    heights = {
        name: max(row_height * len(own), LABEL_LINE * len(labels[name])) + 10 for name, own in categories.items()
    }
    # Enough space at the left for the direction of lower risk, which ends at 1.
    one = log_share(1, domain)
    least = (space_for([LOWER]) - one * (NARROW - ends)) / (1 - one)
    plot = Plot(max(space_for(names), round(least)), beside, sum(heights.values()), below=FOOT)
    plot.right_narrow = ends if stacked else None
    plot.titles(heading, figure.SYNTHETIC if synthetic else "")
    series = list(dict.fromkeys(row["model"] for row in rows))
    if len(series) > 1:
        _legend(plot, series)
    plot.above += HEAD + LABEL_LINE
    plot.text(unit, 0, -12, figure.MUTED, -GAP, "end")
    plot.text(HEADING, 1, -12 - LABEL_LINE, figure.MUTED, GAP)
    plot.text(f"({interval_name(protocol)})", 1, -12, figure.MUTED, GAP)
    ratio_axis(plot, domain)
    top = 0.0
    for name, own in categories.items():
        middle = top + heights[name] / 2
        for place, line in enumerate(labels[name]):
            y = middle + 4.5 + (place - (len(labels[name]) - 1) / 2) * LABEL_LINE
            plot.text(line, 0, y, figure.INK, -GAP, "end")
        for place, row in enumerate(own):
            _row(plot, row, middle + (place - (len(own) - 1) / 2) * row_height, series, domain, protocol)
        top += heights[name]
    title = ", ".join(heading) + (f" ({figure.SYNTHETIC})" if synthetic else "")
    return plot.finish(identifier, title, forest_description(rows, protocol))


def _legend(plot: Plot, series: Sequence[str]) -> None:
    x = 0.0
    for name in series:
        where = plot.add("g", {"transform": f"translate({number(x - plot.left)},{plot.above})"})
        _mark(plot, name, series, where, "6", 9)
        text = plot.add("text", {"x": "16", "y": "14", "font-size": "13", "fill": figure.INK}, where)
        text.text = name
        x += space_for([name], 40)
    plot.above += LABEL_LINE


def _row(
    plot: Plot, row: Mapping[str, Any], y: float, series: Sequence[str], domain: Domain, protocol: Protocol
) -> None:
    color = _color(row["model"], series)
    shown = row["kind"] == "estimate"
    if not shown:
        plot.text(row["label"], 1, y + 4.5, figure.MUTED, GAP)
        if row["kind"] == "reference":
            at = {"cx": percent(log_share(1, domain)), "cy": number(plot.above + y), "r": "3.5"}
            plot.add("circle", {**at, "fill": figure.MUTED})
        return
    part = plot.group("row")
    said = plot.add("title", {}, part.root)
    said.text = _said(row, protocol)
    # What the pointer finds: the whole row.
    area = {"x": "0", "width": "100%", "y": number(plot.above + y - ROW / 2), "height": f"{ROW}"}
    plot.add("rect", {**area, "fill": "none", "pointer-events": "all"}, part.root)
    drawn_interval(part, row["ci_low"], row["ci_high"], y, domain, color)
    if domain[0] <= row["estimate"] <= domain[1]:
        _mark(plot, row["model"], series, part.root, percent(log_share(row["estimate"], domain)), plot.above + y)
    if plot.right_narrow is None:
        part.text(row["label"], 1, y + 4.5, color, GAP)
        return
    part.group("wide").text(row["label"], 1, y + 4.5, color, GAP)
    for place, text in enumerate(_parts(row["label"])):
        part.group("narrow").text(text, 1, y - 3.5 + place * LABEL_LINE, color, GAP)


def _parts(label: str) -> list[str]:
    """A number and its interval, as two lines."""
    estimate, found, limits_of_it = label.partition(" (")
    return [estimate, f"({limits_of_it}"] if found else [label]


def _said(row: Mapping[str, Any], protocol: Protocol) -> str:
    """What a row says under the pointer: the estimate, its test, and the people behind it."""
    said = f"{row['category']}: {ratio(row['estimate'])} ({interval(row['ci_low'], row['ci_high'], protocol)})"
    tested = "" if is_missing(row["p_value"]) else f", {p_value(row['p_value'])}"
    people = "" if is_missing(row["n"]) else f"; {count(row['n'])} participants"
    cases = "" if is_missing(row["n"]) or is_missing(row["events"]) else f", {count(row['events'])} cases"
    return said + tested + people + cases


def _mark(plot: Plot, name: str, series: Sequence[str], parent: Any, x: str, y: float) -> None:
    color = _color(name, series)
    if len(series) > 1 and name == series[0]:
        plot.add("circle", {"cx": x, "cy": number(y), "r": f"{POINT + 0.5}", "fill": color}, parent)
        return
    # A square of stroke around a point: it needs no width in the units of the area.
    line = {"x1": x, "x2": x, "y1": number(y - POINT), "y2": number(y + POINT)}
    plot.add("line", {**line, "stroke": color, "stroke-width": f"{2 * POINT}"}, parent)


def _color(name: str, series: Sequence[str]) -> str:
    return figure.AGE_ADJUSTED if len(series) > 1 and name == series[0] else figure.ADJUSTED
