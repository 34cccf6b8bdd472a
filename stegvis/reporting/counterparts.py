"""The published numbers beside this wave's, why they may differ, and the counterpart of each published item."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from stegvis.reporting.blocks import Section, bullets, link, pair, paragraph, section, subheading, table
from stegvis.reporting.file_names import INDEX, details_file_name
from stegvis.reporting.formatting import count, decimal, interval_name, is_missing
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.rows import chosen, comparisons, people_and_cases
from stegvis.reporting.tables import estimate_cell
from stegvis.reporting.wording import is_shown, level_label
from stegvis.study.about import Counterpart, Published, PublishedItem

# Sections with a counterpart of a published item: whether they are on the page of further analyses.
PLACES: dict[Counterpart, bool] = {
    "included": False, "table-1": False, "results": False, "curves": False, "certainty": False,
    "joint": True, "mutual": True, "strata": True, "sensitivity": True,
}  # fmt: skip
# The ratio at the start of a published one with its interval.
PRINTED = re.compile(r"\d+\.\d+")


def counterparts(report: WaveReport) -> Section | None:
    """Numbers side by side, reasons, then links by published item; None for a study that published nothing before."""
    printed = report.published
    if printed is None:
        return None
    beside = (
        subheading("Why they may differ", "differ"),
        bullets(_reasons(report, printed)),
        subheading("Where each published table and figure is", "places"),
        bullets((_place(report, item) for item in printed.items), "places"),
    )
    return section(
        "counterparts",
        "The published study and this wave",
        paragraph(_agreement(report, printed)),
        pair(table(_numbers(report, printed)), Markup("\n").join(beside)),
        short="Published counterparts",
    )


def _place(report: WaveReport, item: PublishedItem) -> Markup:
    on_details = PLACES[item.section]
    page = details_file_name(report.wave) if on_details else ""
    where = f" ({item.where})" if item.where else ""
    return Markup("{}{}").format(link(f"{page}#{item.section}", item.item), where)


def _agreement(report: WaveReport, printed: Published) -> str:
    """How many published ratios are within this wave's intervals."""
    compared = [
        (PRINTED.match(ratio), row)
        for exposure in report.exposures
        if (own := getattr(printed, exposure)) is not None
        for ratio, row in zip(own.ratios, comparisons(report.own_results, exposure), strict=False)
        if is_shown(row)
    ]
    within = [found is not None and row["ci_low"] <= float(found[0]) <= row["ci_high"] for found, row in compared]
    if not within:
        return ""
    where = "within this wave's confidence interval for the category in the same place"
    if len(within) == 1:
        return f"The published risk ratio is {'' if within[0] else 'not '}{where}."
    number = "All" if all(within) else f"{sum(within)} of" if any(within) else "None of the"
    verb = "is" if sum(within) == 1 or not any(within) else "are"
    return f"{number} {len(within)} published risk ratios {verb} {where}."


def _reasons(report: WaveReport, printed: Published) -> list[str | Markup]:
    """What differs between the two, as far as the numbers show."""
    return [
        "This wave's data are simulated; how near they are to the published numbers says nothing about real people."
        if report.synthetic
        else "",
        printed.remark,
        "" if _same_people(report, printed) else "The participants are not exactly the same, nor are the cases.",
        "The categories have other bounds, because each sample is divided into groups of equal size."
        if _other_bounds(report, printed)
        else "",
        Markup("Where the protocol differs from the published one: {}.").format(
            link(f"{INDEX}#protocol-differences", "the page over all waves")
        ),
    ]


def _same_people(report: WaveReport, printed: Published) -> bool:
    people, _ = people_and_cases(report.own_results)
    return count(people) == printed.people and _cases(report) == printed.cases


def _other_bounds(report: WaveReport, printed: Published) -> bool:
    for exposure in report.exposures:
        own, here = getattr(printed, exposure), comparisons(report.own_results, exposure)
        if (
            own is not None
            and here
            and [own.reference, *own.levels]
            != [str(each) for each in (here[0]["reference"], *(row["level"] for row in here))]
        ):
            return True
    return False


def _cases(report: WaveReport) -> str:
    people, cases = people_and_cases(report.own_results)
    return f"{count(cases)} ({decimal(100 * cases / people)}%)" if people and cases is not None else "–"


def _numbers(report: WaveReport, printed: Published) -> Table:
    people, _ = people_and_cases(report.own_results)
    groups = [
        Group(
            (
                ("Analyzed", printed.people, count(people)),
                ("Cases", printed.cases, _cases(report)),
                ("Women", printed.women, _share(report, "sex", "female")),
                ("Age, mean (SD)", printed.age, _mean(report, "age")),
                ("Valid days, mean (SD)", printed.valid_days, _mean(report, "valid_days")),
                ("Follow-up, years (SD)", printed.follow_up_years, _mean(report, "follow_up_years")),
            )
        )
    ]
    for exposure in report.exposures:
        scale, own = report.protocol.exposures.scale(exposure), getattr(printed, exposure)
        if own is None:
            continue
        here = comparisons(report.own_results, exposure)
        lines = tuple(
            (level_label(level), ratio, _beside(level, here[place]) if place < len(here) else "–")
            for place, (level, ratio) in enumerate(zip(own.levels, own.ratios, strict=True))
        )
        groups.append(Group(lines, f"{scale.name}, {scale.unit}: RR against {level_label(own.reference)}"))
    caption = "The published numbers and this wave's"
    remark = f"RR: fully adjusted risk ratio ({interval_name(report.protocol)})."
    return Table("published-table", caption, ("Number", "Published", "This wave"), tuple(groups), note=remark)


def _beside(level: str, row: Mapping[str, Any]) -> str:
    """This wave's ratio, with its category where that has other bounds than the published one."""
    return estimate_cell(row) if str(row["level"]) == level else f"{level_label(row['level'])}: {estimate_cell(row)}"


def _all(report: WaveReport, variable: str, **more: Any) -> dict[str, Any] | None:
    rows = chosen(report.rows(report.characteristics), variable=variable, category="all", **more)
    return rows[0] if rows and rows[0]["status"] != "suppressed" else None


def _share(report: WaveReport, variable: str, level: str) -> str:
    row = _all(report, variable, level=level)
    return "–" if row is None or is_missing(row["n"]) else f"{count(row['n'])} ({decimal(row['percent'])}%)"


def _mean(report: WaveReport, variable: str) -> str:
    row = _all(report, variable)
    return "–" if row is None or is_missing(row["mean"]) else f"{decimal(row['mean'])} ({decimal(row['sd'])})"
