"""Where to find the counterpart of each published table and figure, and the published numbers beside this wave's."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from stegvis.reporting.blocks import Section, link, note, paragraph, section, table
from stegvis.reporting.file_names import COMMANDS, details_file_name
from stegvis.reporting.formatting import count, decimal, is_missing
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.rows import chosen, comparisons, people_and_cases
from stegvis.reporting.tables import estimate_cell
from stegvis.reporting.wording import level_label
from stegvis.study.about import Published
from stegvis.study.protocol import EXPOSURES

# Published item, name and anchor of its counterpart, and whether that is on the page of further analyses.
PLACES = (
    ("Figure: flow of participants", "Who was included", "#included", False),
    ("Table: characteristics by quarter of volume", "Table 1", "#table-1", False),
    ("Table: risk ratios by quarter, age-adjusted and adjusted", "Main results", "#results", False),
    ("Figure: dose-response curves of volume and intensity", "Curves", "#curves", False),
    ("Figure and table: volume and intensity together", "Joint", "#joint", False),
    ("E-values", "E-values and tipping points", "#certainty", False),
    ("Supplement: characteristics with work and exercise", "Table 1, additional rows", "#table-1", False),
    ("Supplement: curves adjusted for the other exposure", "Curves, expand", "#curves", False),
    ("Supplement: each exposure adjusted for the other", "Mutual adjustment", "#mutual", True),
    ("Supplement: volume within quarters of intensity", "Subgroups, expand", "#strata", True),
    ("Supplement: strata of age and sex, interaction tests", "Subgroups", "#strata", True),
    ("Supplement: sensitivity analyses", "Sensitivity", "#sensitivity", True),
)


def counterparts(report: WaveReport) -> Section:
    """Links by published item, and numbers side by side; that nothing was published before, where it was not."""
    printed = report.published
    if printed is None:
        return section(
            "counterparts",
            "The published study and this wave",
            paragraph("The study published nothing before that this wave could be compared with."),
            short="Published counterparts",
        )
    details = details_file_name(report.wave)
    rows = tuple((item, link(f"{details if away else ''}{anchor}", name)) for item, name, anchor, away in PLACES)
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
    for exposure in EXPOSURES:
        scale, own = report.protocol.exposures.scale(exposure), getattr(printed, exposure)
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
