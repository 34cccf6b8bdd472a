"""Results across waves: pooled ratios beside each wave's own, its course, and what further waves would add."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from stegvis.reporting.blocks import Section, drawing, folded, note, paragraph, section, subheading, table
from stegvis.reporting.forest import domain_of, ladder_plot
from stegvis.reporting.formatting import p_value
from stegvis.reporting.inputs import IndexReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.ratio_tables import ratios_table
from stegvis.reporting.rows import by_level, chosen, highest
from stegvis.reporting.tables import estimate_cell
from stegvis.reporting.wording import level_label
from stegvis.reporting.words import capitalized
from stegvis.study.protocol import Exposure

COURSE = {
    "incidence": "No {pain} at the previous wave",
    "persistence": "{Pain} at the previous wave",
    "recurrence": "No {pain} at the previous wave, {pain} at the one before",
}
CAPTION = (
    "Highest against lowest category, fully adjusted. Below the single waves: all waves in one model. Participants "
    "count once per response, and the intervals allow for that."
)


def across(index: IndexReport) -> Section:
    """A figure and tables for each exposure."""
    blocks = [block for exposure in index.exposures for block in _exposure(index, exposure)]
    shown = blocks or [paragraph("Nothing is pooled yet.")]
    return section("across", "All waves together", *shown, short="Across waves")


def _exposure(index: IndexReport, exposure: Exposure) -> list[Markup]:
    pooled, scale = index.of_wave("all"), index.protocol.exposures.scale(exposure)
    entries = _entries(index, exposure)
    if not entries:
        return []
    domain = domain_of(row for each in index.exposures for _, row in _entries(index, each))
    rows = chosen(pooled, analysis="pooled", exposure=exposure, measure="rr")
    pain = index.words.outcome.shortest
    heading = [f"{scale.name} and {index.words.outcome.name}", "wave by wave, and pooled"]
    svg = ladder_plot(entries, f"pooled-{exposure}-plot", heading, index.synthetic, index.protocol, domain)
    numbers = ratios_table(
        f"pooled-{exposure}-table", f"{scale.name}: all waves pooled", f"{scale.name}, {scale.unit}", [("", rows)],
        index.protocol,
        note="Participants are counted once per response; one person may have responded in several waves.",
    )  # fmt: skip
    groups = [
        (name.format(pain=pain, Pain=capitalized(pain)), chosen(pooled, analysis=each, exposure=exposure, measure="rr"))
        for each, name in COURSE.items()
    ]
    course = ratios_table(
        f"course-{exposure}", f"{scale.name} and the course of {pain}", scale.unit, groups, index.protocol
    )
    return [
        subheading(scale.name, f"pooled-{exposure}"),
        drawing(svg, CAPTION, numbers),
        note(_between_waves(index, exposure)),
        folded(
            f"The course of {pain}, and what further waves would add",
            table(course),
            table(_projection(index, exposure)),
        ),
    ]


def _entries(index: IndexReport, exposure: Exposure) -> list[tuple[str, dict[str, Any]]]:
    """Each wave's ratio and the pooled one; empty without the pooled one."""
    together = highest(index.of_wave("all"), exposure, analysis="pooled")
    if together is None:
        return []
    found = [(wave, highest(index.of_wave(wave), exposure, analysis="main", population="all")) for wave in index.waves]
    return [*((level_label(wave), row) for wave, row in found if row is not None), ("All waves, pooled", together)]


def _between_waves(index: IndexReport, exposure: Exposure) -> str:
    rows = chosen(
        index.of_wave("all"), analysis="wave_interaction", exposure=exposure, model="adjusted", measure="p_interaction"
    )
    tested = [row for row in rows if row["status"] == "ok"]
    return f"Test of whether the ratios differ between waves: {p_value(tested[0]['p_value'])}." if tested else ""


def _projection(index: IndexReport, exposure: Exposure) -> Table | None:
    rows = chosen(index.of_wave("all"), analysis="projection", exposure=exposure, model="adjusted")
    levels = [str(row["level"]) for row in by_level([row for row in rows if row["measure"] == "projected_rr"])]
    found = {(str(row["level"]), str(row["measure"])): row for row in rows}
    lines = []
    for level in levels:
        projected = found[(level, "projected_rr")]
        if level == projected["reference"]:
            continue
        needed, smallest = found.get((level, "waves_needed")), found.get((level, "detectable_rr"))
        lines.append(
            (
                level_label(level),
                estimate_cell(projected),
                f"{smallest['estimate']:.2f}" if smallest and smallest["status"] == "ok" else "–",
                f"{needed['estimate']:.0f}" if needed and needed["status"] == "ok" else "not foreseeable",
            )
        )
    if not lines:
        return None
    columns = (
        "Category",
        "After the next wave, if the estimate is unchanged",
        f"Ratio detectable with {index.protocol.projection.power:.0%} power",
        "Further waves needed",
    )
    caption = f"{index.protocol.exposures.scale(exposure).name}: what further waves would add"
    return Table(f"projection-{exposure}", caption, columns, (Group(tuple(lines)),))
