"""Data quality: every check, and the diagnostics of the models."""

from __future__ import annotations

from stegvis.reporting.blocks import Section, folded, paragraph, section, table
from stegvis.reporting.formatting import is_missing
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.markup import Group, Table, tag
from stegvis.reporting.overlap import DIAGNOSTICS as OVERLAP_DIAGNOSTICS
from stegvis.reporting.rows import chosen
from stegvis.reporting.tables import checks_table
from stegvis.reporting.wording import plain

NAMES = {
    "largest_smd_weighted": "Largest weighted standardized difference",
    "smallest_probability": "Smallest probability of response",
    "ess_share": "Effective sample size, as a share",
    "selection_probability": "Smallest probability of a step from the whole cohort",
    "selection_ess_share": "Effective sample size of weights from the whole cohort, as a share",
    "minimum_detectable_rr": "Minimum detectable risk ratio",
    "events_per_coefficient": "Cases per coefficient",
    "share_above_one": "Share of fitted risks above 1",
}
# Of overlap, by name: their measures are those of the weights.
OVERLAP = {name: f"Overlap: {words}" for name, words in OVERLAP_DIAGNOSTICS.items()}
LEVEL_KINDS = {"pass": "good", "warning": "neutral", "fail": "bad"}


def quality(report: WaveReport) -> Section:
    """All checks of a wave, those that passed collapsed; then the diagnostics."""
    smallest_count = report.protocol.disclosure.smallest_count
    passed, failed = ([each for each in report.checks if bool(each["passed"]) is wanted] for wanted in (True, False))
    sentence = f"{len(report.checks)} checks, {len(failed)} failed."
    return section(
        "quality",
        "Data quality",
        paragraph(sentence if report.checks else "No check is recorded."),
        table(checks_table(failed, "checks-table", "Checks that failed", smallest_count)),
        folded(
            "The checks that passed", table(checks_table(passed, "passed-table", "Checks that passed", smallest_count))
        ),
        table(_diagnostics(report)),
    )


def _diagnostics(report: WaveReport) -> Table | None:
    names: dict[str, str] = {each: report.protocol.exposures.scale(each).name.lower() for each in report.exposures}
    lines = tuple(
        (
            OVERLAP.get(str(row["term"])) or NAMES.get(str(row["measure"]), plain(str(row["measure"])).capitalize()),
            names.get(str(row["exposure"]), "both"),
            "–" if is_missing(row["estimate"]) else f"{float(row['estimate']):.3g}",
            tag(str(row["level"]), LEVEL_KINDS.get(str(row["level"]), "neutral")),
        )
        for row in chosen(report.own_results, analysis="diagnostics")
    )
    if not lines:
        return None
    columns = ("Diagnostic", "Exposure", "Value", "Result")
    note = "The protocol sets the thresholds. Estimates that depend on a failed diagnostic are not published."
    return Table("diagnostics-table", "Diagnostics of the models", columns, (Group(lines),), note, numeric=False)
