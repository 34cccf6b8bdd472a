"""The card of a model of one thigh sensor: what it was fitted to, how accurate it is, and where it fails."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stegvis.accelerometry.model_card import (
    agreement_section,
    datasets_table,
    markdown_table,
    pace_section,
    people_table,
    percent,
)

if TYPE_CHECKING:
    from stegvis.accelerometry.thigh_evaluation import OtherSet, Together
    from stegvis.accelerometry.thigh_training import ThighReport

KNOWN_LIMITS = (
    "Sitting and lying differ little on one thigh. They are reported together; what the network distinguishes is "
    "evaluated above, not reported.",
    "Lying is certain only on the side or on the front: rolled by more than 60 degrees from the usual roll of sitting "
    "on that day, for a minute. Lying on the back is reported as sitting, and so is all lying on a day without sitting "
    "near to walking.",
    "A sensor that was exchanged with that of another person, or moved to another body part within the week, is not "
    "found. One of the back is refused if it shows ten minutes of walking and of sitting.",
    "Few people cycle. Cycling, and its distinction from walking, is the least certain class.",
    "The transitions used for smoothing were learned from partly scripted hours, not from free living.",
)


def write_thigh_card(report: ThighReport, model_file: Path) -> None:
    """Write ``<model>_card.md`` and ``<model>_card.json`` beside a model file."""
    for ending, text in (("json", report.model_dump_json(indent=2) + "\n"), ("md", render(report))):
        model_file.with_name(f"{model_file.stem}_card.{ending}").write_text(text, encoding="utf-8")


def render(report: ThighReport) -> str:
    """The card as Markdown."""
    rate = f"{report.rate_hz:g}"
    sections = [
        f"# Classifier of one thigh sensor, {rate} samples per second",
        f"Classifies {report.window_seconds}-second epochs of one accelerometer on the thigh. The mean of "
        f"{report.networks} small neural networks ({report.hidden_units} hidden units each) on {report.features} of "
        "the features of the pair's classifier, those that need no back; then a hidden Markov model over neighboring "
        f"epochs. Fitted on everyone listed here, at {rate} samples per second, on their epochs beginning at every "
        "second and on copies tilted by up to 15 and up to 30 degrees, the latter rolled by up to 90 degrees, with "
        f"numpy {report.numpy_version}.",
        f"File `{report.model}`, SHA-256 `{report.model_sha256}`.",
        "## Data",
        datasets_table(report.datasets),
        "## As it is reported",
        f"In {len(report.folds)} groups: each person was evaluated by a model fitted without the people of their "
        "group. Sitting and lying are one activity, except where lying is certain.",
        _together(report.together),
        "The groups (every fifth person by name; people of public datasets): "
        + "; ".join(", ".join(group) for group in report.folds if group)
        + ".",
        "## Six activities, as the network distinguishes them",
        agreement_section(report.apart),
        "## Walking minutes by person",
        people_table(report.people),
        "## Worn otherwise",
        "Accuracy with sitting and lying together. A sensor on the side of the thigh is recognized by gravity in "
        "sitting and turned to the front before it is classified.",
        markdown_table(
            ("worn", "accuracy", "found on the side"),
            [(each.worn, f"{each.accuracy:.1%}", f"{each.on_the_side} of {each.people}") for each in report.turned],
        ),
        "## Other people",
        *(_other_set(each) for each in report.other_sets),
        *([] if report.other_sets else ["No set of one thigh sensor was given for this rate."]),
        "## Known limits",
        "\n".join(f"- {limit}" for limit in KNOWN_LIMITS),
    ]
    return "\n\n".join(sections) + "\n"


def _together(found: Together) -> str:
    certain = f"{found.right} of {found.certain} epochs reported as lying are labeled so"
    return (
        f"{found.people} people, {found.windows} epochs: accuracy {found.accuracy:.1%}. Of walking "
        f"{found.walking_sensitivity:.1%} is found, and {found.walking_predictive_value:.1%} of what is found is "
        f"walking; bias of its minutes {percent(found.walking_bias_percent)}, mean absolute bias per person "
        f"{percent(found.mean_absolute_person_bias_percent, sign=False)}, largest "
        f"{percent(found.largest_absolute_person_bias_percent, sign=False)}. "
        f"{certain if found.certain else 'No epoch is reported as lying'}, of {found.lying} that are."
    )


def _other_set(found: OtherSet) -> str:
    return "\n\n".join(
        [
            f"### {found.dataset.name}",
            f"{found.dataset.citation}; {found.dataset.licence}. Nothing of it was used for fitting.",
            _together(found.together),
            f"The sensor was found on the side of the thigh in {found.on_the_side} of {found.together.people} people. "
            "Six activities as they are reported, lying where it is certain:",
            agreement_section(found.apart),
            *pace_section("Self-chosen pace", found.pace),
        ]
    )
