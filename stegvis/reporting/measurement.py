"""Measurement error: reliability of days of walking, and misclassification of the reported outcome."""

from __future__ import annotations

from stegvis.reporting.blocks import Section, bullets, section, table
from stegvis.reporting.formatting import limits, ratio
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.ratio_tables import variants_table
from stegvis.reporting.rows import by_level, chosen
from stegvis.reporting.wording import is_shown
from stegvis.study.numbers_in_words import number_in_words

MEANING = (
    "Walking was measured for up to {days} days. Days vary, so individual means are measured with error, which biases "
    "associations towards the null. The corrected trend allows for variation between these days, not for change "
    "over years.",
    "{reported} The corrected ratios assume a sensitivity and a specificity that are the same in "
    "all categories; the probabilistic ones draw both from wide prior distributions.",
)
MISREPORTED = {
    "main": "Main analysis",
    "misclassification": "Corrected, fixed assumptions",
    "misclassification_probabilistic": "Corrected, probabilistic assumptions",
}


def measurement(report: WaveReport) -> Section:
    """Reliability with the corrected trend, and ratios corrected for misclassification."""
    results = report.own_results
    tables = []
    for exposure in report.exposures:
        rows = {each: chosen(results, analysis=each, exposure=exposure, measure="rr") for each in MISREPORTED}
        levels = [str(row["level"]) for row in by_level(rows["main"]) if row["level"] != row["reference"]]
        caption = (
            f"{report.protocol.exposures.scale(exposure).name}: corrected for misclassified "
            f"{report.words.outcome.shortest}, fully adjusted"
        )
        entries = [(name, rows[each]) for each, name in MISREPORTED.items()]
        if any(rows[each] for each in list(MISREPORTED)[1:]):
            tables.append(
                table(variants_table(f"misreported-{exposure}", caption, list(dict.fromkeys(levels)), entries))
            )
    days = number_in_words(report.protocol.days.days_per_recording, "en")
    reported = report.words.english.researchers.reported
    return section(
        "measurement",
        "Measurement error",
        bullets(each.format(days=days, reported=reported) for each in MEANING),
        table(_reliability(report)),
        *tables,
        short="Measurement",
    )


def _reliability(report: WaveReport) -> Table | None:
    groups = []
    for exposure in report.exposures:
        rows = chosen(report.own_results, analysis="regression_dilution", exposure=exposure, model="adjusted")
        trend = chosen(report.own_results, analysis="trend", exposure=exposure, model="adjusted")
        lines = []
        for measure, name in (("icc", "Reliability of one day"), ("reliability", "Reliability of individual means")):
            lines += [(name, _cell(row)) for row in rows if row["measure"] == measure]
        lines += [
            (f"Risk ratio {row['level']}, as measured", _cell(row))
            for row in trend
            if row["term"] == f"{exposure}_linear"
        ]
        lines += [(f"Risk ratio {row['level']}, corrected", _cell(row)) for row in rows if row["measure"] == "rr"]
        if lines:
            groups.append(Group(tuple(lines), report.protocol.exposures.scale(exposure).name))
    if not groups:
        return None
    caption = "Days of walking: reliability and corrected trend"
    return Table("reliability-table", caption, ("Measure", "Estimate (interval)"), tuple(groups))


def _cell(row: dict[str, object]) -> str:
    return f"{ratio(row['estimate'])} ({limits(row['ci_low'], row['ci_high'])})" if is_shown(row) else "not estimable"
