"""The main results of both exposures: forest plot, table, tests and sentences."""

from __future__ import annotations

from markupsafe import Markup

from stegvis.reporting.blocks import Section, bullets, drawing, paragraph, section, subheading, table
from stegvis.reporting.forest import domain_of, forest_plot
from stegvis.reporting.formatting import interval_name
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.rows import comparisons, main_risk_ratios, records
from stegvis.reporting.tables import results_table, trend_table
from stegvis.reporting.wording import comparison_sentence
from stegvis.study.protocol import Exposure


def main_results(report: WaveReport) -> Section:
    """Each exposure, age-adjusted and fully adjusted."""
    blocks = [block for exposure in report.exposures for block in _exposure(report, exposure)]
    return section("results", "Main results", *blocks, short="Results")


def _exposure(report: WaveReport, exposure: Exposure) -> list[Markup]:
    results, name = report.own_results, report.protocol.exposures.scale(exposure).name
    heading = subheading(name, exposure.replace("_", "-"))
    estimates = results_table(results, exposure, report.words)
    if estimates is None:
        return [heading, paragraph(f"No estimate of {name.lower()} is available for this wave.")]
    caption = f"Points are risk ratios against the lowest category, lines their {interval_name(report.protocol)}."
    # One axis for both exposures.
    domain = domain_of(row for each in report.exposures for row in records(main_risk_ratios(results, each)))
    return [
        heading,
        bullets(comparison_sentence(row, exposure, report.words) for row in reversed(comparisons(results, exposure))),
        drawing(forest_plot(results, exposure, report.wave, report.synthetic, report.words, domain), caption),
        table(estimates),
        table(trend_table(results, exposure, report.protocol)),
    ]
