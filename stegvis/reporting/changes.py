"""What changed since the release before: the bridge.

Belongs here: changed estimates and the steps that explain them. Does not belong here: computing the bridge.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from stegvis.reporting.blocks import Section, note, paragraph, section, table
from stegvis.reporting.formatting import count, is_missing, ratio
from stegvis.reporting.inputs import IndexReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.tables import bridge_table
from stegvis.reporting.wording import level_label
from stegvis.study.protocol import EXPOSURES

# On the log scale: below this the same numbers were added in another order.
NO_CHANGE = 1e-9
STEPS = {
    "corrected_rows": "Corrected answers",
    "changed_eligibility": "Who may be analyzed",
    "new_people": "New people",
    "protocol": "Changed rules",
}


def changes(index: IndexReport) -> Section:
    """Steps of each main ratio's change, then every changed headline estimate."""
    previous = index.provenance.get("previous_release")
    new = new_waves(index.bridge)
    if is_missing(previous) or not previous:
        said = "Nothing to compare with: no earlier release is known."
    elif not index.bridge:
        said = f"No estimate changed since release {previous}."
    else:
        said = f"Compared with release {previous}."
    return section(
        "changes",
        "What changed since the last release",
        paragraph(said),
        *(paragraph(f"Wave {wave} is new: {count(estimates)} estimates.") for wave, estimates in new.items()),
        table(_steps_table(index)) or note("No main risk ratio changed." if index.steps else ""),
        note(f"Why there are no steps: {index.bridge_note}." if index.bridge_note and index.bridge else ""),
        table(bridge_table([each for each in index.bridge if str(each["wave"]) not in new], index.protocol)),
        short="What changed",
    )


def new_waves(bridge: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Waves that the release before did not have, which all main estimates of are new; how many estimates each has."""
    kinds: dict[str, set[str]] = {}
    for each in bridge:
        if each["analysis"] == "main":
            kinds.setdefault(str(each["wave"]), set()).add(str(each["change"]))
    return {
        wave: sum(str(each["wave"]) == wave for each in bridge) for wave, found in kinds.items() if found == {"new"}
    }


def _steps_table(index: IndexReport) -> Table | None:
    names: dict[str, str] = {each: index.protocol.exposures.scale(each).name for each in EXPOSURES}
    lines = []
    for each in index.steps:
        if each["model"] != "adjusted" or abs(float(each["change"])) < NO_CHANGE:
            continue
        by_step = {str(step["step"]): step for step in each["steps"]}
        flag = " (flagged)" if each["flagged"] else ""
        lines.append(
            (
                f"{each['wave']}, {names.get(str(each['exposure']), '')} {level_label(each['level'])}",
                ratio(each["before"]),
                *(_step(by_step.get(name)) for name in STEPS),
                f"{ratio(each['now'])}{flag}",
            )
        )
    if not lines:
        return None
    columns = ("Fully adjusted risk ratio", "Before", *STEPS.values(), "Now")
    remark = (
        "Each step multiplies the ratio by the number shown; in brackets, the people it is about. Flagged: "
        "the change is "
        f"larger than {index.protocol.bridge.flagged_standard_errors:g} of its standard errors."
    )
    return Table(
        "steps-table", "Why the main ratios changed, step by step", columns, (Group(tuple(lines)),), note=remark
    )


def _step(step: Mapping[str, Any] | None) -> str:
    if step is None or is_missing(step["change"]):
        return "–"
    people = "" if is_missing(step["people"]) else f" ({count(step['people'])})"
    return f"× {math.exp(float(step['change'])):.3f}{people}"
