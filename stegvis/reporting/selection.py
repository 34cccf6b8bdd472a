"""Selection from the whole cohort: how small the chances to be analyzed were, and the weights that follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stegvis.reporting.formatting import count, decimal, ratio
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.rows import chosen

STEPS = {
    "covariates": "Covariates known, of the whole cohort",
    "baseline_answer": "Question on the outcome answered at baseline, of those",
    "recording": "Valid recording, of those without the outcome",
    "follow_up": "Answer at follow-up, of those",
}
NOTE = (
    "Weights from the whole cohort multiply the inverse probabilities of all steps, so that the analyzed represent "
    "every member without the outcome at baseline."
)


def probabilities_table(report: WaveReport) -> Table | None:
    """The smallest probabilities of responding, and of passing each step from the cohort."""
    rows = chosen(report.own_results, measure="smallest_probabilities", status="ok")
    response = [row for row in rows if row["analysis"] == "attrition_weights"]
    steps = {str(row["term"]): row for row in rows if row["analysis"] == "selection_weights"}
    lines = [("Answer at follow-up, of everyone eligible", _cell(row["estimate"])) for row in response[:1]]
    lines += [(name, _cell(steps[step]["estimate"])) for step, name in STEPS.items() if step in steps]
    if not lines:
        return None
    few = report.protocol.disclosure.smallest_count
    columns = ("Step", f"Mean of the {few} smallest probabilities")
    caption = "Smallest probabilities of passing a step, of all who could"
    return Table("probabilities-table", caption, columns, (Group(tuple(lines)),))


def selection_weights_table(report: WaveReport) -> Table | None:
    """The weights from the whole cohort."""
    lines = weight_lines(chosen(report.own_results, analysis="selection_weights", population="all", status="ok"))
    if not lines:
        return None
    caption = "The weights from the whole cohort"
    return Table("selection-weights-table", caption, weight_columns(report), (Group(lines),), note=NOTE)


def weight_columns(report: WaveReport) -> tuple[str, ...]:
    """The columns of a table of weights."""
    few = report.protocol.disclosure.smallest_count
    return ("Weights", "Effective sample size", "Mean weight", f"Mean of the {few} largest")


def weight_lines(rows: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, ...], ...]:
    """A line of these columns for each kind of weights, from the rows that describe them."""
    by_term: dict[str, dict[str, float]] = {}
    for row in rows:
        by_term.setdefault(str(row["term"]), {})[str(row["measure"])] = float(row["estimate"])
    return tuple(
        (
            term.replace("_", " "),
            count(values.get("ess")),
            ratio(values.get("mean_weight")),
            decimal(values.get("largest_weights"), 2),
        )
        for term, values in by_term.items()
    )


def _cell(value: float) -> str:
    return decimal(float(value), 2)
