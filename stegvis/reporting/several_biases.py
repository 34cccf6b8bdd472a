"""Several biases at once: each alone and all together, from assumed priors."""

from __future__ import annotations

from stegvis.reporting.blocks import Section, paragraph, section, table
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.rows import chosen
from stegvis.reporting.tables import estimate_cell
from stegvis.reporting.wording import level_label

BIASES = {
    "none": "No bias: sampling error alone",
    "outcome_misclassification": "Misclassified outcome, differently by category",
    "exposure_misclassification": "Misclassified category, differently by outcome",
    "selection": "Selection by category and outcome",
    "unmeasured_confounding": "An unmeasured confounder",
    "all": "All of these together",
}
MEANING = (
    "No study measures its own biases. Here the highest category is compared with the lowest after a correction for "
    "each bias, and for all of them at once. Their sizes are drawn {draws:,} times from prior distributions that the "
    "protocol assumes, and the corrections are made in the reverse of the order in which the errors arise (Fox, "
    "MacLehose and Lash 2021, doi 10.1007/978-3-030-82673-4). The median and its {level:g}% simulation interval "
    "include sampling error. They are worth as much as the assumptions."
)


def several_biases(report: WaveReport) -> Section | None:
    """The highest category of each exposure, corrected; None where the protocol has no priors for it."""
    rules = report.protocol.combined_bias
    if rules is None:
        return None
    said = MEANING.format(draws=rules.draws, level=100 * report.protocol.models.confidence)
    found = table(_table(report))
    return section("biases", "Several biases at once", paragraph(said), found, short="Several biases")


def _table(report: WaveReport) -> Table | None:
    groups = []
    for exposure in report.exposures:
        rows = chosen(report.own_results, analysis="combined_bias", exposure=exposure, measure="rr")
        by_term = {str(row["term"]): row for row in rows}
        lines = tuple((name, estimate_cell(by_term[term])) for term, name in BIASES.items() if term in by_term)
        if lines:
            scale = report.protocol.exposures.scale(exposure)
            against = f"{level_label(str(rows[0]['level']))} against {level_label(str(rows[0]['reference']))}"
            groups.append(Group(lines, f"{scale.name}, {scale.unit}: {against}"))
    if not groups:
        return None
    columns = ("Corrected for", "Median RR (simulation interval)")
    return Table("biases-table", "Risk ratios of the highest category, corrected", columns, tuple(groups))
