"""Printed names of levels and models, and the sentences that follow by rule from the numbers.

The study is observational: no sentence here uses causal words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from stegvis.reporting.formatting import interval, is_missing, ratio
from stegvis.reporting.words import Words
from stegvis.study.protocol import Exposure, Protocol

Direction = Literal["lower", "higher", "unclear", "too few", "not shown"]

MODELS = {"age": "Age-adjusted", "adjusted": "Fully adjusted"}


def plain(name: str) -> str:
    """An identifier as words: ``no_valid_day`` is ``no valid day``."""
    return name.replace("_", " ")


def level_label(level: Any) -> str:
    """A category label as printed in tables: ``>=125`` is ``≥125``, ``78-100`` is ``78–100``."""
    text = "" if is_missing(level) else str(level)
    text = text.replace(">=", "≥")
    return re.sub(r"(?<=\d)-(?=\d)", "–", text)


def level_words(level: str, unit: str) -> str:
    """A category label inside a sentence: ``below 78 min/day``, ``of 78 to 100 min/day``, ``of 125 min/day or more``.

    A label of another form is used as it is.
    """
    if level.startswith(">="):
        return f"of {level[2:]} {unit} or more"
    if level.startswith("<"):
        return f"below {level[1:]} {unit}"
    between = re.fullmatch(r"([\d.]+)-([\d.]+)", level)
    if between:
        return f"of {between[1]} to {between[2]} {unit}"
    return f"of {level} {unit}"


def is_shown(row: Mapping[str, Any]) -> bool:
    """Whether an estimate may be printed: its status is ok, and estimate and interval are present."""
    return row["status"] == "ok" and not any(is_missing(row[name]) for name in ("estimate", "ci_low", "ci_high"))


def direction(row: Mapping[str, Any]) -> Direction:
    """Where the interval of a risk ratio is: entirely below 1, entirely above 1, neither, or not available."""
    if row["status"] == "suppressed":
        return "not shown"
    if not is_shown(row):
        return "too few"
    if row["ci_high"] < 1:
        return "lower"
    if row["ci_low"] > 1:
        return "higher"
    return "unclear"


def estimate_words(row: Mapping[str, Any], protocol: Protocol) -> str:
    """An estimate with its interval: ``risk ratio 0.76, 95% CI 0.67 to 0.87``."""
    return f"risk ratio {ratio(row['estimate'])}, {interval(row['ci_low'], row['ci_high'], protocol)}"


def suppression_sentence(protocol: Protocol) -> str:
    """Which counts are suppressed."""
    return (
        f"Cells with fewer than {protocol.disclosure.smallest_count} participants, and further cells needed to protect "
        "them, are suppressed."
    )


def comparison_sentence(row: Mapping[str, Any], exposure: Exposure, words: Words) -> str:
    """The sentence that one risk ratio supports, for readers without statistics.

    Args:
        row: one row of results, with level, reference, estimate, ci_low, ci_high and status.
        exposure: which exposure the categories belong to.
        words: name the outcome, the exposure and its unit.
    """
    protocol, outcome = words.protocol, words.outcome.name
    scale = protocol.exposures.scale(exposure)
    name = scale.name.lower()
    group = f"people with a {name} {level_words(str(row['level']), scale.unit)}"
    others = f"people with a {name} {level_words(str(row['reference']), scale.unit)}"
    match direction(row):
        case "lower":
            return (
                f"The risk of {outcome} was lower among {group} than among {others} ({estimate_words(row, protocol)})."
            )
        case "higher":
            return (
                f"The risk of {outcome} was higher among {group} than among {others} ({estimate_words(row, protocol)})."
            )
        case "unclear":
            return (
                f"It is unclear whether the risk of {outcome} differed between {group} and {others} "
                f"({estimate_words(row, protocol)}): the interval includes 1."
            )
        case "too few":
            return f"There were too few people or cases, or too little variation, to compare {group} with {others}."
        case "not shown":
            return f"The comparison of {group} with {others} is not shown, for the privacy of people in small groups."


def e_value_sentence(row: Mapping[str, Any], words: Words) -> str:
    """What the E-value of one risk ratio means, without jargon (VanderWeele & Ding 2017, doi 10.7326/M16-2607).

    Empty without an E-value.
    """
    if not is_shown(row) or is_missing(row["e_value"]):
        return ""
    if is_missing(row["e_value_ci"]):
        end = ""
    elif float(row["e_value_ci"]) <= 1:
        end = " The interval includes no difference already."
    else:
        end = f" To make the difference unclear, {ratio(row['e_value_ci'])} times of both would be enough."
    return (
        "something that was not measured could explain the whole difference if it were, for example, "
        f"{ratio(row['e_value'])} times as common in one group as in the other and also went with "
        f"{ratio(row['e_value'])} times the risk of {words.outcome.name}.{end}"
    )


def tipping_sentence(times: Any, limit_times: Any, words: Words) -> str:
    """What the tipping point of one risk ratio means, without jargon.

    Args:
        times: the tipping point of the ratio.
        limit_times: that of its limit nearest 1; may be missing.
        words: name the outcome.
    """
    near = "" if is_missing(limit_times) else f" ({ratio(limit_times)} times to make it unclear)"
    return (
        f"There would be no difference if {words.outcome.name} were {ratio(times)} times as common among the "
        f"participants of the highest category who were lost to follow-up as among those followed{near}."
    )
