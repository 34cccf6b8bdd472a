"""The tables of the main results, Table 1, claims, checks, changes and deliveries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from stegvis.analyses.characteristics import FOLLOW_UP
from stegvis.claims.ranks import level_order
from stegvis.reporting.formatting import (
    NOTHING,
    count,
    decimal,
    guarded_count,
    interval_name,
    is_missing,
    limits,
    p_value,
    ratio,
)
from stegvis.reporting.markup import Group, Table, code, tag
from stegvis.reporting.rows import main_risk_ratios, records
from stegvis.reporting.wording import MODELS, is_shown, level_label, plain, suppression_sentence
from stegvis.reporting.words import Words
from stegvis.study.protocol import EXPOSURES, Exposure, Protocol

TITLE = "Table 1. Characteristics of the analyzed sample"
ADDITIONAL_TITLE = "Table 1, further characteristics"
SUPPRESSED = "not shown"
NOT_ESTIMABLE = "not estimable"
# Severities of a blocking check; any other is a warning.
BLOCKING = ("critical", "error")
TRENDS = {
    "median": "category medians",
    "ordinal": "category numbers",
    "linear": "the exposure itself",
}
# In the place of an estimate that this release does not have, or that is withheld in one of the two.
INSTEAD = {"gone": "no longer published", "not compared": "not compared"}
# Analyses whose changes a page lists one by one.
HEADLINES = ("main", "trend", "pooled")
SOURCES = {"paper": "From the paper", "lay summary": "From its lay summary"}
CONCLUSION_KINDS = {"supported": "good", "not supported": "bad", "unclear": "neutral"}


def characteristics_table(
    characteristics: pd.DataFrame, exposure: Exposure, words: Words, additional: bool = False
) -> Table | None:
    """Table 1: the analyzed sample, overall and by category of one exposure.

    Args:
        characteristics: rows of one wave, columns of ``inputs.CHARACTERISTIC_COLUMNS``. Total rows have category
            ``all`` and this exposure, ``all`` or none.
        exposure: the exposure whose categories are the columns.
        words: name the rows and the exposure.
        additional: the additional rows of the published supplement instead of the main ones.

    Returns:
        The table, or None when there are no such rows of this exposure.
    """
    protocol = words.protocol
    further = characteristics["variable"].isin([FOLLOW_UP, *protocol.characteristics.further])
    characteristics = characteristics[further if additional else ~further]
    owner = characteristics["exposure"].astype("string").fillna("all")
    category = characteristics["category"].astype("string")
    rows = characteristics[(owner == exposure) | ((owner == "all") & (category == "all"))]
    if not (owner == exposure).any():
        return None
    scale = protocol.exposures.scale(exposure)
    categories = sorted(set(rows["category"].astype(str)), key=lambda name: (name != "all", level_order(name)))
    cells: dict[str, dict[str, dict[str, str]]] = {}
    for row in records(rows):
        level = "" if is_missing(row["level"]) else str(row["level"])
        by_level = cells.setdefault(str(row["variable"]), {})
        by_level.setdefault(level, {})[str(row["category"])] = _characteristic(row, protocol)
    groups = []
    for variable, levels in cells.items():
        single = list(levels) == [""]
        lines = tuple(
            (
                words.variable(variable) if level == "" else level,
                *(found.get(name, "–") for name in categories),
            )
            for level, found in levels.items()
        )
        groups.append(Group(lines, "" if single else words.variable(variable)))
    headings = ["All" if name == "all" else f"{level_label(name)} {scale.unit}" for name in categories]
    return Table(
        identifier=f"characteristics-{exposure}" + ("-additional" if additional else ""),
        caption=f"{ADDITIONAL_TITLE if additional else TITLE}, by {scale.name.lower()}",
        columns=("Characteristic", *headings),
        groups=tuple(groups),
        note=(
            "Numbers are participants (percent of the column) or mean (standard deviation). "
            + suppression_sentence(protocol)
        ),
    )


def results_table(results: pd.DataFrame, exposures: Sequence[Exposure], words: Words) -> Table | None:
    """The main results: by category of each exposure, the fully adjusted risk ratio first, then all that goes with it.

    Args:
        results: results of one wave, columns of ``inputs.RESULT_COLUMNS``.
        exposures: those to show, each a group of rows; one without an estimate is absent.
        words: name the outcome, the exposures and the covariates.
    """
    protocol = words.protocol
    groups, reasons = [], []
    for exposure in exposures:
        rows = main_risk_ratios(results, exposure)
        if rows.empty:
            continue
        groups.append(Group(_main_lines(rows), words.exposure(exposure)))
        reasons += list(rows.loc[rows["status"] == "not_estimable", "note"].dropna().astype(str))
    if not groups:
        return None
    # The reason comes last in a note, after mode and options.
    last = dict.fromkeys(reason.split("; ")[-1] for reason in reasons)
    notes = [f"Not estimable: {reason}." for reason in last if reason]
    names = words.covariates(protocol.models.adjusted)
    return Table(
        identifier="results-table",
        caption=f"Walking at baseline and {words.outcome.name} at follow-up",
        columns=(
            "Category",
            f"Fully adjusted RR ({interval_name(protocol)})",
            "p, fully adjusted",
            "E-value (interval)",
            f"Age-adjusted RR ({interval_name(protocol)})",
            "Participants",
            "Cases",
        ),
        groups=tuple(groups),
        note=" ".join([f"RR: risk ratio against the lowest category. Fully adjusted: {names}.", *notes]),
    )


def _main_lines(rows: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    lines = []
    for level in dict.fromkeys(rows["level"].astype(str)):
        by_model = {row["model"]: row for row in records(rows[rows["level"].astype(str) == level])}
        adjusted = by_model.get("adjusted", next(iter(by_model.values())))
        own, age = (estimate_cell(by_model[name]) if name in by_model else "–" for name in ("adjusted", "age"))
        lines.append((level_label(level), own, p_cell(adjusted), e_value_cell(adjusted), age, *people_cells(adjusted)))
    return tuple(lines)


def people_cells(row: Mapping[str, Any]) -> tuple[str, str]:
    """Participants and cases of a row; one whose cases alone are suppressed may still show its participants."""
    participants, cases = (SUPPRESSED if is_missing(row[name]) else count(row[name]) for name in ("n", "events"))
    return participants, cases


def trend_table(results: pd.DataFrame, exposure: Exposure, protocol: Protocol) -> Table | None:
    """Tests over all categories: the joint test and each trend, for both models.

    Args:
        results: results of one wave; rows with measure p_joint (analysis main) and rows of analysis trend are shown.
        exposure: walking_minutes or walking_met.
        protocol: names the exposure and the covariates.
    """
    own = results[(results["exposure"] == exposure) & results["model"].isin(list(MODELS))]
    joint = own[(own["analysis"] == "main") & (own["measure"] == "p_joint")]
    trend = own[own["analysis"] == "trend"]
    lines: dict[str, dict[str, str]] = {}
    for row in records(joint):
        lines.setdefault("Any difference between categories (joint Wald test)", {})[row["model"]] = _test(row)
    for row in sorted(records(trend), key=lambda row: _trend_rank(row, exposure)):
        lines.setdefault(_trend_label(row, exposure), {})[row["model"]] = _test(row)
    if not lines:
        return None
    return Table(
        identifier=f"trend-{exposure}",
        caption=f"{protocol.exposures.scale(exposure).name}: tests over all categories",
        columns=("Test", *(f"{model}: RR ({interval_name(protocol)}), p" for model in MODELS.values())),
        groups=(Group(tuple((name, *(found.get(model, "–") for model in MODELS)) for name, found in lines.items())),),
        note="A trend test asks whether risk rises or falls steadily over the exposure; it says nothing about shape.",
    )


def claims_table(claims: Sequence[Mapping[str, Any]]) -> Table | None:
    """Each claim with its conclusion, the evidence, and what would change it; those of the paper first."""
    groups = []
    for source, heading in SOURCES.items():
        rows = tuple((str(each["statement"]), _conclusion_cell(each)) for each in claims if each["source"] == source)
        if rows:
            groups.append(Group(rows, heading))
    if not groups:
        return None
    columns = ("Claim", "Conclusion, evidence, and what would change it")
    return Table("claims-table", "Claims tested against this wave", columns, tuple(groups), numeric=False)


def _conclusion_cell(claim: Mapping[str, Any]) -> Markup:
    evidence, turn = (str(claim[name]).replace(">=", "≥") for name in ("evidence", "turn"))
    if claim["verdict"] == "not applicable":
        return Markup("{}. {}.").format(conclusion_tag(str(claim["verdict"])), evidence)
    return Markup("{}. {}<br>This conclusion would change if {}.").format(
        conclusion_tag(str(claim["verdict"])), evidence, turn
    )


def conclusion_tag(conclusion: str) -> str:
    """The conclusion of a claim, colored."""
    return tag(conclusion, CONCLUSION_KINDS.get(conclusion, "neutral"))


def checks_table(
    checks: Sequence[Mapping[str, Any]],
    identifier: str,
    caption: str,
    smallest_count: int,
    affects: Callable[[Mapping[str, Any]], str] | None = None,
) -> Table | None:
    """Every check with its meaning, column, failing rows, result, and what it affects; failed ones first."""
    ordered = sorted(checks, key=lambda each: (bool(each["passed"]), str(each["severity"]).lower() not in BLOCKING))
    rows = tuple((*_check(each, smallest_count), *([affects(each)] if affects else [])) for each in ordered)
    if not rows:
        return None
    columns = ("Check", "Table", "Column", "Failing rows", "Result", *(["Estimates made from it"] if affects else []))
    return Table(identifier, caption, columns, (Group(rows),), numeric=False)


def bridge_table(bridge: Sequence[Mapping[str, Any]], protocol: Protocol) -> Table | None:
    """Each estimate of the main analyses that changed since the previous release, before and now.

    A single new response changes every estimate of its wave; those of the other analyses are only counted here.
    """
    shown = [each for each in bridge if each["analysis"] in HEADLINES]
    rows = tuple(
        (
            _category_name(str(each["exposure"]), each["level"], protocol),
            str(each["wave"]),
            ", ".join([plain(str(each["analysis"])), MODELS.get(str(each["model"]), str(each["model"])).lower()]),
            "new" if each["change"] == "new" else _value_of(each, "before"),
            INSTEAD.get(str(each["change"])) or _value_of(each, "now"),
        )
        for each in shown
    )
    if not bridge:
        return None
    columns = (
        "Estimate",
        "Wave",
        "Analysis",
        f"Before ({interval_name(protocol)})",
        f"Now ({interval_name(protocol)})",
    )
    others = len(bridge) - len(shown)
    note = f"In the other analyses, {others} estimates changed: see bridge.json of the release." if others else ""
    return Table("bridge-table", "Estimates changed since the previous release", columns, (Group(rows),), note=note)


def publications_table(published: Iterable[Mapping[str, Any]]) -> Table | None:
    """The release in which each wave was published, and a keyed hash of the deliveries behind its numbers."""
    rows = tuple((str(each["wave"]), str(each["release"]), code(str(each["deliveries"]))) for each in published)
    if not rows:
        return None
    columns = ("Wave", "Published in release", "Deliveries (HMAC-SHA-256)")
    note = "A wave is published once; later releases repeat its numbers."
    return Table("publications-table", "When each wave was published", columns, (Group(rows),), note, numeric=False)


def _characteristic(row: Mapping[str, Any], protocol: Protocol) -> str:
    if row["status"] == "suppressed":
        return SUPPRESSED
    if not is_missing(row["mean"]):
        decimals = _mean_decimals(str(row["variable"]), protocol)
        return f"{decimal(row['mean'], decimals)} ({decimal(row['sd'], decimals)})"
    if is_missing(row["percent"]):
        return count(row["n"])
    return f"{count(row['n'])} ({decimal(row['percent'])}%)"


def _mean_decimals(variable: str, protocol: Protocol) -> int:
    """One, as in the published table; for an exposure at least as many as its category labels."""
    return max([1, *(protocol.exposures.scale(each).printed_decimals for each in EXPOSURES if each == variable)])


def estimate_cell(row: Mapping[str, Any]) -> str:
    """A ratio with its limits, ``1 (reference)``, or why it is missing."""
    if row["level"] == row["reference"]:
        return "1 (reference)"
    if is_shown(row):
        return f"{ratio(row['estimate'])} ({limits(row['ci_low'], row['ci_high'])})"
    if row["status"] == "ok" and not is_missing(row["estimate"]):
        return f"{ratio(row['estimate'])} (no interval)"
    return SUPPRESSED if row["status"] == "suppressed" else NOT_ESTIMABLE


def p_cell(row: Mapping[str, Any]) -> str:
    """The p-value of a ratio against 1."""
    return p_value(row["p_value"]) if is_shown(row) and row["level"] != row["reference"] else "–"


def e_value_cell(row: Mapping[str, Any]) -> str:
    """The E-value of a ratio and, in brackets, of its limit nearest 1."""
    if not is_shown(row) or is_missing(row["e_value"]):
        return "–"
    return ratio(row["e_value"]) + ("" if is_missing(row["e_value_ci"]) else f" ({ratio(row['e_value_ci'])})")


def _test(row: Mapping[str, Any]) -> str:
    if row["status"] != "ok":
        return SUPPRESSED if row["status"] == "suppressed" else NOT_ESTIMABLE
    shown = p_value(row["p_value"])
    if row["measure"] == "rr" and is_shown(row):
        return f"{ratio(row['estimate'])} ({limits(row['ci_low'], row['ci_high'])}), {shown}"
    return shown


def _trend_rank(row: Mapping[str, Any], exposure: Exposure) -> int:
    names = [f"{exposure}_{name}" for name in TRENDS]
    return names.index(row["term"]) if row["term"] in names else len(names)


def _trend_label(row: Mapping[str, Any], exposure: Exposure) -> str:
    term = str(row["term"]).removeprefix(f"{exposure}_")
    unit = "" if is_missing(row["level"]) or not row["level"] else f", {row['level']}"
    return f"Trend over {TRENDS.get(term, plain(term))}{unit}"


def _check(record: Mapping[str, Any], smallest_count: int) -> tuple[str, ...]:
    where = str(record["asset"])
    if not is_missing(record["partition"]) and str(record["partition"]):
        where = f"{where}, {record['partition']}"
    if record["passed"]:
        result = tag("passed", "good")
    else:
        severity = str(record["severity"]).lower()
        result = tag(f"failed ({severity})", "bad" if severity in BLOCKING else "neutral")
    name = Markup("{} {}").format(str(record["meaning"]), code(str(record["check"])))
    rule = NOTHING if is_missing(record["rule"]) else str(record["rule"])
    return (name, where, rule, guarded_count(record["failing"], smallest_count), result)


def _category_name(exposure: str, level: Any, protocol: Protocol) -> str:
    for each in EXPOSURES:
        if each == exposure:
            scale = protocol.exposures.scale(each)
            return f"{scale.name} {level_label(level)} {scale.unit}"
    return f"{plain(exposure)} {level_label(level)}"


def _value_of(record: Mapping[str, Any], when: str) -> str:
    """An estimate of the bridge before or now, with its participants, so that a change in numbers alone shows too."""
    estimate, low, high = (record[f"{name}_{when}"] for name in ("estimate", "ci_low", "ci_high"))
    if is_missing(estimate):
        return SUPPRESSED
    if str(record["measure"]).startswith("p_"):
        shown = p_value(estimate)
    elif is_missing(low) or is_missing(high):
        shown = ratio(estimate)
    else:
        shown = f"{ratio(estimate)} ({limits(low, high)})"
    return shown if is_missing(record[f"n_{when}"]) else f"{shown}, {count(record[f'n_{when}'])} participants"
