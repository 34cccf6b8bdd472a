"""Sensitivity analyses, other cut points and other estimators."""

from __future__ import annotations

from typing import Any

import pandas as pd
from markupsafe import Markup

from stegvis.reporting.blocks import Section, drawing, folded, paragraph, section, subheading, table
from stegvis.reporting.forest import domain_of, ladder_plot
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.ratio_tables import ratios_table, variants_table
from stegvis.reporting.rows import by_level, chosen, highest
from stegvis.reporting.wording import plain
from stegvis.reporting.words import Words
from stegvis.study.protocol import Exposure, Protocol

SENSITIVITY = "sensitivity:"
ESTIMATORS = {
    "log_binomial": "Log-binomial model",
    "logistic_standardization": "Logistic model, standardized",
    "cox": "Cox model, one follow-up time",
}
OTHER_CUTS = {"fixed_cuts": "Fixed cut points", "sample_cuts": "Cut points of the sample"}
CAPTION = "Highest against lowest category, fully adjusted. Each analysis uses the cut points of its own sample."


def sensitivity(report: WaveReport) -> Section:
    """Figure and table of each exposure; other cut points and estimators are collapsed."""
    blocks: list[Markup] = []
    for exposure in report.exposures:
        blocks += _exposure(report, exposure)
    if not any(blocks):
        blocks = [paragraph("No sensitivity analysis is available for this wave.")]
    return section("sensitivity", "Sensitivity analyses", *blocks, short="Sensitivity")


def _exposure(report: WaveReport, exposure: Exposure) -> list[Markup]:
    results, scale = report.own_results, report.protocol.exposures.scale(exposure)
    analyses, entries = _analyses(results, exposure), _entries(report, exposure)
    domain = domain_of(row for each in report.exposures for _, row in _entries(report, each))
    if len(entries) < 2:
        return []
    heading = [f"{scale.name} and {report.words.outcome.name}", f"sensitivity analyses, wave {report.wave}"]
    identifier = f"sensitivity-{exposure}"
    groups = [("Main analysis", _rows(results, "main", exposure))]
    groups += [(name_of(each, report.words), _rows(results, each, exposure)) for each in analyses]
    numbers = ratios_table(
        f"{identifier}-table",
        f"{scale.name}: sensitivity analyses",
        f"{scale.name}, {scale.unit}",
        groups,
        report.protocol,
    )
    cuts = [(name, _rows(results, each, exposure)) for each, name in OTHER_CUTS.items()]
    other_cuts = ratios_table(f"cuts-{exposure}", f"{scale.name}: other cut points", scale.unit, cuts, report.protocol)
    return [
        subheading(scale.name, identifier),
        drawing(
            ladder_plot(entries, f"{identifier}-plot", heading, report.synthetic, report.protocol, domain),
            CAPTION,
            numbers,
        ),
        folded(
            "Other cut points and other estimators",
            table(other_cuts),
            table(_estimators(results, exposure, report.protocol)),
        ),
    ]


def _entries(report: WaveReport, exposure: Exposure) -> list[tuple[str, dict[str, Any]]]:
    """The main analysis and each sensitivity analysis, with the ratio of the highest category."""
    results = report.own_results
    main = highest(results, exposure, analysis="main", population="all")
    entries = [] if main is None else [("Main analysis", main)]
    for analysis in _analyses(results, exposure):
        row = highest(results, exposure, analysis=analysis)
        if row is not None:
            entries.append((name_of(analysis, report.words), row))
    return entries


def name_of(analysis: str, words: Words) -> str:
    """The printed name of a sensitivity analysis."""
    name = analysis.removeprefix(SENSITIVITY)
    return words.english.researchers.sensitivity.get(name, plain(name).capitalize())


def _analyses(results: pd.DataFrame, exposure: Exposure) -> list[str]:
    rows = results[(results["exposure"] == exposure) & results["analysis"].astype(str).str.startswith(SENSITIVITY)]
    return list(dict.fromkeys(rows["analysis"].astype(str)))


def _rows(results: pd.DataFrame, analysis: str, exposure: Exposure) -> list[dict[str, Any]]:
    return chosen(results, analysis=analysis, exposure=exposure, measure="rr")


def _estimators(results: pd.DataFrame, exposure: Exposure, protocol: Protocol) -> Any:
    main = by_level(chosen(results, analysis="main", exposure=exposure, model="adjusted", measure="rr"))
    others = chosen(results, analysis="cross_estimator", exposure=exposure)
    entries = [(name, [row for row in others if row["term"] == term]) for term, name in ESTIMATORS.items()]
    levels = [str(row["level"]) for row in main[1:]]
    caption = f"{protocol.exposures.scale(exposure).name}: the same ratios by other estimators, fully adjusted"
    if not others:
        return None
    return variants_table(f"estimators-{exposure}", caption, levels, [("Modified Poisson (main)", main), *entries])
