"""Standardized risks, their differences, numbers needed, and whether other estimators agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stegvis.reporting.blocks import Section, note, paragraph, section, table
from stegvis.reporting.formatting import decimal, interval, interval_name, is_missing, ratio
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.overlap import agreement
from stegvis.reporting.rows import by_level, chosen
from stegvis.reporting.tables import NOT_ESTIMABLE, SUPPRESSED
from stegvis.reporting.wording import level_label
from stegvis.study.protocol import Exposure

MEANING = (
    "The risk if everyone walked as people in a category do and were otherwise unchanged, and the difference from the "
    "lowest category. The number needed is the number of people among whom one case fewer would be expected if the "
    "association were causal, which this study cannot show."
)
NEEDED = "The number needed has an interval only where the interval of the difference excludes 0 (Altman 1998)."


SUPPOSING = (
    "Supposing more of what people do, for everybody who would then still be within what people have (below the "
    "highest percentile), and the same for the others; as far as the association is causal:"
)


def absolute(report: WaveReport) -> Section:
    """Risk, difference and number needed by category, fully adjusted."""
    groups = []
    for exposure in report.exposures:
        rows = chosen(report.own_results, analysis="standardized_risk", exposure=exposure, model="adjusted")
        levels = list(dict.fromkeys(str(row["level"]) for row in by_level(rows)))
        found = {(str(row["level"]), str(row["measure"])): row for row in rows}
        lines = tuple(
            (
                level_label(level),
                percent_cell(found.get((level, "risk"))),
                "reference" if place == 0 else percent_cell(found.get((level, "rd")), signed=True),
                "–" if place == 0 else _needed(found.get((level, "nnt"))),
            )
            for place, level in enumerate(levels)
        )
        if lines:
            scale = report.protocol.exposures.scale(exposure)
            groups.append(Group(lines, f"{scale.name}, {scale.unit}"))
    columns = (
        "Category",
        f"Risk, % ({interval_name(report.protocol)})",
        f"Difference, percentage points ({interval_name(report.protocol)})",
        "Number needed",
    )
    risks = Table("absolute-table", "Standardized risks, fully adjusted", columns, tuple(groups))
    shown = table(risks) if groups else paragraph("No standardized risk is available for this wave.")
    more = [sentence for exposure in report.exposures if (sentence := with_more_of(report, exposure))]
    supposed = [paragraph(" ".join([SUPPOSING, *more]))] if more else []
    blocks = (paragraph(MEANING), shown, note(NEEDED), *supposed, *agreement(report))
    return section("absolute", "Risks and differences", *blocks, short="Risks")


def with_more_of(report: WaveReport, exposure: Exposure) -> str:
    """What the risk would be with more of an exposure, in a sentence; empty where that is not estimated."""
    rows = chosen(report.own_results, analysis="shifted", exposure=exposure, model="adjusted", status="ok")
    found = {str(row["measure"]): row for row in rows}
    if found.keys() != {"rr", "rd"}:
        return ""
    scale, times = report.protocol.exposures.scale(exposure), found["rr"]
    now = f"{ratio(times['estimate'])} times"
    limits = interval(times["ci_low"], times["ci_high"], report.protocol)
    amount = str(times["level"]).removeprefix("+")
    return (
        f"{scale.name} {amount} {scale.unit} higher: the risk would be {now} ({limits}) what it is, "
        f"a difference of {percent_cell(found['rd'], signed=True)} percentage points."
    )


def percent_cell(row: Mapping[str, Any] | None, signed: bool = False) -> str:
    """A proportion and its limits, in percent."""
    if row is None:
        return "–"
    if row["status"] != "ok" or is_missing(row["estimate"]):
        return SUPPRESSED if row["status"] == "suppressed" else NOT_ESTIMABLE
    values = [100 * float(row[name]) for name in ("estimate", "ci_low", "ci_high")]
    estimate, low, high = (f"{value:+.1f}".replace("-", "−") if signed else decimal(value) for value in values)
    return f"{estimate} ({low} to {high})"


def _needed(row: Mapping[str, Any] | None) -> str:
    if row is None or row["status"] != "ok" or is_missing(row["estimate"]):
        return "–"
    shown = f"{float(row['estimate']):,.0f}"
    if is_missing(row["ci_low"]) or is_missing(row["ci_high"]):
        return f"{shown} (no interval)"
    return f"{shown} ({float(row['ci_low']):,.0f} to {float(row['ci_high']):,.0f})"
