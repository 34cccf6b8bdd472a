"""Subgroups and interactions, one exposure within categories of the other, and mutual adjustment."""

from __future__ import annotations

from typing import Any

import pandas as pd
from markupsafe import Markup

from stegvis.reporting.blocks import Section, drawing, folded, note, section, subheading, table
from stegvis.reporting.forest import domain_of, ladder_plot
from stegvis.reporting.formatting import p_value
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.ratio_tables import ratios_table
from stegvis.reporting.rows import by_level, chosen, highest
from stegvis.reporting.tables import estimate_cell
from stegvis.reporting.wording import level_label, plain
from stegvis.study.protocol import EXPOSURES, Exposure, Protocol

WITHIN = {"walking_minutes": "within_intensity", "walking_met": "within_volume"}
TESTS = {"p_likelihood_ratio": "Likelihood-ratio test", "p_interaction": "Robust Wald test"}
CAPTION = "Highest against lowest category, fully adjusted, with the cut points of the whole sample."
NO_DIFFERENCE = (
    "An association in one subgroup but not in another does not show that the subgroups differ; the tests of "
    "interaction address that."
)


def mutual(report: WaveReport) -> Section | None:
    """Each exposure adjusted for the other; None where there is only one."""
    if len(report.exposures) < 2:
        return None
    tables = []
    for exposure in report.exposures:
        scale, other = report.protocol.exposures.scale(exposure), report.words.other_exposure(exposure)
        groups = [
            ("Main analysis", _ratios(report.own_results, "main", exposure)),
            (
                f"Adjusted for {other} (one linear term)",
                _ratios(report.own_results, "mutual", exposure),
            ),
            (
                f"Adjusted for the categories of {other}",
                _ratios(report.own_results, "mutual_categories", exposure),
            ),
        ]
        caption = f"{scale.name}, adjusted for {other}"
        tables.append(
            table(ratios_table(f"mutual-{exposure}", caption, f"{scale.name}, {scale.unit}", groups, report.protocol))
        )
    return section("mutual", "Each exposure adjusted for the other", *tables, short="Mutual adjustment")


def strata(report: WaveReport) -> Section:
    """Age and sex: figure, table and interaction tests; then one exposure within the other."""
    blocks: list[Markup] = [note(NO_DIFFERENCE)]
    protocol = report.protocol
    every = {each: _entries(report.own_results, "stratified", each, protocol) for each in report.exposures}
    domain = domain_of(row for entries in every.values() for _, row in entries)
    for exposure, entries in every.items():
        scale = report.protocol.exposures.scale(exposure)
        populations = _populations(report.own_results, "stratified", exposure)
        heading = [f"{scale.name} and {report.words.outcome.name}", f"by subgroup, wave {report.wave}"]
        identifier = f"strata-{exposure}"
        groups = [
            (label(each, protocol), _ratios(report.own_results, "stratified", exposure, each)) for each in populations
        ]
        numbers = ratios_table(f"{identifier}-table", f"{scale.name} by age and sex", scale.unit, groups, protocol)
        blocks += [
            subheading(f"{scale.name} by age and sex", identifier),
            drawing(
                ladder_plot(entries, identifier + "-plot", heading, report.synthetic, protocol, domain),
                CAPTION,
                numbers,
            ),
            table(_interaction_table(report, exposure)),
        ]
        if len(report.exposures) > 1:
            blocks.append(_within(report, exposure))
    return section("strata", "Subgroups and interactions", *blocks, short="Subgroups")


def label(population: str, protocol: Protocol) -> str:
    """The printed name of a subgroup: ``walking_minutes <125`` is ``Walking volume <125 min/day``."""
    for exposure in EXPOSURES:
        if population.startswith(exposure + " "):
            scale = protocol.exposures.scale(exposure)
            return f"{scale.name} {level_label(population.removeprefix(exposure + ' '))} {scale.unit}"
    if population.startswith("age"):
        return f"Age {level_label(population.removeprefix('age'))}"
    return plain(population).capitalize()


def _within(report: WaveReport, exposure: Exposure) -> Markup:
    analysis = WITHIN[exposure]
    populations = _populations(report.own_results, analysis, exposure)
    scale = report.protocol.exposures.scale(exposure)
    groups = [
        (label(each, report.protocol), _ratios(report.own_results, analysis, exposure, each)) for each in populations
    ]
    caption = f"{scale.name} within categories of {report.words.other_exposure(exposure)}"
    ratios = ratios_table(f"{analysis}-table", caption, f"{scale.name}, {scale.unit}", groups, report.protocol)
    return folded(caption, table(ratios))


def _ratios(results: pd.DataFrame, analysis: str, exposure: Exposure, population: str = "all") -> list[dict[str, Any]]:
    return chosen(results, analysis=analysis, exposure=exposure, population=population, measure="rr")


def _populations(results: pd.DataFrame, analysis: str, exposure: Exposure) -> list[str]:
    rows = chosen(results, analysis=analysis, exposure=exposure, measure="rr")
    return list(dict.fromkeys(str(row["population"]) for row in rows))


def _entries(
    results: pd.DataFrame, analysis: str, exposure: Exposure, protocol: Protocol
) -> list[tuple[str, dict[str, Any]]]:
    populations = _populations(results, analysis, exposure)
    everyone = highest(results, exposure, analysis="main", population="all")
    entries = [] if everyone is None or not populations else [("Everyone", everyone)]
    for population in populations:
        row = highest(results, exposure, analysis=analysis, population=population)
        if row is not None:
            entries.append((label(population, protocol), row))
    return entries


def _interaction_table(report: WaveReport, exposure: Exposure) -> Table | None:
    results, protocol = report.own_results, report.protocol
    groups, age = [], protocol.covariates.older_from_age
    for term, name in (("older", f"Age ({age} and over against under {age})"), ("sex", "Sex (men against women)")):
        rows = chosen(results, analysis="interaction", exposure=exposure, term=f"{exposure}_category x {term}")
        lines = [
            (TESTS[row["measure"]], p_value(row["p_value"]) if row["status"] == "ok" else "not estimable")
            for row in rows
            if row["measure"] in TESTS
        ]
        ratios = by_level([row for row in rows if row["measure"] == "ratio_of_rr"])
        lines += [(f"Ratio of risk ratios, {level_label(row['level'])}", estimate_cell(row)) for row in ratios[1:]]
        if lines:
            groups.append(Group(tuple(lines), name))
    if not groups:
        return None
    caption = f"{protocol.exposures.scale(exposure).name}: interaction"
    note = "" if exposure == "walking_minutes" else report.words.english.researchers.interaction_note
    return Table(f"interaction-{exposure}", caption, ("Test or ratio", "Value"), tuple(groups), note=note)
