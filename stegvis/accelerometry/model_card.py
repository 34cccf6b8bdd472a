"""The model card: what a trained classifier was made from, how good it is, and where it fails.

After Mitchell et al. 2019, Model Cards for Model Reporting (doi 10.1145/3287560.3287596).

Belongs here: the card's wording and tables. Does not belong here: computing any of its numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stegvis.accelerometry.activity import CLASSIFIED
from stegvis.accelerometry.evaluation import FEWEST_WALKING_MINUTES

if TYPE_CHECKING:
    from stegvis.accelerometry.evaluation import Agreement, PersonAgreement
    from stegvis.accelerometry.training import DatasetSummary, TrainingReport

CARD = "model_card"
NOTHING = "–"

KNOWN_LIMITS = (
    "Judged on the labeled epochs above only: day totals over whole days, with sleep and non-wear in them, have not "
    "been judged. Non-wear is not a class of this model.",
    "Few people cycle, and those who do have each their own way of wearing the sensor: cycling, and walking against "
    "it, is the least certain part.",
    "Sitting far back and lying with the trunk raised look alike, and people overlap: of the single people above 509 "
    "sits as far back as 505 and 514 lie. One is taken for the other throughout.",
    "Stairs count as walking, shuffling as standing. An epoch that holds two activities gets the one that fills most "
    "of it; short walks between standing are where most errors lie.",
    "Walking with a walking aid tends to be found too little (514 among the single people above).",
    "A sensor turned by half or upside down is classified alike and flagged. Worn on the wrong leg, or rotated by a "
    "quarter turn, has not been judged. The flag needs some walking in the recording.",
    "The smoothing over neighboring epochs learned its transitions from partly scripted hours, not from life.",
)


def write_model_card(report: TrainingReport, folder: Path) -> None:
    """Write ``model_card.md`` and ``model_card.json`` into a folder."""
    (folder / f"{CARD}.json").write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    (folder / f"{CARD}.md").write_text(render(report), encoding="utf-8")


def render(report: TrainingReport) -> str:
    """The card as Markdown."""
    sections = [
        "# Epoch classifier",
        f"Tells the activity of {report.window_seconds}-second epochs from two accelerometers, on the lower back and "
        f"the thigh: {', '.join(code.name.lower() for code in CLASSIFIED)}. The mean of "
        f"{report.networks} small neural networks ({report.hidden_units} hidden units each) on "
        f"{report.features} features per epoch, none of which changes when a sensor is worn upside down or turned by "
        "half; then a hidden Markov model over neighboring epochs. Fitted on "
        "everyone listed here, on their epochs and on copies tilted by up to 15 degrees and shifted by half an epoch, "
        f"with numpy {report.numpy_version}.",
        f"File `{report.model}`, sha256 `{report.model_sha256}`.",
        "## Data",
        _datasets(report.datasets),
        f"{report.windows_without_label} further epochs had no label for most of their length and were left out.",
        "## Agreement with the labels",
        "One person left out at a time: every figure is of people whom the model that judged them had not seen. "
        "Labeled walking minutes are counted from the labels second by second, predicted ones from whole epochs.",
        "### Everyone",
        _agreement(report.everyone),
        f"### Without outlying people ({len(report.outlying)})",
        _outlying(report),
        _agreement(report.without_outlying),
        "## Walking minutes, person by person",
        f"People of public sets only. The bias is not stated below {FEWEST_WALKING_MINUTES:g} labeled minutes.",
        _people(report.people),
        "## Sensors worn otherwise",
        "The same recordings with one sensor rotated, each person judged by a model that had not seen the person. "
        "*Flagged* are the people whose recording is then reported as worn otherwise; in the first row, which is the "
        "recordings as they are, these are false alarms or sensors that really were worn so.",
        _table(
            ("sensor", "worn", "accuracy", "flagged"),
            [
                (e.sensor, e.worn.replace("_", " "), f"{e.accuracy:.1%}", f"{e.flagged} of {e.people}")
                for e in report.turned
            ],
        ),
        "## Walking speed",
        _speed(report),
        "## Known limits",
        "\n".join(f"- {limit}" for limit in KNOWN_LIMITS),
    ]
    return "\n\n".join(sections) + "\n"


def _speed(report: TrainingReport) -> str:
    parts = [
        "Speed is not learned from these labels: it is estimated from cadence, from how far the back rises and falls "
        "with each step and from the size of the thigh's movement by the relations in the protocol (`walking_speed`), "
        "with a standard deviation, and cut at the protocol's km/h. A relation is the same for everyone: how far a "
        "single person departs from all of them alike is not known, and the standard deviation allows for it."
    ]
    if report.measured_speed is None:
        parts.append("No set with measured walking speeds was at hand: the km/h have not been judged.")
    else:
        found = report.measured_speed
        names = ("slow", "moderate", "brisk")
        parts.append(
            f"Against measured speeds ({found.people} people, {found.windows} epochs): mean error "
            f"{found.mean_error_km_per_hour:+.2f} km/h, mean absolute error "
            f"{found.mean_absolute_error_km_per_hour:.2f} km/h, classes right {found.accuracy:.1%}, mean absolute "
            f"error of a person's mean METs {found.mean_absolute_person_met_error:.2f}."
        )
        rows = [(name, *map(str, row)) for name, row in zip(names, found.confusion, strict=True)]
        parts.append(_table(("measured \\ estimated", *names), rows))
    if report.own_pace is not None:
        pace = report.own_pace
        speeds = " / ".join(f"{each:.1f}" for each in pace.mean_km_per_hour)
        cadences = " / ".join(f"{each:.0f}" for each in pace.mean_cadence)
        parts.append(
            f"People who walked slowly, moderately and fast as they understood it ({pace.people} people, {pace.epochs} "
            f"epochs, thigh sensor only): mean estimate {speeds} km/h at {cadences} steps/min, in the right order in "
            f"{pace.ordered} of {pace.people} people. With cuts learned from the other people {pace.accuracy:.1%} of "
            f"epochs get the right pace, and a person's mean METs are off by {pace.met_error:.2f}; with the protocol's "
            f"cuts in km/h {pace.protocol_accuracy:.1%}."
        )
        names = ("slow", "moderate", "fast")
        rows = [(name, *map(str, row)) for name, row in zip(names, pace.confusion, strict=True)]
        parts.append(_table(("walked \\ found", *names), rows))
        parts.append(
            "Self-paced labels show that the estimate rises with pace within a person. They cannot show that it is "
            "right in km/h: one person's fast is another's moderate, and no rule with one cut for everyone can do much "
            "better. With the thigh alone the estimate lacks the movement of the back; pairs have not been judged so."
        )
    return "\n\n".join(parts)


def _outlying(report: TrainingReport) -> str:
    rule = (
        "A person of a public set is outlying when the accuracy is below the first quartile of all people minus three "
        "interquartile ranges"
    )
    if not report.outlying:
        return f"{rule}; nobody is."
    return (
        f"{rule}: {', '.join(report.outlying)}. They are chosen by the result, so the figures without them are "
        "hopeful; they stay in the training data."
    )


def _datasets(summaries: tuple[DatasetSummary, ...]) -> str:
    rows = [
        (
            each.dataset.name,
            str(each.people),
            str(each.windows),
            f"{each.hours:.1f}",
            each.dataset.licence,
            each.dataset.citation,
            each.dataset.remark or NOTHING,
        )
        for each in summaries
    ]
    return _table(("set", "people", "epochs", "hours", "licence", "source", "remark"), rows)


def _agreement(found: Agreement) -> str:
    names = [each.activity for each in found.classes]
    summary = (
        f"{found.people} people, {found.windows} epochs: accuracy {found.accuracy:.1%}, macro F1 {found.macro_f1:.3f}. "
        f"Walking {found.predicted_walking_minutes:.1f} min predicted, {found.labeled_walking_minutes:.1f} min "
        f"labeled: bias {_percent(found.walking_bias_percent)}; mean absolute bias per person "
        f"{_percent(found.mean_absolute_person_bias_percent, sign=False)}, largest "
        f"{_percent(found.largest_absolute_person_bias_percent, sign=False)}."
        + (
            ""
            if found.macro_f1_with_stairs is None
            else f" With stairs apart macro F1 {found.macro_f1_with_stairs:.3f}."
        )
    )
    scores = _table(
        ("activity", "epochs", "precision", "recall", "F1"),
        [(e.activity, str(e.windows), _share(e.precision), _share(e.recall), _share(e.f1)) for e in found.classes],
    )
    confusion = _table(
        ("labeled \\ predicted", *names),
        [(name, *map(str, row)) for name, row in zip(names, found.confusion, strict=True)],
    )
    return "\n\n".join([summary, scores, confusion])


def _people(people: tuple[PersonAgreement, ...]) -> str:
    if not people:
        return "No public set."
    rows = [
        (
            each.dataset,
            each.person,
            str(each.windows),
            f"{each.accuracy:.1%}",
            f"{each.labeled_walking_minutes:.1f}",
            f"{each.predicted_walking_minutes:.1f}",
            f"{each.predicted_walking_minutes - each.labeled_walking_minutes:+.1f}",
            _percent(each.bias_percent),
        )
        for each in people
    ]
    header = ("set", "person", "epochs", "accuracy", "labeled min", "predicted min", "difference", "bias")
    return _table(header, rows)


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _percent(value: float | None, sign: bool = True) -> str:
    if value is None:
        return NOTHING
    return f"{value:+.1f} %" if sign else f"{value:.1f} %"


def _share(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3f}"
