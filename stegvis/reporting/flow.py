"""The flow diagram, from everyone at baseline through each exclusion to the analyzed sample.

STROBE item 13c (von Elm et al. 2007, doi 10.1371/journal.pmed.0040296). Steps with suppressed counts are merged.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

import pandas as pd

from stegvis.reporting import figure
from stegvis.reporting.formatting import NOTHING, count, is_missing
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.rows import records

WIDTH = 440
TRUNK_WIDTH = 190
SIDE_LEFT = 214
SIDE_WIDTH = WIDTH - SIDE_LEFT - 1
LINE_HEIGHT = 17
SIDE_CHARACTERS = 28
TRUNK_HEIGHT = 28
GAP = 9


@dataclass(frozen=True)
class Step:
    """One box of the diagram: reasons for exclusion, number excluded and number remaining (None when not shown)."""

    reasons: tuple[str, ...]
    excluded: int | None
    remaining: int | None


def printable_steps(exclusion_steps: pd.DataFrame, smallest_count: int) -> list[Step]:
    """The steps as they may be published; the first is everyone at baseline.

    A count that is missing or below the smallest count could be derived from the numbers remaining before and after
    it. Such a step is therefore merged with the steps after it (at the end: before it) until the sum is large enough.
    If even the sum of all exclusions is too small, the count at baseline is suppressed. A missing count of the analyzed
    sample stays missing.

    Args:
        exclusion_steps: rows of one wave with step, description, excluded and remaining.
        smallest_count: the smallest count that may be shown.
    """
    rows = records(exclusion_steps.sort_values("step"))
    if not rows:
        return []
    start = Step((str(rows[0]["description"]),), None, _number(rows[0]["remaining"]))
    steps = [start]
    reasons: tuple[str, ...] = ()
    for row in rows[1:]:
        reasons = (*reasons, str(row["description"]))
        excluded = _difference(steps[-1].remaining, row["remaining"])
        single_and_suppressed = len(reasons) == 1 and is_missing(row["excluded"])
        if _is_large_enough(excluded, smallest_count) and not single_and_suppressed:
            steps.append(Step(reasons, excluded, _number(row["remaining"])))
            reasons = ()
    if not reasons:
        return steps
    last = _number(rows[-1]["remaining"])
    if last is None:
        return [*steps, Step(reasons, None, None)]
    # The last step is too small on its own: merge it with the steps before it until it is not.
    excluded = None
    while len(steps) > 1 and not _is_large_enough(excluded, smallest_count):
        reasons = (*steps.pop().reasons, *reasons)
        excluded = _difference(steps[-1].remaining, last)
    if _is_large_enough(excluded, smallest_count):
        return [*steps, Step(reasons, excluded, last)]
    return [Step(start.reasons, None, None), Step(reasons, None, last)]


def flow_diagram(exclusion_steps: pd.DataFrame, wave: str, synthetic: bool, smallest_count: int) -> str:
    """The diagram as an SVG text, 440 units wide; empty when there are no steps.

    Args:
        exclusion_steps: rows of one wave, columns of ``inputs.EXCLUSION_COLUMNS``.
        wave: the wave's name, for the accessible title.
        synthetic: labels the figure as synthetic.
        smallest_count: the smallest count that may be shown.
    """
    steps = printable_steps(exclusion_steps, smallest_count)
    if not steps:
        return ""
    svg = Element("svg")
    if synthetic:
        _text(svg, SIDE_LEFT, 20, figure.SYNTHETIC, fill=figure.WARNING, weight="bold")
    top = 1
    _trunk_box(svg, top, _baseline_text(steps[0]), wide=True)
    top += TRUNK_HEIGHT
    for step in steps[1:]:
        lines = _side_lines(step)
        height = len(lines) * LINE_HEIGHT + 12
        middle = top + GAP + height / 2
        bottom = top + 2 * GAP + height
        _arrow(svg, TRUNK_WIDTH / 2, top, TRUNK_WIDTH / 2, bottom)
        _arrow(svg, TRUNK_WIDTH / 2, middle, SIDE_LEFT, middle)
        _box(svg, SIDE_LEFT, top + GAP, SIDE_WIDTH, height, filled=False)
        for number, line in enumerate(lines):
            _text(svg, SIDE_LEFT + 10, top + GAP + 18 + number * LINE_HEIGHT, line)
        is_last = step is steps[-1]
        _trunk_box(svg, bottom, _remaining_text(step, is_last), wide=is_last)
        top = bottom + TRUNK_HEIGHT
    svg.set("viewBox", f"0 0 {WIDTH} {top + 1:g}")
    title = f"Flow of participants, wave {wave}" + (f" ({figure.SYNTHETIC})" if synthetic else "")
    return figure.finish(svg, "flow", title, flow_description(steps))


def flow_table(exclusion_steps: pd.DataFrame, smallest_count: int) -> Table | None:
    """The diagram's counts as a table."""
    steps = printable_steps(exclusion_steps, smallest_count)
    if not steps:
        return None
    start = "not shown" if steps[0].remaining is None else count(steps[0].remaining)
    rows: list[tuple[str, ...]] = [("at baseline", NOTHING, start)]
    for step in steps[1:]:
        counts = ("not shown" if number is None else count(number) for number in (step.excluded, step.remaining))
        rows.append((" or ".join(step.reasons), *counts))
    columns = ("Reason", "Excluded", "Remaining")
    return Table("flow-table", "Flow of participants", columns, (Group(tuple(rows)),))


