"""Commands for overlap of the categories, doubly robust and overlap-weighted estimates, in R and in Stata.

Stata's ``teffects aipw`` fits a model of the outcome in each category, so it has no command for the doubly robust
estimates, whose model is that of the standardized risks.
"""

from __future__ import annotations

from stegvis.analyses.overlap import EQUIPOISE, ESS, SMALLEST_PROBABILITY
from stegvis.reproduction.models import EstimateRow, plain
from stegvis.reproduction.r import estimate, formula, vector
from stegvis.reproduction.stata import chain, factors, use

FUNCTIONS = {"risk": "risk", "rd": "risk_difference", "rr": "risk_ratio"}


# ---- R ----


def overlap(row: EstimateRow) -> str:
    """What describes the propensity of the categories."""
    model = _propensity(row)
    if row.measure.startswith("smd"):
        weights = "" if row.measure == "smd" else f", {_weights(row)}({model})"
        return f'group_balance({model}, "{row.key["term"]}"{weights})'
    if row.measure == ESS:
        return f"group_size({model}, {row.place}, {_weights(row)}({model}))"
    return f"{row.measure}({model}, {_place(row)})"


def estimates(row: EstimateRow) -> str:
    """Doubly robust and overlap-weighted risks, differences, ratios, and their ratios over the standardized ones."""
    # R cannot repeat in which fold each person is.
    if row.analysis == "doubly_robust" and row.protocol.overlap.folds > 1:
        return ""
    if row.place == 1 and row.measure != "risk":
        return "0" if row.measure == "rd" else "1"
    found = f"{row.analysis}({_propensity(row)})"
    if row.measure == "ratio_of_rr":
        standardized = f'standardized({formula(plain(row))}, people, "{row.category}")'
        return estimate(f"against({found}, {standardized}, {row.place})")
    return estimate(f"{FUNCTIONS[row.measure]}({found}, {row.place})")


def _propensity(row: EstimateRow) -> str:
    return f'propensity(people, "{row.category}", {vector(row.covariates)})'


def _weights(row: EstimateRow) -> str:
    return row.variant or "inverse_weights"


def _place(row: EstimateRow) -> int:
    """The number of the category; the reference has no equipoise."""
    return row.place + (row.measure == EQUIPOISE)


# ---- Stata ----


def overlap_in_stata(row: EstimateRow) -> str:
    """What describes the propensity of the categories; balance has no short command."""
    if row.measure == SMALLEST_PROBABILITY:
        few = row.protocol.disclosure.smallest_count
        return chain(_probabilities(row), f"sort p{row.place}", f"summarize p{row.place} in 1/{few}")
    if row.measure == ESS:
        return chain(
            _weighted(row),
            f"keep if {row.category} == {row.place}",
            "generate double square = w^2",
            "summarize w",
            "scalar total = r(sum)",
            "summarize square",
            "display total^2 / r(sum)",
        )
    if row.measure == EQUIPOISE:
        place, (low, high) = _place(row), row.protocol.overlap.equipoise
        return chain(
            _probabilities(row),
            f"count if {row.category} == 1",
            "scalar first = r(N)",
            f"count if {row.category} == {place}",
            f"generate double score = invlogit(ln(p{place} / p1) - ln(r(N) / first))",
            f"generate inside = inrange(score, {low:g}, {high:g})",
            f"tabstat inside if inlist({row.category}, 1, {place}), by({row.category})",
        )
    return ""


def overlap_weighted_in_stata(row: EstimateRow) -> str:
    """Weighted risks, their difference or ratio."""
    if row.measure not in ("rd", "rr"):
        return ""
    sign = "-" if row.measure == "rd" else "/"
    return chain(
        _weighted(row, "overlap_weights"),
        f"summarize low_back_pain [aweight = w] if {row.category} == 1",
        "scalar first = r(mean)",
        f"summarize low_back_pain [aweight = w] if {row.category} == {row.place}",
        f"display r(mean) {sign} first",
    )


def _probabilities(row: EstimateRow) -> str:
    squared = [name for name in row.protocol.attrition_weights.squared if name in row.covariates]
    squares = "".join(f" c.{name}#c.{name}" for name in squared)
    fit = f"mlogit {row.category} {factors(row.covariates, row.levels)}{squares}, baseoutcome(1)"
    return chain(use(), fit, f"predict double p1-p{len(row.scale.categories)}")


def _weighted(row: EstimateRow, kind: str = "") -> str:
    places = range(1, len(row.scale.categories) + 1)
    own = " + ".join(f"p{place} * ({row.category} == {place})" for place in places)
    tilt = f"1 / ({' + '.join(f'1 / p{place}' for place in places)})" if kind or row.variant else "1"
    return chain(_probabilities(row), f"generate double w = {tilt} / ({own})")
