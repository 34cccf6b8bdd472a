"""How sure one can be: E-values and tipping points of the main results.

Belongs here: what would have to be wrong for a headline to be none. Does not belong here: computing either.
"""

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
from stegvis.study.protocol import EXPOSURES, Exposure

MEANING = (
    "The E-value is the strength, as a risk ratio with both walking and low back pain, that one unmeasured "
    "confounder would "
    "need to account for an estimate by itself; in brackets, for its interval to include 1.",
    "The tipping point is how many times the risk of the followed people those lost to follow-up in the category would "
    "need, for the ratio in everyone to be 1; in brackets, for the limit nearest 1.",
    "Near 1 either says: little would be enough. Neither says how likely such a confounder or such a loss is.",
)


def certainty_sentence(row: Mapping[str, Any], results: pd.DataFrame, exposure: Exposure) -> str:
    """E-value and tipping point of one ratio in a line; empty when there is neither."""
    parts = []
    if is_shown(row) and not is_missing(row["e_value"]):
        parts.append(f"E-value {e_value_cell(row)}")
    tipping = tipping_cell(row, results, exposure)
    if tipping not in (NOT_ESTIMABLE, SUPPRESSED, "–"):
        parts.append(f"tipping point {tipping}")
    return f"How sure: {', '.join(parts)}; in brackets, for the interval to include 1." if parts else ""


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
    """E-values and tipping points beside every ratio of the main results."""
    results = report.own_results
    groups, sentences = [], []
    for exposure in EXPOSURES:
        rows = tuple(
            (level_label(row["level"]), estimate_cell(row), e_value_cell(row), tipping_cell(row, results, exposure))
            for row in comparisons(results, exposure)
        )
        if rows:
            scale = report.protocol.exposures.scale(exposure)
            groups.append(Group(rows, f"{scale.name}, {scale.unit}"))
        leading = headline(results, exposure)
        sentences.append("" if leading is None else e_value_sentence(leading, exposure, report.protocol))
    made = Table(
        "certainty-table",
        "E-values and tipping points of the fully adjusted risk ratios",
        ("Category", "Risk ratio (interval)", "E-value (interval)", "Tipping point (interval)"),
        tuple(groups),
        note="E-values: VanderWeele and Ding 2017, doi 10.7326/M16-2607.",
    )
    return section(
        "certainty",
        "How sure one can be",
        bullets(MEANING),
        table(made) if groups else paragraph("No estimate is available for this wave."),
        bullets(sentence for sentence in sentences if sentence),
        short="Certainty",
    )
