"""Deaths and emigrations on the page of further analyses: states and risks by category, and bounds for the dead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stegvis.analyses.death_bounds import BOUNDS
from stegvis.analyses.follow_up_states import EVENTS, INCIDENCE_ANALYSIS, STATES_ANALYSIS
from stegvis.analyses.living import STATES
from stegvis.reporting.absolute import percent_cell
from stegvis.reporting.blocks import Section, note, paragraph, section, table
from stegvis.reporting.estimand import estimand, is_known
from stegvis.reporting.formatting import count, interval_name, is_missing, ratio
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.rows import chosen
from stegvis.reporting.tables import NOT_ESTIMABLE, SUPPRESSED
from stegvis.reporting.wording import level_label
from stegvis.study.protocol import Exposure

UNKNOWN = (
    "No registry of deaths and emigrations was delivered. Weights and tipping points count everyone who did not "
    "respond as lost, the dead included."
)
MEANING = (
    "Weights and tipping points are about the living: people who died or emigrated by the wave's last response are no "
    "longer lost to follow-up. Deaths and emigrations compete, so each has a cumulative incidence (Aalen and Johansen)."
)
BOUNDS_NOTE = (
    "What the risk ratio would be among the living and the dead together, if none or all of the dead would have had "
    "the outcome: in every category, or in the one that makes it lowest or highest."
)
_BOUNDS = dict(zip(BOUNDS, ("None", "All", "Lowest", "Highest"), strict=True))


def vital_status(report: WaveReport) -> Section:
    """What is known of deaths and emigrations, or that nothing is."""
    said = paragraph(estimand(report.own_results, report.wave, report.words))
    if not is_known(report.own_results, report.wave):
        return section("vital", "Deaths and emigrations", said, paragraph(UNKNOWN), short="Deaths")
    states, incidence, bounds = (list(each) for each in (_states(report), _incidence(report), _bounds(report)))
    shown = [
        Table("states-table", "At the wave's last response, % (deaths and emigrations in number)",
              ("Category", *(state.capitalize() for state in STATES)), tuple(states)),
        Table("incidence-table", "Cumulative incidence", ("Category", *_headings(report)), tuple(incidence)),
        Table("bounds-table", "Risk ratio, fully adjusted, if so many of the dead would have had the outcome",
              ("Category", *_BOUNDS.values()), tuple(bounds)),
    ]  # fmt: skip
    tables = [table(each) for each in shown if each.groups]
    return section(
        "vital", "Deaths and emigrations", said, paragraph(MEANING), *tables, note(BOUNDS_NOTE), short="Deaths"
    )


def _found(report: WaveReport, analysis: str, exposure: Exposure, key: str) -> dict[str, dict[str, Mapping[str, Any]]]:
    """The rows of an analysis by category and another column, in order."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in chosen(report.own_results, analysis=analysis, exposure=exposure):
        found.setdefault(str(row["level"]), {})[str(row[key])] = row
    return found


def _heading(report: WaveReport, exposure: Exposure) -> str:
    scale = report.protocol.exposures.scale(exposure)
    return f"{scale.name}, {scale.unit}"


def _states(report: WaveReport) -> Iterator[Group]:
    for exposure in report.exposures:
        found = _found(report, STATES_ANALYSIS, exposure, "term")
        lines = tuple(
            (level_label(level), *(_share(rows.get(each)) for each in STATES)) for level, rows in found.items()
        )
        if lines:
            yield Group(lines, _heading(report, exposure))


def _incidence(report: WaveReport) -> Iterator[Group]:
    for exposure in report.exposures:
        found = _found(report, INCIDENCE_ANALYSIS, exposure, "term")
        lines = tuple(
            (level_label(level), *(percent_cell(rows.get(each)) for each in EVENTS)) for level, rows in found.items()
        )
        if lines:
            yield Group(lines, _heading(report, exposure))


def _headings(report: WaveReport) -> list[str]:
    """What happened, within which time."""
    rows = chosen(report.own_results, analysis=INCIDENCE_ANALYSIS)
    notes = [part for row in rows for part in str(row["note"]).split("; ") if part.startswith("within ")]
    within = notes[0].split(" of baseline")[0] if notes else ""
    return [f"{name.capitalize()} {within}, % ({interval_name(report.protocol)})".replace(" ,", ",") for name in EVENTS]


def _bounds(report: WaveReport) -> Iterator[Group]:
    for exposure in report.exposures:
        found = _found(report, "death_bounds", exposure, "measure")
        lines = tuple(
            (level_label(level), *(_ratio(rows.get(each)) for each in _BOUNDS)) for level, rows in found.items()
        )
        if lines:
            yield Group(lines, _heading(report, exposure))


def _share(row: Mapping[str, Any] | None) -> str:
    if (hidden := _hidden(row)) or row is None:
        return hidden
    percent = f"{100 * float(row['estimate']):.0f}"
    return percent if is_missing(row["events"]) else f"{percent} ({count(row['events'])})"


def _ratio(row: Mapping[str, Any] | None) -> str:
    return _hidden(row) or (ratio(row["estimate"]) if row else "")


def _hidden(row: Mapping[str, Any] | None) -> str:
    """What stands in the place of an estimate that is not shown; blank if it is."""
    if row is None:
        return "–"
    if row["status"] == "ok" and not is_missing(row["estimate"]):
        return ""
    return SUPPRESSED if row["status"] == "suppressed" else NOT_ESTIMABLE
