"""The first section of a wave: the research question and the headline results with their robustness."""

from __future__ import annotations

from stegvis.reporting.blocks import Section, note, panel, paragraph, section
from stegvis.reporting.certainty import certainty_sentence
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.rows import headline
from stegvis.reporting.wording import comparison_sentence

OBSERVATIONAL = (
    "Highest against lowest category, fully adjusted. This is an observational study. It shows associations, and other "
    "differences between the groups may account for some or all of them."
)


def question(report: WaveReport) -> Section:
    """The question and the headline results."""
    outcome, people = report.words.outcome.name, report.texts.en.cohort.people
    amount = "amount or the intensity" if len(report.exposures) > 1 else "amount"
    asked = (
        f"Among {people} without {outcome} at baseline, is the {amount} of daily walking associated with "
        f"the risk of {outcome} at follow-up in {report.wave}?"
    )
    results = report.own_results
    headlines = []
    for exposure in report.exposures:
        row = headline(results, exposure)
        if row is not None:
            headlines.append(paragraph(comparison_sentence(row, exposure, report.words)))
            headlines.append(note(certainty_sentence(row, results, exposure)))
    if not headlines:
        return section(
            "question", "The question", paragraph(asked), paragraph("No estimate is available for this wave.")
        )
    return section("question", "The question", paragraph(asked), panel(*headlines, note(OBSERVATIONAL)))
