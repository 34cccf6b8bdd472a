"""Growth in ``docs/performance.md``: a drawing, a table, and what larger cohorts would need, on paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.measure import Measure

LARGER = (500_000, 10_000_000)
RECORDED = 31_295 / 56_042  # of HUNT4's participants have a recording
NIGHT = 8 * 3600.0
SERIES = {"people": "people with day totals, to a release", "weeks": "people's weeks of epochs, to days"}
WHAT = ("processor", "megabytes", "disk")
FACETS = {"processor": "processor seconds", "megabytes": "peak memory, MB"}


@dataclass(frozen=True)
class Line:
    """A straight line through the points of a series.

    Attributes:
        fixed: what it costs whatever the number.
        each: what one more costs.
    """

    fixed: float
    each: float

    @classmethod
    def through(cls, points: Sequence[Mapping[str, float]], what: str) -> Line:
        """By least squares; of memory through the two largest only, since it rises at first and then levels out.

        What seems to fall with the number, as noise makes it, is level.
        """
        points = points[-2:] if what == "megabytes" else points
        xs, ys = [point["n"] for point in points], [point[what] for point in points]
        x, y = sum(xs) / len(xs), sum(ys) / len(ys)
        each = sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)
        return cls(y - each * x, each) if each > 0 else cls(y, 0.0)

    def at(self, number: float) -> float:
        """What so many cost."""
        return max(self.fixed + self.each * number, 0.0)

    def number_at(self, value: float) -> float | None:
        """How many cost this much; None if one more costs nothing."""
        return (value - self.fixed) / self.each if self.each > 0 else None


def section(run: Mapping[str, Any], measures: Sequence[Measure], picture: str) -> str:
    """Tables and text."""
    growth = run["growth"]
    lines = [
        "## Growth",
        "",
        "1, 2, 4 and 8 times the people, each in processes of its own. *People*: day totals and one wave, from "
        "deliveries to a release. *Weeks*: delivered epochs of so many people, to `daily_exposures`.",
        "",
        f"![Processor seconds and peak memory at 1, 2, 4 and 8 times the people]({picture})",
        "",
        f"`python -m benchmarks.growth --people {growth['people'][0]['n']} --weeks {growth['weeks'][0]['n']}`",
        "",
        "| | processor s | wall s | peak MB | disk MB | processor, times the first |",
        "|---|---|---|---|---|---|",
    ]
    for name, title in SERIES.items():
        for point in growth[name]:
            costs = f"{point['processor']:.1f} | {point['wall']:.1f} | {point['megabytes']:,.0f} | {point['disk']:,.1f}"
            times = point["processor"] / growth[name][0]["processor"]
            lines.append(f"| {point['n']:,} {title} | {costs} | {times:.2f} |")
    return "\n".join([*lines, "", *_paper(run, measures)])


def _paper(run: Mapping[str, Any], measures: Sequence[Measure]) -> list[str]:
    growth, memory = run["growth"], run["machine"]["memory_gigabytes"]
    of = {(name, what): Line.through(growth[name], what) for name in SERIES for what in WHAT}
    raw = next((each for each in measures if each.name == "raw_pair"), None)
    days = run["settings"]["days"]
    heads = " | ".join(f"{number:,} people" for number in LARGER)
    lines = [
        "### On paper",
        "",
        f"One more person costs {_cost_of_one(of, 'people')}; one more week of epochs {_cost_of_one(of, 'weeks')}. "
        "What larger cohorts would need by these slopes, far beyond what was measured (of memory by the two "
        "largest sizes), on this machine, with "
        f"recordings of {RECORDED:.0%} of the people as in HUNT4:",
        "",
    ]
    lines += [f"| | {heads} |", f"|---|{'---|' * len(LARGER)}"]

    def row(title: str, values: list[str]) -> None:
        lines.append(f"| {title} | {' | '.join(values)} |")

    row("full build of one wave from day totals, processor", [_time(of["people", "processor"].at(n)) for n in LARGER])
    row("its peak memory", [_size(of["people", "megabytes"].at(n)) for n in LARGER])
    row("everything in the home but deliveries", [_size(of["people", "disk"].at(n)) for n in LARGER])
    row("delivered weeks to days, processor", [_time(of["weeks", "processor"].at(n * RECORDED)) for n in LARGER])
    row("its peak memory, in one batch", [_size(of["weeks", "megabytes"].at(n * RECORDED)) for n in LARGER])
    row("lake, with the twin's bouts", [_size(of["weeks", "disk"].at(n * RECORDED)) for n in LARGER])
    if raw:
        each = raw.cost.processor * 7 / days
        row(f"raw pairs of a week, processor ({each:.1f} s a pair)", [_time(each * n * RECORDED) for n in LARGER])
    found = list(_limits(of, memory))
    if raw:
        month = 30 * 86_400 * run["machine"]["cores"]
        what = f"raw pairs of a week take more than a month of all {run['machine']['cores']} cores"
        found.append((month / (raw.cost.processor * 7 / days * RECORDED), what))
    first = [f"- about {float(f'{n:.2g}'):,.0f} people: {what}" for n, what in sorted(found) if n <= LARGER[-1]]
    heading = f"What breaks first, with one computer like this one, up to {LARGER[-1]:,} people:"
    return [*lines, "", heading, "", *first, ""]


def _cost_of_one(of: Mapping[tuple[str, str], Line], name: str) -> str:
    """What one more costs, on top of what is fixed."""
    processor, memory = of[name, "processor"], of[name, "megabytes"]
    return (
        f"{1000 * processor.each:.3g} ms of processor and {1000 * memory.each:,.3g} kB of memory, on top of "
        f"{processor.fixed:.3g} s and {memory.fixed:,.0f} MB"
    )


def _limits(of: Mapping[tuple[str, str], Line], memory: float) -> list[tuple[float, str]]:
    """From how many people on something does not fit, and what."""
    from stegvis.storage.delivered_epochs import MOST_EPOCHS
    from stegvis.storage.reading import MOST_CELLS
    from stegvis.study.study import Study

    codebook = Study.shipped().codebook
    widest = max(("participants", "questionnaire"), key=lambda name: len(codebook[name].columns))
    columns = len(codebook[widest].columns)
    found = [
        (
            MOST_CELLS / columns,
            f"`{codebook[widest].file}` has more than {MOST_CELLS / 1e6:.0f} million cells in its {columns} columns, "
            "and is refused by the contract of deliveries as one file",
        ),
        (
            MOST_EPOCHS / (7 * 17_280) / RECORDED,
            f"one file of epochs has more than {MOST_EPOCHS / 1e9:.0f} billion rows; it has to come in several batches",
        ),
    ]
    limits = [
        (of["people", "megabytes"], 1, memory * 1000, f"a full build of a wave needs more than {memory} GB of memory"),
        (of["people", "processor"], 1, NIGHT, "a full build of a wave from day totals takes more than 8 hours"),
        (
            of["weeks", "megabytes"], RECORDED, memory * 1000,
            f"one batch of delivered epochs needs more than {memory} GB of memory",
        ),
        (of["weeks", "processor"], RECORDED, NIGHT, "delivered epochs take more than 8 hours to days"),
    ]  # fmt: skip
    for line, share, limit, what in limits:
        if number := line.number_at(limit):
            found.append((number / share, what))
    return found


def drawing(growth: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """Both series, processor time and memory, on axes that begin at zero."""
    from stegvis.reporting.figure import INK, LINE, MEASURED_WITH, vl_convert_svg

    plots = []
    for name, title in SERIES.items():
        for what, label in FACETS.items():
            values = [{"n": point["n"], "y": point[what]} for point in growth[name]]
            line = Line.through(growth[name], what)
            ends = [{"n": number, "y": line.at(number)} for number in (0, values[-1]["n"])]
            axes = {
                "x": {"field": "n", "type": "quantitative", "title": title, "axis": {"tickCount": 5}},
                "y": {"field": "y", "type": "quantitative", "title": label, "scale": {"zero": True}},
            }
            drawn = [
                {"data": {"values": ends}, "mark": {"type": "line", "color": LINE, "strokeWidth": 2}, "encoding": axes},
                {"data": {"values": values}, "mark": {"type": "point", "filled": True, "size": 60}, "encoding": axes},
            ]
            plots.append({"width": 300, "height": 180, "layer": drawn})
    text = {"labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
    return vl_convert_svg(
        {
            "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
            "background": "white",
            "config": {"font": MEASURED_WITH, "axis": text | {"gridColor": LINE}, "view": {"stroke": None}},
            "columns": 2,
            "concat": plots,
        }
    )


def _time(seconds: float) -> str:
    for unit, length in (("days", 86_400.0), ("hours", 3_600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:.0f} s"


def _size(megabytes: float) -> str:
    for unit, length in (("TB", 1e6), ("GB", 1e3)):
        if megabytes >= length:
            return f"{megabytes / length:,.1f} {unit}"
    return f"{megabytes:.0f} MB"
