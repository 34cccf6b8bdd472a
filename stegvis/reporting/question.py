"""The first section of a wave: the headline results with their limits and robustness, then the question they answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from stegvis.analyses.declared import purpose_of
from stegvis.reporting.asked_first import others, primary_sentence
from stegvis.reporting.blocks import Section, note, pair, panel, paragraph, section
from stegvis.reporting.certainty import certainty_line, certainty_sentences
from stegvis.reporting.estimand import estimand
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.rows import headline
from stegvis.reporting.wording import comparison_sentence, estimate_words, is_shown
from stegvis.study.protocol import Exposure
from stegvis.study.protocol_estimates import PRIMARY, SECONDARY

OBSERVATIONAL = (
    "Highest against lowest category, fully adjusted. This is an observational study. It shows associations, and other "
    "differences between the groups may account for some or all of them."
)
PURPOSES = {PRIMARY: "Primary estimate. ", SECONDARY: "Secondary estimate. ", "exploratory": "Exploratory. "}


def question(report: WaveReport) -> Section:
    """The headline results and the question."""
    outcome, people = report.words.outcome.name, report.texts.en.cohort.people
    amount = "amount or the intensity" if len(report.exposures) > 1 else "amount"
    asked = (
        f"Among {people} without {outcome} at baseline, is the {amount} of daily walking associated with "
        f"the risk of {outcome} at follow-up in {report.wave}?"
    )
    there = {each: row for each in report.exposures if (row := headline(report.own_results, each)) is not None}
    purposes = {each: purpose_of(row, report.declared) for each, row in there.items()}
    # What was asked first comes first.
    found = {each: there[each] for each in sorted(there, key=lambda each: purposes[each] != PRIMARY)}
    if not found:
        shown = paragraph("No estimate is available for this wave.")
    else:
        declared = purposes if len(report.declared) else dict.fromkeys(found, "")
        answers = (_headline(report, exposure, row, declared[exposure]) for exposure, row in found.items())
        of_whom = estimand(report.own_results, report.wave, report.words)
        asked_of = report.words.say(report.words.english.researchers.estimand)
        limits = note(f"{OBSERVATIONAL} {others(report)}") + note(asked_of)
        beside = _robustness(report, *next(iter(found.items()))) + note(of_whom)
        # A primary estimate of another kind than the headlines leads, too.
        first = paragraph("" if PRIMARY in purposes.values() else primary_sentence(report))
        shown = panel(first + pair(*answers), pair(limits, beside))
    return section("question", "The question and the answer", shown, paragraph(asked), short="The answer")


def _headline(report: WaveReport, exposure: Exposure, row: Mapping[str, Any], purpose: str) -> Markup:
    answer = _emphasized(comparison_sentence(row, exposure, report.words), row, report)
    return paragraph(Markup("{}{}").format(PURPOSES.get(purpose, ""), answer)) + note(
        certainty_line(row, report.own_results, exposure)
    )


def _robustness(report: WaveReport, exposure: Exposure, row: Mapping[str, Any]) -> Markup:
    """What E-value and tipping point mean, with the numbers of the first answer."""
    said = certainty_sentences(row, report.own_results, exposure, report.words)
    name = report.protocol.exposures.scale(exposure).name
    return note(f"{name}, in other words: {' '.join(said)}") if said else Markup("")


def _emphasized(sentence: str, row: Mapping[str, Any], report: WaveReport) -> Markup:
    """A sentence with its estimate in bold, which the eye finds first."""
    if not is_shown(row):
        return escape(sentence)
    before, estimate, after = sentence.partition(estimate_words(row, report.protocol))
    return Markup("{}<strong>{}</strong>{}").format(before, estimate, after)
