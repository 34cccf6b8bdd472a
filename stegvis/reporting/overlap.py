"""Whether doubly robust and overlap-weighted ratios agree with the standardized ones, and what overlap there is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from markupsafe import Markup

from stegvis.reporting.blocks import folded, note, paragraph, table
from stegvis.reporting.formatting import count, decimal, is_missing, ratio
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.ratio_tables import variants_table
from stegvis.reporting.rows import by_level, chosen
from stegvis.reporting.wording import level_label
from stegvis.study.protocol import Exposure

ESTIMATORS = {"doubly_robust": "doubly robust", "overlap_weighted": "overlap-weighted"}
DIAGNOSTICS = {
    "exposure_balance": "balance after weighting",
    "exposure_overlap": "equipoise",
    "exposure_positivity": "smallest probability of a category",
    "exposure_effective_sample_size": "effective sample size",
    "overlap_weighted_balance": "balance after overlap weighting",
}
MEANING = (
    "Standardized risks rest on the model of the outcome alone. Doubly robust ones (augmented inverse-probability "
    "weighting) also use the probability of each category given the covariates, and are right if either model is. "
    "Overlap-weighted ratios are of the participants who could be in any category."
)
RULE = (
    "Two ratios agree if they differ by at most one standard error of the standardized one, on the log scale. A larger "
    "difference is a disagreement if the interval of the ratio of the two excludes 1, which allows for both being of "
    "the same participants (Hausman 1978, doi 10.2307/1913827); otherwise chance may explain it. Overlap-weighted "
    "ratios represent other people than the rest, so they may also disagree because the association is not the same "
    "for everyone."
)
State = Literal["agree", "differ", "disagree"]
Row = Mapping[str, Any]


def agreement(report: WaveReport) -> list[Markup]:
    """The ratios of each exposure by three estimators, whether they agree, and the numbers that describe overlap."""
    blocks: list[Markup] = []
    for exposure in report.exposures:
        made = _ratios(report, exposure)
        if made is None:
            continue
        sentences = [_sentence(report, exposure, analysis) for analysis in ESTIMATORS]
        name = report.protocol.exposures.scale(exposure).name
        blocks += [table(made), paragraph(f"{name}: " + " ".join([*sentences, _thin(report, exposure)]).strip())]
    if not blocks:
        return []
    overlap = folded("Overlap and balance of the categories", table(_categories(report)), table(_balance(report)))
    return [paragraph(MEANING), *blocks, note(RULE), overlap]


def state_of(apart: Row, standardized: Row) -> State:
    """Whether two ratios agree, from their ratio and the standard error of the standardized one (``RULE``)."""
    if abs(math.log(float(apart["estimate"]))) <= float(standardized["std_error"]):
        return "agree"
    return "differ" if float(apart["ci_low"]) <= 1 <= float(apart["ci_high"]) else "disagree"


def _ratios(report: WaveReport, exposure: Exposure) -> Table | None:
    names = {"standardized_risk": "standardized"} | ESTIMATORS
    rows = {name: _rows(report, analysis, exposure, "rr") for analysis, name in names.items()}
    if not any(rows[name] for name in ESTIMATORS.values()):
        return None
    levels = dict.fromkeys(str(row["level"]) for each in rows.values() for row in by_level(each))
    references = {str(row["reference"]) for each in rows.values() for row in each}
    shown = [level for level in levels if level not in references]
    caption = f"{report.protocol.exposures.scale(exposure).name}: ratios of risks, fully adjusted"
    return variants_table(
        f"overlap-{exposure}", caption, shown, [(name.capitalize(), each) for name, each in rows.items()]
    )


def _sentence(report: WaveReport, exposure: Exposure, analysis: str) -> str:
    name = ESTIMATORS[analysis]
    ours = {str(row["level"]): row for row in _rows(report, analysis, exposure, "rr")}
    theirs = {str(row["level"]): row for row in _rows(report, "standardized_risk", exposure, "rr")}
    found: dict[State, list[str]] = {"agree": [], "differ": [], "disagree": []}
    for row in by_level(_rows(report, analysis, exposure, "ratio_of_rr")):
        level = str(row["level"])
        if level == row["reference"] or not _compared(row, ours.get(level), theirs.get(level)):
            continue
        pair = f"{level_label(level)}: {ratio(ours[level]['estimate'])} against {ratio(theirs[level]['estimate'])}"
        found[state_of(row, theirs[level])].append(pair)
    if not any(found.values()):
        return f"The {name} ratios cannot be compared with the standardized ones{_reason(list(ours.values()))}."
    said = []
    if found["disagree"]:
        said.append(f"The {name} ratios disagree with the standardized ones ({'; '.join(found['disagree'])}).")
    if found["differ"]:
        said.append(
            f"The {name} ratios differ from the standardized ones by more than one standard error, which chance may "
            f"explain ({'; '.join(found['differ'])})."
        )
    if found["agree"]:
        others = "other " if said else ""
        said.append(f"The {others}{name} ratios agree with the standardized ones.")
    return " ".join(said)


def _compared(apart: Row, ours: Row | None, theirs: Row | None) -> bool:
    """Whether all that the rule needs is published."""
    if ours is None or theirs is None or any(row["status"] != "ok" for row in (apart, ours, theirs)):
        return False
    needed = (apart["estimate"], apart["ci_low"], apart["ci_high"], ours["estimate"], theirs["estimate"])
    return not any(map(is_missing, (*needed, theirs["std_error"])))


def _reason(rows: list[Row]) -> str:
    reasons = dict.fromkeys(str(row["note"]).split("; ")[-1] for row in rows if row["status"] == "not_estimable")
    return f" ({next(iter(reasons))})" if reasons else ""


def _thin(report: WaveReport, exposure: Exposure) -> str:
    """Which diagnostics of overlap do not pass."""
    rows = chosen(report.own_results, analysis="diagnostics", exposure=exposure)
    results = {str(row["term"]): str(row["level"]) for row in rows if str(row["term"]) in DIAGNOSTICS}
    if not results:
        return ""
    failing = [f"{DIAGNOSTICS[term]} ({level})" for term, level in results.items() if level != "pass"]
    if not failing:
        return "The categories overlap well: every diagnostic of overlap passes."
    return f"Overlap of the categories is limited: {', '.join(failing)}."


def _rows(report: WaveReport, analysis: str, exposure: Exposure, measure: str) -> list[dict[str, Any]]:
    return chosen(report.own_results, analysis=analysis, exposure=exposure, model="adjusted", measure=measure)


# ---- what overlap there is ----


def _categories(report: WaveReport) -> Table | None:
    """By category: smallest probability, equipoise, effective sample sizes."""
    groups = []
    for exposure in report.exposures:
        found: dict[str, dict[str, Row]] = {}
        described = [
            ("smallest_probability", "overlap", "smallest_probability"),
            ("equipoise", "overlap", "equipoise"),
            ("inverse", "overlap", "ess"),
            ("overlap", "overlap:overlap_weights", "ess"),
        ]
        for name, analysis, measure in described:
            for row in by_level(_rows(report, analysis, exposure, measure)):
                found.setdefault(str(row["level"]), {})[name] = row
        lines = tuple(
            (
                level_label(level),
                decimal(_value(values.get("smallest_probability")), 3),
                decimal(_value(values.get("equipoise")), 2) if "equipoise" in values else "reference",
                count(_value(values.get("inverse"))),
                count(_value(values.get("overlap"))),
            )
            for level, values in found.items()
        )
        if lines:
            scale = report.protocol.exposures.scale(exposure)
            groups.append(Group(lines, f"{scale.name}, {scale.unit}"))
    if not groups:
        return None
    columns = (
        "Category",
        "Smallest probability",
        "Share in equipoise",
        "Effective size, inverse probability",
        "Effective size, overlap weights",
    )
    low, high = report.protocol.overlap.equipoise
    remark = (
        f"Equipoise: a preference score of {low:g} to {high:g} between a category and the reference (Walker 2013, doi "
        "10.2147/CER.S40357), the smaller share of the two. Smallest probability: the mean of the few smallest."
    )
    return Table("overlap-table", "Overlap of the categories", columns, tuple(groups), note=remark)


def _balance(report: WaveReport) -> Table | None:
    """By covariate: the largest difference of two categories, before and after weighting."""
    groups = []
    for exposure in report.exposures:
        found: dict[str, list[str]] = {}
        for analysis, measure in (
            ("overlap", "smd"), ("overlap", "smd_weighted"), ("overlap:overlap_weights", "smd_weighted"),
        ):  # fmt: skip
            for row in _rows(report, analysis, exposure, measure):
                found.setdefault(str(row["term"]), []).append(decimal(_value(row), 2))
        lines = tuple((report.words.variable(term), *values) for term, values in found.items())
        if lines:
            groups.append(Group(lines, report.protocol.exposures.scale(exposure).name))
    if not groups:
        return None
    columns = ("Covariate", "Unweighted", "Inverse probability", "Overlap weights")
    caption = "Largest standardized difference of two categories"
    return Table("overlap-balance", caption, columns, tuple(groups))


def _value(row: Row | None) -> Any:
    return None if row is None or row["status"] != "ok" else row["estimate"]
