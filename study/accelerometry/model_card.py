"""The model card: what a trained classifier was made from, how good it is, and where it fails.

After Mitchell et al. 2019, Model Cards for Model Reporting (doi 10.1145/3287560.3287596).

Belongs here: the card's wording and tables. Does not belong here: computing any of its numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from study.accelerometry.activity import CLASSIFIED
from study.accelerometry.evaluation import FEWEST_WALKING_MINUTES

if TYPE_CHECKING:
    from study.accelerometry.evaluation import Agreement, PersonAgreement
    from study.accelerometry.training import DatasetSummary, TrainingReport

CARD = "model_card"
NOTHING = "–"

KNOWN_LIMITS = (
    "Judged on the labeled epochs above only: day totals over whole days, with sleep and non-wear in them, have not "
    "been judged. Non-wear is not a class of this model.",
    "The labels say nothing of speed. Walking speed comes from cadence by an assumed relation "
    "(`walking_speed` in the protocol) and has not been judged against measured speeds.",
    "Stairs count as walking, shuffling as standing. An epoch that holds two activities gets the one that fills most "
    "of it; short walks between standing are where most errors lie.",
    "Both sensors must be worn as in the training sets (standing: x about -1 g on back and thigh). A sensor worn "
    "turned or upside down is not recognized and is classified wrongly.",
    "Walking with a walking aid tends to be found too little, and cycling may be taken for walking in people whose "
    "thigh sensor sits unusually; see the single people below.",
    "Epochs are classified one by one, without regard to their neighbors.",
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
        f"the thigh: {', '.join(code.name.lower() for code in CLASSIFIED)}. Gradient-boosted trees "
        f"({report.rounds} rounds, depth {report.settings['max_depth']}, learning rate "
        f"{report.settings['learning_rate']}) on {report.features} features per epoch; fitted on everyone listed here "
        f"with xgboost {report.xgboost_version}.",
        f"File `{report.model}`, sha256 `{report.model_sha256}`.",
        "## Data",
        _datasets(report.datasets),
        f"{report.windows_without_label} further epochs had no label for most of their length and were left out.",
        "## Agreement with the labels",
        f"{report.folds}-fold cross-validation grouped by person: every figure is of people the model had not seen. "
        "Labeled walking minutes are counted from the labels second by second, predicted ones from whole epochs.",
        "### Everyone",
        _agreement(report.everyone),
        f"### Without outlying people ({len(report.outlying)})",
        _outlying(report),
        _agreement(report.without_outlying),
        "## Walking minutes, person by person",
        f"People of public sets only. The bias is not stated below {FEWEST_WALKING_MINUTES:g} labeled minutes.",
        _people(report.people),
        "## Known limits",
        "\n".join(f"- {limit}" for limit in KNOWN_LIMITS),
    ]
    return "\n\n".join(sections) + "\n"


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
        f"{_percent(found.mean_absolute_person_bias_percent, sign=False)}."
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
