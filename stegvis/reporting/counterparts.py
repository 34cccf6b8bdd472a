"""Where to find the counterpart of each published table and figure, and the published numbers beside this wave's."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from stegvis.reporting.blocks import Section, link, note, section, table
from stegvis.reporting.file_names import COMMANDS, details_file_name
from stegvis.reporting.formatting import count, decimal, is_missing
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.rows import chosen, comparisons, people_and_cases
from stegvis.reporting.tables import estimate_cell
from stegvis.reporting.wording import level_label
from stegvis.study.about import Counterpart, Published, PublishedItem

# Sections with a counterpart of a published item: their name, and whether they are on the page of further analyses.
PLACES: dict[Counterpart, tuple[str, bool]] = {
    "included": ("Who was included", False),
    "table-1": ("Table 1", False),
    "results": ("Main results", False),
    "curves": ("Curves", False),
    "joint": ("Joint", False),
    "certainty": ("E-values and tipping points", False),
    "mutual": ("Mutual adjustment", True),
    "strata": ("Subgroups", True),
    "sensitivity": ("Sensitivity", True),
}


def counterparts(report: WaveReport) -> Section | None:
    """Links by published item, and numbers side by side; None for a study that published nothing before."""
    printed = report.published
    if printed is None:
        return None
    rows = tuple(_place(report, item) for item in printed.items)
    places = Table(
        "counterparts-table",
        "Where to find the counterpart of each published table and figure",
        ("Published", "Here"),
        (Group(rows),),
        numeric=False,
    )
    commands = Markup("The commands that reproduce each number in R and Stata are in {}.").format(
        link(COMMANDS, "commands.csv")
    )
    return section(
        "counterparts",
        "The published study and this wave",
        table(places),
        table(_numbers(report, printed)),
        note(printed.remark),
        note(commands),
        short="Published counterparts",
    )


def _place(report: WaveReport, item: PublishedItem) -> tuple[str, Markup]:
    name, on_details = PLACES[item.section]
    page = details_file_name(report.wave) if on_details else ""
    return item.item, link(f"{page}#{item.section}", f"{name}, {item.where}" if item.where else name)


def _numbers(report: WaveReport, printed: Published) -> Table:
    people, cases = people_and_cases(report.own_results)
    share = f"{count(cases)} ({decimal(100 * cases / people)}%)" if people and cases is not None else "–"
    groups = [
        Group(
            (
                ("People analyzed", printed.people, count(people)),
                ("Cases", printed.cases, share),
                ("Women", printed.women, _share(report, "sex", "female")),
                ("Age, mean (standard deviation)", printed.age, _mean(report, "age")),
                ("Valid days, mean", printed.valid_days, _mean(report, "valid_days")),
                ("Follow-up, years", printed.follow_up_years, _mean(report, "follow_up_years")),
            )
        )
    ]
    for exposure in report.exposures:
        scale, own = report.protocol.exposures.scale(exposure), getattr(printed, exposure)
        if own is None:
            continue
        here = comparisons(report.own_results, exposure)
        lines = tuple(
            (
                f"{level_label(level)} against {level_label(own.reference)}",
                ratio,
                f"{level_label(here[place]['level'])}: {estimate_cell(here[place])}" if place < len(here) else "–",
            )
            for place, (level, ratio) in enumerate(zip(own.levels, own.ratios, strict=True))
        )
        groups.append(Group(lines, f"{scale.name}, {scale.unit}: fully adjusted risk ratio"))
    caption = "The published numbers and this wave's"
    return Table("published-table", caption, ("Number", "Published", "This wave"), tuple(groups))


def _all(report: WaveReport, variable: str, **more: Any) -> dict[str, Any] | None:
    rows = chosen(report.rows(report.characteristics), variable=variable, category="all", **more)
    return rows[0] if rows and rows[0]["status"] != "suppressed" else None


def _share(report: WaveReport, variable: str, level: str) -> str:
    row = _all(report, variable, level=level)
    return "–" if row is None or is_missing(row["n"]) else f"{count(row['n'])} ({decimal(row['percent'])}%)"


def _mean(report: WaveReport, variable: str) -> str:
    row = _all(report, variable)
    return "–" if row is None or is_missing(row["mean"]) else f"{decimal(row['mean'])} ({decimal(row['sd'])})"
