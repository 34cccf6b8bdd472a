"""The main results of a wave: one table of both exposures, their forest plots, and the tests over all categories."""

from __future__ import annotations

from markupsafe import Markup

from stegvis.reporting.asked_first import asked_first
from stegvis.reporting.blocks import Section, drawing, link, note, paragraph, section, table
from stegvis.reporting.file_names import COMMANDS, details_file_name
from stegvis.reporting.forest import domain_of, forest_plot
from stegvis.reporting.formatting import interval_name
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.rows import main_risk_ratios, records
from stegvis.reporting.tables import results_table, trend_table

# Anchors of the page of further analyses.
FURTHER = {
    "joint": "volume and intensity together",
    "mutual": "each exposure adjusted for the other",
    "strata": "women, men and age groups",
    "sensitivity": "sensitivity analyses",
    "loss": "loss to follow-up",
    "vital": "deaths and emigrations",
    "absolute": "risks and differences",
}
OF_BOTH = ("joint", "mutual")


def main_results(report: WaveReport) -> Section:
    """Each exposure, age-adjusted and fully adjusted; a sentence in place of one without an estimate."""
    results, words = report.own_results, report.words
    absent = [each for each in report.exposures if main_risk_ratios(results, each).empty]
    names = {each: report.protocol.exposures.scale(each).name.lower() for each in report.exposures}
    # One axis for both exposures.
    domain = domain_of(row for each in report.exposures for row in records(main_risk_ratios(results, each)))
    caption = f"Points are risk ratios against the lowest category, lines their {interval_name(report.protocol)}."
    return section(
        "results",
        "Main results",
        table(results_table(results, report.exposures, words)),
        *(paragraph(f"No estimate of {names[each]} is available for this wave.") for each in absent),
        *(
            drawing(forest_plot(results, each, report.wave, report.synthetic, words, domain), caption)
            for each in report.exposures
        ),
        asked_first(report, *(table(trend_table(results, each, report.protocol)) for each in names)),
        note(_further(report)),
        short="Results",
    )


def _further(report: WaveReport) -> Markup:
    """Links to what is asked next of the main results."""
    page = details_file_name(report.wave)
    shown = [(f"{page}#{anchor}", name) for anchor, name in FURTHER.items() if _has(report, anchor)]
    shown.append((COMMANDS, "commands in R and Stata"))
    return Markup("Further analyses: {}.").format(Markup(", ").join(link(*each) for each in shown))


def _has(report: WaveReport, anchor: str) -> bool:
    return len(report.exposures) > 1 or anchor not in OF_BOTH
