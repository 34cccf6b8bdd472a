"""Data quality: every check, and the diagnostics of the models.

Belongs here: what was checked, and what did not hold. Does not belong here: checking.
"""

from __future__ import annotations

from stegvis.reporting.blocks import Section, paragraph, section, table
from stegvis.reporting.formatting import is_missing
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.markup import Group, Table, tag
from stegvis.reporting.rows import chosen
from stegvis.reporting.tables import checks_table
from stegvis.reporting.wording import plain
from stegvis.study.protocol import EXPOSURES

NAMES = {
    "largest_smd_weighted": "Largest weighted difference of who answered",
    "smallest_probability": "Smallest probability of answering",
    "ess_share": "Effective sample size, as a share",
    "minimum_detectable_rr": "Smallest risk ratio that would be found",
    "events_per_coefficient": "Cases per coefficient",
    "share_above_one": "Share of fitted risks above 1",
}
VERDICTS = {"pass": "good", "warning": "neutral", "fail": "bad"}


def quality(report: WaveReport) -> Section:
    """All checks behind a wave, failed ones first; then the diagnostics."""
    failed = sum(not each["passed"] for each in report.checks)
    said = f"{len(report.checks)} checks, {failed} failed. Failed checks come first."
    return section(
        "quality",
        "Data quality",
        paragraph(said if report.checks else "No check is recorded."),
        table(checks_table(report.checks, "checks-table", "Data checks", report.protocol.disclosure.smallest_count)),
        table(_diagnostics(report)),
    )


def _diagnostics(report: WaveReport) -> Table | None:
    names: dict[str, str] = {each: report.protocol.exposures.scale(each).name.lower() for each in EXPOSURES}
    lines = tuple(
        (
            NAMES.get(str(row["measure"]), plain(str(row["measure"])).capitalize()),
            names.get(str(row["exposure"]), "both"),
            "–" if is_missing(row["estimate"]) else f"{float(row['estimate']):.3g}",
            tag(str(row["level"]), VERDICTS.get(str(row["level"]), "neutral")),
        )
        for row in chosen(report.own_results, analysis="diagnostics")
    )
    if not lines:
        return None
    columns = ("Diagnostic", "Exposure", "Value", "Verdict")
    note = "The thresholds are the protocol's; a failure withholds the estimates that rest on it."
    return Table("diagnostics-table", "Diagnostics of the models", columns, (Group(lines),), note, numeric=False)
