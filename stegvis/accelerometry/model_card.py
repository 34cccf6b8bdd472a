"""The model card: training data, accuracy and limitations of a trained classifier.

After Mitchell et al. 2019, Model Cards for Model Reporting (doi 10.1145/3287560.3287596).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stegvis.accelerometry.activity import CLASSIFIED
from stegvis.accelerometry.evaluation import FEWEST_WALKING_MINUTES

if TYPE_CHECKING:
    from stegvis.accelerometry.evaluation import Agreement, PersonAgreement
    from stegvis.accelerometry.pace_evaluation import PaceAgreement
    from stegvis.accelerometry.training import DatasetSummary, TrainingReport

CARD = "model_card"
NOTHING = "–"

KNOWN_LIMITS = (
    "Evaluated only on the labeled epochs above. Totals over 24-hour days, with sleep and non-wear, have not been "
    "evaluated. Non-wear is not a class of this model.",
    "Few people cycle, and each of them wears the sensor differently. Cycling, and its distinction from walking, is "
    "the least certain class.",
    "Reclined sitting and lying with a raised trunk look similar, and people overlap: of the individuals above, 509 "
    "reclines as far while sitting as 505 and 514 do while lying. One is classified as the other throughout.",
    "Stairs count as walking, shuffling as standing. An epoch with two activities is assigned the longer one; most "
    "errors occur in short walks between standing.",
    "Walking with a walking aid tends to be underestimated (514 among the individuals above).",
    "A sensor rotated by 180 degrees or worn upside down is classified alike and flagged. One that leans further from "
    "the usual angle in walking than most people's is turned back and flagged; what was "
    "attached anew is measured anew. Both flags need a minute of walking. A sensor on the other leg was evaluated only "
    "as a mirrored recording, which changes no accuracy.",
    "The transitions used for smoothing were learned from partly scripted hours, not from free living.",
)


def write_model_card(report: TrainingReport, folder: Path) -> None:
    """Write ``model_card.md`` and ``model_card.json`` into a folder."""
    (folder / f"{CARD}.json").write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    (folder / f"{CARD}.md").write_text(render(report), encoding="utf-8")


def render(report: TrainingReport) -> str:
    """The card as Markdown."""
    sections = [
        "# Epoch classifier",
        f"Classifies {report.window_seconds}-second epochs from two accelerometers, on the lower back and the thigh: "
        f"{', '.join(code.name.lower() for code in CLASSIFIED)}. The mean of "
        f"{report.networks} small neural networks ({report.hidden_units} hidden units each) on "
        f"{report.features} features per epoch, none of which changes when a sensor is worn upside down or rotated by "
        "180 degrees; then a hidden Markov model over neighboring epochs. Where the activity may change, a window "
        "about every second is classified, and another hidden Markov model smooths the seconds. A back near its "
        "direction in walking is not taken for lying. Fitted on everyone listed here, on their epochs beginning at "
        "every second and on copies tilted by up to 15 and up to 35 degrees (the thigh sensor also rolled by up to "
        "90 degrees), "
        f"with numpy {report.numpy_version}.",
        f"File `{report.model}`, SHA-256 `{report.model_sha256}`.",
        "## Data",
        _datasets(report.datasets),
        f"{report.windows_without_label} further epochs had no label for most of their length and were excluded.",
        "## Agreement with the labels",
        f"In {len(report.folds)} groups: each person was evaluated by a model fitted without the people of their "
        "group. Labeled walking minutes are counted from the labels of the samples, predicted ones by the second.",
        "The groups (every fifth person by name; people of public datasets): "
        + "; ".join(", ".join(group) for group in report.folds if group)
        + ".",
        "### Everyone",
        _agreement(report.everyone),
        f"### Without outlying people ({len(report.outlying)})",
        _outlying(report),
        _agreement(report.without_outlying),
        "## Walking minutes by person",
        f"People of public datasets only. The bias is not reported below {FEWEST_WALKING_MINUTES:g} labeled minutes.",
        _people(report.people),
        "## Rotated sensors",
        "The same recordings with one sensor rotated, each person evaluated by a model fitted without their group. "
        "A sensor whose angle in gait is far from the usual one is turned back first. *Flagged* is the number of "
        "people whose recording is then reported as not worn as prescribed. In the first row, the recordings as they "
        "are, these are false alarms or sensors that really were worn differently.",
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
        "Speed is not learned from these labels. It is estimated from cadence, from how far the back rises and falls "
        "with each step, and from the size of the thigh's movement, by the relations in the protocol "
        "(`walking_speed`), with a standard deviation, and cut at the protocol's km/h. The relations are the same for "
        "everyone. How far a single person departs from all of them at once is unknown; the standard deviation "
        "includes an allowance for it."
    ]
    if report.measured_speed is None:
        parts.append("No dataset with measured walking speeds was available: the km/h have not been evaluated.")
    else:
        found = report.measured_speed
        names = ("slow", "moderate", "brisk")
        parts.append(
            f"Compared with measured speeds ({found.people} people, {found.windows} epochs): mean error "
            f"{found.mean_error_km_per_hour:+.2f} km/h, mean absolute error "
            f"{found.mean_absolute_error_km_per_hour:.2f} km/h, correct classes {found.accuracy:.1%}, mean absolute "
            f"error of a person's mean METs {found.mean_absolute_person_met_error:.2f}."
        )
        rows = [(name, *map(str, row)) for name, row in zip(names, found.confusion, strict=True)]
        parts.append(_table(("measured \\ estimated", *names), rows))
    if report.own_pace is not None:
        parts += [
            *_pace("People on whom the relations were partly developed, which flatters speed", report.own_pace),
            "Self-chosen pace shows that the estimate increases with pace within a person. It cannot show that the "
            "estimate, or a MET value from it, is correct in km/h: one person's fast is another's moderate, and no "
            "common cut points can do much better. With the thigh alone, the estimate lacks the movement of the back; "
            "pairs have not been evaluated in this way.",
        ]
    if report.external_pace is not None:
        parts += [
            *_pace("Other people, of whom nothing was used", report.external_pace),
            "Cut points depend on whose own slow, moderate and fast are meant: those learned from the same set work, "
            "those in km/h or steps/min do not. No error in km/h or METs is claimed for paces whose speed was not "
            "measured.",
        ]
    return "\n\n".join(parts)


def _pace(whose: str, pace: PaceAgreement) -> tuple[str, str, str]:
    speeds = " / ".join(f"{each:.1f}" for each in pace.mean_km_per_hour)
    cadences = " / ".join(f"{each:.0f}" for each in pace.mean_cadence)
    text = (
        f"{whose} ({pace.people} people, {pace.epochs} epochs, thigh sensor only), at a slow, a moderate and a fast "
        f"pace: mean estimate {speeds} km/h at {cadences} steps/min. The order is right in {pace.ordered} of "
        f"{pace.people} people by speed, and in {pace.cadence_ordered} by cadence alone. Cut points learned are those "
        "from the other people; the protocol's are in km/h, the fixed ones of cadence 100 and 115 steps/min "
        "(ActiMotus)."
    )
    shares = [
        (*name.split(", "), f"{each.share:.1%}", f"{each.low:.1%} to {each.high:.1%}")
        for name, each in pace.shares.items()
    ]
    names = ("slow", "moderate", "fast")
    rows = [(name, *map(str, row)) for name, row in zip(names, pace.confusion, strict=True)]
    return (
        text,
        _table(("what is cut", "cut points", "epochs of the right pace", "95 % interval over people"), shares),
        _table(("walked \\ estimated by speed, learned", *names), rows),
    )


def _outlying(report: TrainingReport) -> str:
    rule = (
        "A person of a public dataset is outlying if the accuracy is below the first quartile of all people minus "
        "three interquartile ranges"
    )
    if not report.outlying:
        return f"{rule}; there is none."
    return (
        f"{rule}: {', '.join(report.outlying)}. Outlying people are selected by their results, so the figures "
        "without them are optimistic. They remain in the training data."
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
    return _table(("dataset", "people", "epochs", "hours", "licence", "source", "remark"), rows)


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
            else f" Macro F1 with stairs as a separate class: {found.macro_f1_with_stairs:.3f}."
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
        return "No public dataset."
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
    header = ("dataset", "person", "epochs", "accuracy", "labeled min", "predicted min", "difference", "bias")
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
