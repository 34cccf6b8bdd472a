"""Time use over the 24-hour day: isotemporal substitution and compositional analysis side by side."""

from __future__ import annotations

import re
from typing import Any

from stegvis.reporting.blocks import Section, drawing, folded, paragraph, section, table
from stegvis.reporting.forest import ladder_plot
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.rows import chosen
from stegvis.reporting.tables import estimate_cell

MEANING = (
    "A day has 24 hours, so more of one activity means less of another. Substitution uses absolute minutes; "
    "composition uses minutes relative to the mean day. Neither shows that reallocating time would change any risk. "
    "A change that would leave the range of the middle 98 % of people is not estimated."
)
TO_WALKING = re.compile(r"(\d+) min (.+) -> walking")
SWAP = re.compile(r"(\d+) min (.+) -> (.+)")


def time_use(report: WaveReport) -> Section:
    """A figure of walking in place of each other activity, and a table of all."""
    results = report.own_results
    isotemporal = chosen(results, analysis="isotemporal", model="adjusted", measure="rr")
    composition = chosen(results, analysis="composition", model="adjusted", measure="rr")
    if not isotemporal and not composition:
        return section("time-use", "The 24-hour day", paragraph("No time-use estimate is available for this wave."))
    entries = [(words(row), row) for row in isotemporal if TO_WALKING.fullmatch(str(row["level"]))]
    heading = [f"Time use and {report.words.outcome.name}", f"walking in place of other activities, wave {report.wave}"]
    caption = "Fully adjusted risk ratio for more minutes of walking a day and equally fewer of another activity."
    return section(
        "time-use",
        "The 24-hour day",
        paragraph(MEANING),
        drawing(ladder_plot(entries, "time-use-plot", heading, report.synthetic, report.protocol), caption),
        folded("All substitutions, both analyses", table(_all(isotemporal, composition))),
        short="Time use",
    )


def words(row: dict[str, Any]) -> str:
    """The printed name of a substitution, ``30 min walking for sitting``, or of another change."""
    found = SWAP.fullmatch(str(row["level"]))
    return f"{found[1]} min {found[3]} for {found[2]}" if found else f"{row['term']} {row['level']}"


def _all(isotemporal: list[dict[str, Any]], composition: list[dict[str, Any]]) -> Table:
    found = [{words(row): _cell(row) for row in rows} for rows in (isotemporal, composition)]
    names = dict.fromkeys([*found[0], *found[1]])
    lines = [(name, *(cells.get(name, "–") for cells in found)) for name in names]
    columns = ("More for less", "Substitution, RR (interval)", "Composition, RR (interval)")
    return Table("time-use-table", "Minutes a day of one activity in place of another", columns, (Group(tuple(lines)),))


def _cell(row: dict[str, Any]) -> str:
    return estimate_cell({**row, "reference": None})
