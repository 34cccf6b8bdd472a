"""Robustness to unmeasured confounding and loss to follow-up: E-values and tipping points of the main results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from stegvis.reporting.blocks import Section, folded, note, pair, paragraph, section, table
from stegvis.reporting.formatting import is_missing, ratio
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.rows import chosen, comparisons
from stegvis.reporting.tables import NOT_ESTIMABLE, SUPPRESSED, e_value_cell
from stegvis.reporting.wording import e_value_sentence, is_shown, level_label, tipping_sentence
from stegvis.reporting.words import Words, capitalized
from stegvis.study.protocol import Exposure

MEANING = (
    (
        "E-value",
        "How strong something unmeasured would have to be to explain an estimate by itself: so many times as common in "
        "one group as in the other, and at the same time so many times the risk of {outcome}. In brackets: to make the "
        "interval include 1.",
    ),
    (
        "Tipping point",
        "How many times as common {outcome} would have to be among the participants of a category who were lost to "
        "follow-up as among those followed, for the risk ratio in everyone to be 1. In brackets: for the limit "
        "nearest 1.",
    ),
)
NEITHER = "A value near 1 means that little would be enough. Neither says how likely that is."


def certainty_line(row: Mapping[str, Any], results: pd.DataFrame, exposure: Exposure) -> str:
    """E-value and tipping point of one ratio in one line; empty when there is neither."""
    e_value = f"E-value {e_value_cell(row)}" if is_shown(row) and not is_missing(row["e_value"]) else ""
    tipping = tipping_cell(row, results, exposure)
    shown = f"tipping point {tipping}" if tipping not in (NOT_ESTIMABLE, SUPPRESSED, "–") else ""
    return f"{capitalized(', '.join(filter(None, (e_value, shown))))}." if e_value or shown else ""


def certainty_sentences(row: Mapping[str, Any], results: pd.DataFrame, exposure: Exposure, words: Words) -> list[str]:
    """What E-value and tipping point of one ratio mean, a sentence or two each; empty when there is neither."""
    point, near = tipping_points(row, results, exposure)
    tipping = ""
    if point is not None and point["status"] == "ok":
        limit = near["estimate"] if near is not None and near["status"] == "ok" else None
        tipping = tipping_sentence(point["estimate"], limit, words)
    return [each for each in (e_value_sentence(row, words), tipping) if each]


def tipping_points(
    row: Mapping[str, Any], results: pd.DataFrame, exposure: Exposure
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The rows with the tipping point of a ratio and of its limit nearest 1."""
    rows = chosen(results, analysis="tipping_point", exposure=exposure, level=row["level"])
    found = {each["measure"]: each for each in rows}
    return found.get("tipping_point"), found.get("tipping_point_limit")


def tipping_cell(row: Mapping[str, Any], results: pd.DataFrame, exposure: Exposure) -> str:
    """The tipping point of a ratio and, in brackets, of its limit."""
    point, near = tipping_points(row, results, exposure)
    if point is None:
        return "–"
    if point["status"] != "ok":
        return SUPPRESSED if point["status"] == "suppressed" else NOT_ESTIMABLE
    shown = ratio(point["estimate"])
    return shown if near is None or near["status"] != "ok" else f"{shown} ({ratio(near['estimate'])})"


def certainty(report: WaveReport) -> Section:
    """E-values and tipping points of every ratio of the main results."""
    results = report.own_results
    groups = []
    for exposure in report.exposures:
        rows = tuple(
            (level_label(row["level"]), e_value_cell(row), tipping_cell(row, results, exposure))
            for row in comparisons(results, exposure)
        )
        if rows:
            scale = report.protocol.exposures.scale(exposure)
            groups.append(Group(rows, f"{scale.name}, {scale.unit}"))
    values = Table(
        "certainty-table",
        "E-values and tipping points of the fully adjusted risk ratios",
        ("Category", "E-value (interval)", "Tipping point (interval)"),
        tuple(groups),
        note="E-values: VanderWeele and Ding 2017, doi 10.7326/M16-2607.",
    )
    return section(
        "certainty",
        "E-values and tipping points",
        pair(*(_explained(name, meaning, report.words) for name, meaning in MEANING)),
        note(NEITHER),
        folded("E-value and tipping point of each category", table(values))
        if groups
        else paragraph("No estimate is available for this wave."),
        short="Robustness",
    )


def _explained(name: str, meaning: str, words: Words) -> Markup:
    return paragraph(Markup("<strong>{}.</strong> {}").format(name, meaning.format(outcome=words.outcome.name)))
