"""The participants of a wave: how many, flow diagram, Table 1, outcome and follow-up."""

from __future__ import annotations

from markupsafe import Markup

from stegvis.reporting.blocks import Section, drawing, folded, pair, paragraph, section, subheading, table
from stegvis.reporting.flow import flow_diagram, flow_table
from stegvis.reporting.formatting import count, decimal, is_missing
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.rows import chosen, people_and_cases
from stegvis.reporting.tables import TITLE, characteristics_table
from stegvis.reporting.wording import suppression_sentence
from stegvis.reporting.words import capitalized

FLOW_CAPTION = (
    "From everyone at baseline to the analyzed sample. Each participant is counted at the first reason that applies. "
    "Steps with suppressed counts are merged with adjacent steps."
)


def population(report: WaveReport) -> Section:
    """Who was included, Table 1 and the outcome, the larger parts collapsed."""
    steps = report.rows(report.exclusion_steps)
    smallest_count = report.protocol.disclosure.smallest_count
    flow = flow_diagram(steps, report.wave, report.synthetic, smallest_count)
    if flow:
        drawn = drawing(flow, FLOW_CAPTION, flow_table(steps, smallest_count))
        included = paragraph(_summed_up(report)) + folded("Flow diagram", drawn)
    else:
        included = paragraph("The exclusion steps are not available for this wave.")
    return section(
        "included",
        "Who was included",
        pair(included + _part(table_one(report)), _part(outcome(report))),
    )


def _part(own: Section) -> Markup:
    """A section as a part of another."""
    return subheading(own.heading, own.identifier) + Markup("\n").join(own.blocks)


def _summed_up(report: WaveReport) -> str:
    """From how many at baseline to how many analyzed; empty where one of the two is suppressed."""
    left = report.rows(report.exclusion_steps).sort_values("step")["remaining"].tolist()
    if is_missing(left[0]) or is_missing(left[-1]):
        return ""
    return f"Of {count(left[0])} participants at baseline, {count(left[-1])} are in the analysis of this wave."


def table_one(report: WaveReport) -> Section:
    """Table 1 by category of each exposure; additional rows are collapsed."""
    rows = report.rows(report.characteristics)
    main = [made for exposure in report.exposures if (made := characteristics_table(rows, exposure, report.words))]
    further = [
        made
        for exposure in report.exposures
        if (made := characteristics_table(rows, exposure, report.words, additional=True))
    ]
    if not main:
        return section("table-1", "Table 1", paragraph("Table 1 is not available for this wave."))
    return section(
        "table-1",
        "Table 1: participants at baseline",
        *(folded(made.caption.removeprefix(f"{TITLE}, ").capitalize(), table(made)) for made in main),
        folded("Additional rows, as in the supplement", *(table(made) for made in further)),
        short="Table 1",
    )


def outcome(report: WaveReport) -> Section:
    """Number of cases, time to follow-up, and definition of the outcome."""
    words = report.words
    name, said = words.outcome.name, words.english.researchers
    people, cases = people_and_cases(report.own_results)
    years = chosen(
        report.rows(report.characteristics), variable="follow_up_years", category="all", exposure="walking_minutes"
    )
    sentences = []
    if people and cases is not None:
        sentences.append(
            f"Of {count(people)} participants analyzed, {count(cases)} ({decimal(100 * cases / people)}%) had "
            f"{name} at follow-up."
        )
    if years and not is_missing(years[0]["mean"]):
        sentences.append(
            f"Mean time from baseline to follow-up: {decimal(years[0]['mean'])} years (standard deviation "
            f"{decimal(years[0]['sd'])})."
        )
    definition = (
        f"{capitalized(name)}: {words.say(said.definition)}, in the questionnaire of {report.wave}. "
        f"{said.not_recorded} {suppression_sentence(report.protocol)}"
    )
    return section(
        "outcome", "Outcome and follow-up", paragraph(" ".join(sentences)), paragraph(definition), short="Outcome"
    )
