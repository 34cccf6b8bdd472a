"""Changes since the previous release, and the steps that account for them."""

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

# On the log scale: smaller differences come from the order of floating-point sums.
NO_CHANGE = 1e-9
STEPS = {
    "corrected_rows": "Corrected responses",
    "changed_eligibility": "Changed eligibility",
    "new_people": "New participants",
    "protocol": "Changed protocol",
}


def changes(index: IndexReport) -> Section:
    """The steps between the previous and the current main ratios, then every changed main estimate."""
    previous = index.provenance.get("previous_release")
    new = new_waves(index.bridge)
    if is_missing(previous) or not previous:
        sentence = "There is no earlier release to compare with."
    elif not index.bridge:
        sentence = f"No estimate changed since release {previous}."
    else:
        sentence = f"Compared with release {previous}."
    return section(
        "changes",
        "What changed since the last release",
        paragraph(sentence),
        *(paragraph(f"Wave {wave} is new: {count(estimates)} estimates.") for wave, estimates in new.items()),
        table(_steps_table(index)) or note("No main risk ratio changed." if index.steps else ""),
        note(f"No steps are available: {index.bridge_note}." if index.bridge_note and index.bridge else ""),
        table(bridge_table([each for each in index.bridge if str(each["wave"]) not in new], index.protocol)),
        short="What changed",
    )


def new_waves(bridge: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Waves that are new since the previous release, with their number of estimates."""
    kinds: dict[str, set[str]] = {}
    for each in bridge:
        if each["analysis"] == "main":
            kinds.setdefault(str(each["wave"]), set()).add(str(each["change"]))
    return {
        wave: sum(str(each["wave"]) == wave for each in bridge) for wave, found in kinds.items() if found == {"new"}
    }


def _steps_table(index: IndexReport) -> Table | None:
    names: dict[str, str] = {each: index.protocol.exposures.scale(each).name for each in index.exposures}
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
        "Each step multiplies the ratio by the number shown; in brackets, the number of participants concerned. "
        f"Flagged: the change exceeds {index.protocol.bridge.flagged_standard_errors:g} times its standard error."
    )
    return Table(
        "steps-table", "Why the main ratios changed, step by step", columns, (Group(tuple(lines)),), note=remark
    )


def _step(step: Mapping[str, Any] | None) -> str:
    if step is None or is_missing(step["change"]):
        return "–"
    people = "" if is_missing(step["people"]) else f" ({count(step['people'])})"
    return f"× {math.exp(float(step['change'])):.3f}{people}"
