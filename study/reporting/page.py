"""The pages: one per wave and an index over all waves, each a single self-contained HTML text.

Belongs here: gathering figures, tables and sentences into a template's values. Does not belong here: drawing,
wording, number formats, writing files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from study.protocol import EXPOSURES, Exposure, protocol
from study.reporting.flow import flow_diagram
from study.reporting.forest import forest_plot
from study.reporting.formatting import count, decimal, interval_name, is_missing, limits, ratio
from study.reporting.inputs import IndexReport, WaveReport
from study.reporting.markup import Group, Table, environment, render_table, style_sheet
from study.reporting.rows import comparisons, headline, people_and_cases
from study.reporting.tables import (
    bridge_table,
    characteristics_table,
    checks_table,
    claims_table,
    deliveries_table,
    results_table,
    trend_table,
)
from study.reporting.wording import (
    OUTCOME,
    comparison_sentence,
    direction,
    e_value_sentence,
    is_shown,
    plain,
)

INDEX_FILE_NAME = "index.html"


def wave_file_name(wave: str) -> str:
    """The file name of a wave's page, the same that the index links to: ``wave-2021-2023.html``."""
    return f"wave-{re.sub(r'[^A-Za-z0-9-]+', '-', wave).strip('-')}.html"


def render_wave(inputs: WaveReport) -> str:
    """The page of one wave as a complete HTML document: no script, nothing loaded from elsewhere.

    Equal inputs give equal text. Sections without input say so rather than vanish.
    """
    results = inputs.rows(inputs.results)
    characteristics = inputs.rows(inputs.characteristics)
    flow = flow_diagram(inputs.rows(inputs.exclusion_steps), inputs.wave, inputs.synthetic)
    bridge = [each for each in inputs.bridge if str(each["wave"]) == inputs.wave]
    return (
        environment()
        .get_template("wave.html.j2")
        .render(
            **_shared(inputs.synthetic, inputs.provenance, inputs.checks, bridge),
            wave=inputs.wave,
            outcome=OUTCOME,
            headlines=[sentence for sentence in (_headline_sentence(results, each) for each in EXPOSURES) if sentence],
            flow=Markup(flow),  # finish() escaped every text in it
            characteristics=[_html(characteristics_table(characteristics, exposure)) for exposure in EXPOSURES],
            exposures=[_exposure_section(results, exposure, inputs) for exposure in EXPOSURES],
            claims=_html(claims_table(inputs.claims)),
        )
    )


def render_index(inputs: IndexReport) -> str:
    """The page over all waves, linking to each wave's page; a complete HTML document like a wave's."""
    return (
        environment()
        .get_template("index.html.j2")
        .render(
            **_shared(inputs.synthetic, inputs.provenance, inputs.checks, inputs.bridge, failed_only=True),
            outcome=OUTCOME,
            waves=_html(_waves_table(inputs.waves)),
            headlines=[
                (report.wave, sentence)
                for report in inputs.waves
                for sentence in (_headline_sentence(report.rows(report.results), each) for each in EXPOSURES)
                if sentence
            ],
            excluded_waves=inputs.excluded_waves,
        )
    )


def _shared(
    synthetic: bool,
    provenance: Mapping[str, Any],
    checks: Sequence[Mapping[str, Any]],
    bridge: Sequence[Mapping[str, Any]],
    failed_only: bool = False,
) -> dict[str, Any]:
    previous = provenance.get("previous_release")
    failed = [each for each in checks if not each["passed"]]
    return {
        "style": style_sheet(),
        "protocol": protocol(),
        "synthetic": synthetic,
        "provenance": provenance,
        "previous_release": None if is_missing(previous) else previous,
        "deliveries": _html(deliveries_table(provenance["deliveries"])),
        "number_of_checks": len(checks),
        "number_failed": len(failed),
        "checks": _html(checks_table(failed if failed_only else checks, "checks-table", "Data checks")),
        "bridge": _html(bridge_table(bridge)),
        "index_file_name": INDEX_FILE_NAME,
        "plain": plain,
    }


def _exposure_section(results: pd.DataFrame, exposure: Exposure, inputs: WaveReport) -> dict[str, Any]:
    leading = headline(results, exposure)
    return {
        "id": exposure.replace("_", "-"),
        "name": protocol().exposures.scale(exposure).name,
        "sentences": [comparison_sentence(row, exposure) for row in reversed(comparisons(results, exposure))],
        "e_value": "" if leading is None else e_value_sentence(leading, exposure),
        "forest": Markup(forest_plot(results, exposure, inputs.wave, inputs.synthetic)),  # escaped by finish()
        "results": _html(results_table(results, exposure)),
        "trend": _html(trend_table(results, exposure)),
    }


def _headline_sentence(results: pd.DataFrame, exposure: Exposure) -> str:
    row = headline(results, exposure)
    return "" if row is None else comparison_sentence(row, exposure)


def _waves_table(waves: Sequence[WaveReport]) -> Table | None:
    rows = []
    for report in waves:
        results = report.rows(report.results)
        people, cases = people_and_cases(results)
        share = f" ({decimal(100 * cases / people)}%)" if people and cases is not None else ""
        failed = sum(not each["passed"] for each in report.checks)
        link = Markup('<a href="{}">{}</a>').format(wave_file_name(report.wave), report.wave)
        estimates = [_headline_cell(headline(results, exposure)) for exposure in EXPOSURES]
        rows.append((link, count(people), count(cases) + share, *estimates, str(failed)))
    if not rows:
        return None
    names = [f"{protocol().exposures.scale(exposure).name}: RR ({interval_name()})" for exposure in EXPOSURES]
    return Table(
        identifier="waves-table",
        caption="Analyzed waves, with the fully adjusted risk ratio (RR) of the highest against the lowest category",
        columns=("Wave", "People", "Cases", *names, "Failed checks"),
        groups=(Group(tuple(rows)),),
    )


def _headline_cell(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "–"
    if not is_shown(row):
        return direction(row)
    return f"{ratio(row['estimate'])} ({limits(row['ci_low'], row['ci_high'])})"


def _html(table: Table | None) -> Markup:
    return Markup("") if table is None else render_table(table)
