"""Volume and intensity together: a cell for each pair of categories, and their interaction on both scales."""

from __future__ import annotations

from stegvis.reporting.blocks import Section, drawing, paragraph, section, table
from stegvis.reporting.formatting import is_missing, limits, p_value, ratio
from stegvis.reporting.heat_map import heat_map, pair
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.rows import chosen
from stegvis.reporting.tables import estimate_cell, people_cells
from stegvis.reporting.wording import is_shown, level_label
from stegvis.study.numbers_in_words import number_in_words

CAPTION = (
    "Fully adjusted risk ratios against the lowest category of both, with confidence limits; blue is lower, orange "
    "higher. With {cells} cells, the overall pattern is more reliable than any single cell."
)


def joint(report: WaveReport) -> Section | None:
    """The heat map with its table, and the tests of interaction; None where there is only one exposure."""
    if len(report.exposures) < 2:
        return None
    results = report.own_results
    cells = chosen(results, analysis="joint", model="adjusted", measure="rr")
    if not cells:
        return section("joint", "Volume and intensity together", paragraph("No joint estimate is available."))
    scale = report.protocol.exposures.scale
    axes = tuple(f"{scale(each).name}, {scale(each).unit}" for each in ("walking_met", "walking_minutes"))
    heading = [f"Volume, intensity and {report.words.outcome.name}", f"Wave {report.wave}"]
    svg = heat_map(cells, (axes[0], axes[1]), heading, report.synthetic, report.protocol)
    return section(
        "joint",
        "Volume and intensity together",
        drawing(svg, CAPTION.format(cells=number_in_words(len(cells), "en")), _cells_table(report)),
        paragraph(_tests(report)),
        table(_additive_table(report)),
        short="Joint",
    )


def _cells_table(report: WaveReport) -> Table:
    rows = chosen(report.own_results, analysis="joint", measure="rr")
    by_cell: dict[str, dict[str, dict[str, object]]] = {}
    for each in rows:
        by_cell.setdefault(str(each["level"]), {})[str(each["model"])] = each
    groups: dict[str, list[tuple[str, ...]]] = {}
    for level, models in by_cell.items():
        volume, intensity = pair(level)
        row = models.get("adjusted") or next(iter(models.values()))
        adjusted, age = (estimate_cell(models[name]) if name in models else "–" for name in ("adjusted", "age"))
        groups.setdefault(volume, []).append((level_label(intensity), adjusted, age, *people_cells(row)))
    unit = report.protocol.exposures.scale("walking_minutes").unit
    return Table(
        "joint-table",
        "Volume and intensity together: participants, cases and risk ratios",
        ("Intensity, MET", "Fully adjusted RR", "Age-adjusted RR", "Participants", "Cases"),
        tuple(Group(tuple(lines), f"Volume {level_label(volume)} {unit}") for volume, lines in groups.items()),
    )


def _tests(report: WaveReport) -> str:
    found = chosen(report.own_results, analysis="joint", model="adjusted")
    tests = {row["measure"]: row["p_value"] for row in found if row["status"] == "ok"}
    shown = [
        f"{name}, {p_value(tests[measure])}"
        for measure, name in (("p_joint", "all cells equal"), ("p_interaction", "no multiplicative interaction"))
        if measure in tests and not is_missing(tests[measure])
    ]
    return f"Tests, fully adjusted: {'; '.join(shown)}." if shown else ""


def _additive_table(report: WaveReport) -> Table | None:
    names = {
        "reri_mover": "Relative excess risk due to interaction",
        "ap": "Attributable proportion",
        "synergy_index": "Synergy index",
        "ratio_of_rr": "Ratio of risk ratios (multiplicative)",
    }
    rows = chosen(report.own_results, analysis="additive_interaction", model="adjusted")
    found = {row["measure"]: row for row in rows if row["measure"] in names}
    lines = tuple(
        (
            name,
            f"{ratio(found[measure]['estimate'])} ({limits(found[measure]['ci_low'], found[measure]['ci_high'])})"
            if is_shown(found[measure])
            else "not estimable",
        )
        for measure, name in names.items()
        if measure in found
    )
    if not lines:
        return None
    return Table(
        "additive-table",
        "Low volume and low intensity: interaction",
        ("Measure", "Estimate (interval)"),
        (Group(lines),),
        note="Low: lowest category. Without interaction, the additive measures are 0 (synergy index 1), the ratio 1.",
    )