def flow_description(steps: Sequence[Step]) -> str:
    """Text alternative of the diagram: every count it shows, in order."""
    parts = [_baseline_text(steps[0])]
    parts += [f"{_excluded_text(step)}: {' or '.join(step.reasons)}" for step in steps[1:]]
    parts.append(_remaining_text(steps[-1], is_last=True))
    return "; ".join(parts) + "."


def _number(value: object) -> int | None:
    return None if is_missing(value) else int(value)  # type: ignore[call-overload]


def _difference(before: int | None, after: object) -> int | None:
    return None if before is None or is_missing(after) else before - int(after)  # type: ignore[call-overload]


def _is_large_enough(excluded: int | None, smallest_count: int) -> bool:
    return excluded is not None and not 0 < excluded < smallest_count


def _baseline_text(step: Step) -> str:
    return "Everyone at baseline" if step.remaining is None else f"{count(step.remaining)} at baseline"


def _remaining_text(step: Step, is_last: bool) -> str:
    what = "analyzed" if is_last else "remain"
    return f"{what.capitalize()}: not shown" if step.remaining is None else f"{count(step.remaining)} {what}"


def _excluded_text(step: Step) -> str:
    return "Excluded, number not shown" if step.excluded is None else f"{count(step.excluded)} excluded"


def _side_lines(step: Step) -> list[str]:
    lines = [f"{_excluded_text(step)}:"]
    for reason in step.reasons:
        lines += textwrap.wrap(reason, SIDE_CHARACTERS) or [""]
    return lines


def _trunk_box(svg: Element, top: float, text: str, wide: bool) -> None:
    _box(svg, 1, top, TRUNK_WIDTH - 2, TRUNK_HEIGHT, filled=wide)
    _text(svg, TRUNK_WIDTH / 2, top + 19, text, anchor="middle", weight="bold" if wide else "normal")


def _box(svg: Element, left: float, top: float, width: float, height: float, filled: bool) -> None:
    shape = {"x": left, "y": top, "width": width, "height": height, "rx": 4}
    color = {"fill": figure.BOX if filled else "none", "stroke": figure.MUTED if filled else figure.LINE}
    SubElement(svg, "rect", {**{name: f"{value:g}" for name, value in shape.items()}, **color})


def _text(
    svg: Element, x: float, y: float, text: str, fill: str = figure.INK, anchor: str = "start", weight: str = "normal"
) -> None:
    attributes = {"x": f"{x:g}", "y": f"{y:g}", "fill": fill, "font-size": "14", "text-anchor": anchor}
    SubElement(svg, "text", {**attributes, "font-weight": weight}).text = text


def _arrow(svg: Element, x1: float, y1: float, x2: float, y2: float) -> None:
    line = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    SubElement(svg, "line", {**{name: f"{value:g}" for name, value in line.items()}, "stroke": figure.MUTED})
    if x1 == x2:
        head = f"M{x2 - 4:g},{y2 - 6:g}L{x2 + 4:g},{y2 - 6:g}L{x2:g},{y2:g}Z"
    else:
        head = f"M{x2 - 6:g},{y2 - 4:g}L{x2 - 6:g},{y2 + 4:g}L{x2:g},{y2:g}Z"
    SubElement(svg, "path", {"d": head, "fill": figure.MUTED})
