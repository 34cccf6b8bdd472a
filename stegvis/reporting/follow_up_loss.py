"""Loss to follow-up and missing covariates: inverse-probability weights, balance and multiple imputation."""

from __future__ import annotations

from typing import Any

from stegvis.reporting.blocks import Section, folded, note, paragraph, section, table
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.ratio_tables import variants_table
from stegvis.reporting.rows import by_level, chosen
from stegvis.reporting.selection import probabilities_table, selection_weights_table, weight_columns, weight_lines

VARIANTS = {
    "main": "Main analysis",
    "attrition_weighted": "Inverse-probability weights",
    "attrition_weighted:estimated_weights": "The same, allowing for estimated weights",
    "attrition_weighted:truncated_1_99": "Weights truncated at 1% and 99%",
    "attrition_weighted:truncated_5_95": "Weights truncated at 5% and 95%",
    "selection_weighted": "Weights from the whole cohort",
    "selection_weighted:estimated_weights": "The same, allowing for their estimation",
    "imputed": "Multiple imputation of missing covariates",
}
MEANING = (
    "Some participants were lost to follow-up, and some have missing covariates. Inverse-probability weights make the "
    "respondents represent everyone eligible, or the whole cohort; multiple imputation includes those with missing "
    "covariates. All of them correct only for measured differences; the tipping points show how large an unmeasured "
    "difference would have to be."
)


def follow_up_loss(report: WaveReport) -> Section:
    """Main, weighted and imputed ratios side by side; balance and weights are collapsed."""
    results = report.own_results
    tables = []
    for exposure in report.exposures:
        rows = {each: chosen(results, analysis=each, exposure=exposure, measure="rr") for each in VARIANTS}
        levels = [str(row["level"]) for row in by_level(rows["main"]) if row["level"] != row["reference"]]
        caption = f"{report.protocol.exposures.scale(exposure).name}: main, weighted and imputed, fully adjusted"
        entries = [(name, rows[each]) for each, name in VARIANTS.items()]
        tables.append(table(variants_table(f"loss-{exposure}", caption, list(dict.fromkeys(levels)), entries)))
    return section(
        "loss",
        "Loss to follow-up: inverse-probability weights; missing covariates",
        paragraph(MEANING),
        *tables,
        folded(
            "Balance and weights",
            table(_balance(report)),
            note(BALANCE_NOTE),
            table(_weights(report)),
            table(selection_weights_table(report)),
            table(probabilities_table(report)),
        ),
        short="Loss to follow-up",
    )


BALANCE_NOTE = (
    "Standardized differences between respondents and participants lost to follow-up; above 0.1 they deserve attention "
    "(Austin 2009, doi 10.1002/sim.3697)."
)


def _balance(report: WaveReport) -> Table | None:
    rows = chosen(report.own_results, analysis="attrition_balance", status="ok")
    found: dict[str, dict[str, dict[str, str]]] = {}
    for row in rows:
        level = "" if row["level"] is None or row["level"] != row["level"] else str(row["level"])
        by_level_of = found.setdefault(str(row["term"]), {}).setdefault(level, {})
        by_level_of[str(row["measure"])] = _signed(row["estimate"])
    groups = []
    for term, levels in found.items():
        name = report.words.variable(term)
        lines = tuple(
            (level or name, values.get("smd", "–"), values.get("smd_weighted", "–")) for level, values in levels.items()
        )
        groups.append(Group(lines, "" if list(levels) == [""] else name))
    if not groups:
        return None
    columns = ("Characteristic", "Unweighted", "Weighted")
    return Table("balance-table", "Respondents against participants lost to follow-up", columns, tuple(groups))


def _signed(value: Any) -> str:
    text = f"{float(value):+.2f}".replace("-", "−")
    return "0.00" if text.endswith("0.00") else text


def _weights(report: WaveReport) -> Table | None:
    groups = []
    for exposure in report.exposures:
        rows = chosen(
            report.own_results, analysis="attrition_weights", population="all", exposure=exposure, status="ok"
        )
        if lines := weight_lines(rows):
            groups.append(Group(lines, report.protocol.exposures.scale(exposure).name))
    if not groups:
        return None
    return Table("weights-table", "The weights", weight_columns(report), tuple(groups))
