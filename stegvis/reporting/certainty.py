"""Robustness to unmeasured confounding and loss to follow-up: E-values and tipping points of the main results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from stegvis.reporting.blocks import Section, definitions, paragraph, section, table
from stegvis.reporting.formatting import ratio
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.rows import chosen, comparisons
from stegvis.reporting.tables import NOT_ESTIMABLE, SUPPRESSED, e_value_cell, estimate_cell
from stegvis.reporting.wording import e_value_sentence, level_label, tipping_sentence
from stegvis.reporting.words import Words
from stegvis.study.protocol import Exposure

MEANING = (
    (
        "E-value",
        "how strong something unmeasured would have to be to explain an estimate by itself: so many times as common in "
        "one group as in the other, and at the same time so many times the risk of {outcome}. In brackets: to make the "
        "interval include 1.",
    ),
    (
        "Tipping point",
        "how many times as common {outcome} would have to be among the participants of a category who were lost to "
        "follow-up as among those followed, for the risk ratio in everyone to be 1. In brackets: for the limit "
        "nearest 1.",
    ),
    ("Both", "a value near 1 means that little would be enough. Neither says how likely that is."),
)


def certainty_sentences(row: Mapping[str, Any], results: pd.DataFrame, exposure: Exposure, words: Words) -> list[str]:
    """What E-value and tipping point of one ratio mean, each a name with its sentence; empty when there is neither."""
    e_value = e_value_sentence(row, words)
    point, near = tipping_points(row, results, exposure)
    said = [f"E-value {e_value_cell(row)}. {e_value}"] if e_value else []
    if point is not None and point["status"] == "ok":
        limit = near["estimate"] if near is not None and near["status"] == "ok" else None
        sentence = tipping_sentence(point["estimate"], limit, words)
        said.append(f"Tipping point {tipping_cell(row, results, exposure)}. {sentence}")
    return said


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
            (level_label(row["level"]), estimate_cell(row), e_value_cell(row), tipping_cell(row, results, exposure))
            for row in comparisons(results, exposure)
        )
        if rows:
            scale = report.protocol.exposures.scale(exposure)
            groups.append(Group(rows, f"{scale.name}, {scale.unit}"))
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
        definitions((name, meaning.format(outcome=report.words.outcome.name)) for name, meaning in MEANING),
        table(values) if groups else paragraph("No estimate is available for this wave."),
        short="Robustness",
    )
