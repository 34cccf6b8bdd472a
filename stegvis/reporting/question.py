"""The first section of a wave: the question, the headline answers, and how sure one can be of each.

Belongs here: what a reader sees first. Does not belong here: the full results (``main_results.py``).
"""

from __future__ import annotations

from stegvis.reporting.blocks import Section, note, panel, paragraph, section
from stegvis.reporting.carried_forward import carried_forward_sentence
from stegvis.reporting.certainty import certainty_sentence
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.rows import headline
from stegvis.reporting.wording import OUTCOME, comparison_sentence
from stegvis.study.protocol import EXPOSURES

OBSERVATIONAL = (
    "Highest against lowest category, fully adjusted. This is an observational study: it shows an "
    "association, and other "
    "differences between the groups may account for some or all of it."
)


def question(report: WaveReport) -> Section:
    """The question and its short answers."""
    asked = (
        f"Among adults without {OUTCOME} at baseline: is the amount of daily walking, or its intensity, "
        f"associated with "
        f"the risk of {OUTCOME} at follow-up in {report.wave}?"
    )
    results = report.own_results
    answers = []
    for exposure in EXPOSURES:
        row = headline(results, exposure)
        if row is not None:
            answers.append(paragraph(comparison_sentence(row, exposure, report.protocol)))
            answers.append(note(certainty_sentence(row, results, exposure)))
    if not answers:
        return section(
            "question", "The question", paragraph(asked), paragraph("No estimate is available for this wave.")
        )
    kept = note(carried_forward_sentence(results, report.protocol))
    return section("question", "The question", paragraph(asked), panel(*answers, note(OBSERVATIONAL)), kept)
