"""Fit of the main models, and calibration by negative controls."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from stegvis.reporting.blocks import Section, paragraph, section, table
from stegvis.reporting.formatting import decimal, is_missing
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.ratio_tables import variants_table
from stegvis.reporting.rows import by_level, chosen
from stegvis.reporting.wording import MODELS

MEANING = (
    "A Poisson model can give fitted risks above 1; the share of participants with one should be small. With fewer "
    "than ten cases per coefficient, estimates become unstable."
)
CONTROLS = (
    "A negative control is an outcome that walking cannot affect, or an exposure that cannot affect {outcome}. Any "
    "association with it indicates bias. The calibrated ratios subtract the mean of such outcomes and allow for their "
    "spread; such exposures only widen the intervals (Schuemie et al. 2014, doi 10.1002/sim.5925)."
)


def fit(report: WaveReport) -> Section:
    """Fit of the main models; ratios calibrated by negative controls, or why there are none."""
    return section(
        "fit",
        "Fit of the models, and negative controls",
        paragraph(MEANING),
        table(_quality(report)),
        paragraph(CONTROLS.format(outcome=report.words.outcome.name)),
        *_controls(report),
        short="Fit and controls",
    )


def _quality(report: WaveReport) -> Table | None:
    groups = []
    for exposure in report.exposures:
        found = chosen(report.own_results, analysis="fit_quality", exposure=exposure)
        lines = []
        for model, name in MODELS.items():
            mine = {row["measure"]: row for row in found if row["model"] == model}
            cells = (
                _number(mine.get("events_per_coefficient"), 1.0, 0),
                _number(mine.get("share_above_one"), 100.0, 2, "%"),
            )
            if mine:
                lines.append((name, *cells))
        if lines:
            groups.append(Group(tuple(lines), report.protocol.exposures.scale(exposure).name))
    if not groups:
        return None
    columns = ("Model", "Cases per coefficient", "Participants with a fitted risk above 1")
    return Table("fit-table", "Fit of the main models", columns, tuple(groups))


def _controls(report: WaveReport) -> list[Markup]:
    tables = []
    for exposure in report.exposures:
        rows = chosen(report.own_results, analysis="negative_controls", exposure=exposure, measure="rr")
        main = chosen(report.own_results, analysis="main", exposure=exposure, measure="rr", model="adjusted")
        if rows:
            levels = [str(row["level"]) for row in by_level(main)[1:]]
            caption = (
                f"{report.protocol.exposures.scale(exposure).name}: calibrated by negative controls, fully adjusted"
            )
            entries = [("Main analysis", main), ("Calibrated", rows)]
            tables.append(table(variants_table(f"controls-{exposure}", caption, levels, entries)))
    if tables:
        return tables
    needed = report.protocol.negative_controls.fewest
    return [
        paragraph(
            f"No ratio is calibrated: at least {needed} controls of one role are needed, and fewer of those in the "
            "protocol could be estimated."
        )
    ]


def _number(row: dict[str, Any] | None, factor: float, decimals: int, unit: str = "") -> str:
    if row is None or row["status"] != "ok" or is_missing(row["estimate"]):
        return "not shown"
    return decimal(factor * float(row["estimate"]), decimals) + unit
