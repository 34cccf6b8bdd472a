"""Robustness to unmeasured confounding and loss to follow-up: E-values and tipping points of the main results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from stegvis.reporting.blocks import Section, bullets, paragraph, section, table
from stegvis.reporting.formatting import is_missing, ratio
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.rows import chosen, comparisons, headline
from stegvis.reporting.tables import NOT_ESTIMABLE, SUPPRESSED, e_value_cell, estimate_cell
from stegvis.reporting.wording import e_value_sentence, is_shown, level_label
from stegvis.study.protocol import Exposure

MEANING = (
    "The E-value is the strength of association, as a risk ratio with both walking and {outcome}, that a single "
    "unmeasured confounder would need to account for an estimate by itself; in brackets, for its interval to include "
    "1.",
    "The tipping point is the ratio of the risk among participants lost to follow-up in the category to the risk among "
    "those followed at which the risk ratio in everyone would be 1; in brackets, for the limit nearest 1.",
    "Values near 1 mean that little bias would be enough. Neither measure says how likely such a bias is.",
)


def certainty_sentence(row: Mapping[str, Any], results: pd.DataFrame, exposure: Exposure) -> str:
    """E-value and tipping point of one ratio in one line; empty when there is neither."""
    parts = []
    if is_shown(row) and not is_missing(row["e_value"]):
        parts.append(f"E-value {e_value_cell(row)}")
    tipping = tipping_cell(row, results, exposure)
    if tipping not in (NOT_ESTIMABLE, SUPPRESSED, "–"):
        parts.append(f"tipping point {tipping}")
    return f"Robustness: {', '.join(parts)}; in brackets, for the interval to include 1." if parts else ""


def tipping_cell(row: Mapping[str, Any], results: pd.DataFrame, exposure: Exposure) -> str:
    """The tipping point of a ratio and, in brackets, of its limit."""
    rows = chosen(results, analysis="tipping_point", exposure=exposure, level=row["level"])
    found = {each["measure"]: each for each in rows}
    point = found.get("tipping_point")
    if point is None:
        return "–"
    if point["status"] != "ok":
        return SUPPRESSED if point["status"] == "suppressed" else NOT_ESTIMABLE
    near = found.get("tipping_point_limit")
    shown = ratio(point["estimate"])
    return shown if near is None or near["status"] != "ok" else f"{shown} ({ratio(near['estimate'])})"


def certainty(report: WaveReport) -> Section:
    """E-values and tipping points of every ratio of the main results."""
    results = report.own_results
    groups, sentences = [], []
    for exposure in report.exposures:
        rows = tuple(
            (level_label(row["level"]), estimate_cell(row), e_value_cell(row), tipping_cell(row, results, exposure))
            for row in comparisons(results, exposure)
        )
        if rows:
            scale = report.protocol.exposures.scale(exposure)
            groups.append(Group(rows, f"{scale.name}, {scale.unit}"))
        leading = headline(results, exposure)
        sentences.append("" if leading is None else e_value_sentence(leading, exposure, report.words))
    values = Table(
        "certainty-table",
        "E-values and tipping points of the fully adjusted risk ratios",
        ("Category", "Risk ratio (interval)", "E-value (interval)", "Tipping point (interval)"),
        tuple(groups),
        note="E-values: VanderWeele and Ding 2017, doi 10.7326/M16-2607.",
    )
    return section(
        "certainty",
        "E-values and tipping points",
        bullets(each.format(outcome=report.words.outcome.name) for each in MEANING),
        table(values) if groups else paragraph("No estimate is available for this wave."),
        bullets(sentence for sentence in sentences if sentence),
        short="Robustness",
    )
