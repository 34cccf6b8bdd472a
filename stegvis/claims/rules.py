"""One function per kind of claim: the conclusion, its evidence, and what would change it.

The functions see the fully adjusted estimates only. Where the results include an interval for the contrast in question,
the interval decides. Where they do not (comparisons of two estimates from the same participants), the point estimates
decide between supported and not supported, and the evidence says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from stegvis.claims.categories import NotApplicableError
from stegvis.claims.equivalence import WITHOUT_MARGIN, equivalent
from stegvis.claims.numbers import limits as _limits
from stegvis.claims.numbers import shown as _r
from stegvis.claims.ranks import ranked
from stegvis.study.claims import Claim

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["supported", "not supported", "unclear", "not applicable", "cannot be evaluated"]
Evaluated = tuple[Verdict, str, str]
Row = Mapping[str, Any]

NOMINAL = 0.05
# Of a modifier: the group whose risk ratio is divided by the other's.
COMPARED = {"older": "older to younger", "sex": "men to women"}
# The step of an exposure for which a slope is given, and its unit.
STEPS = {"walking_minutes": (20.0, "min/day"), "walking_met": (0.1, "MET")}


class UnknownError(Exception):
    """An estimate a claim depends on is not published or not estimable; the message says which."""


def lower(claim: Claim, results: pd.DataFrame) -> Evaluated:
    """Supported: the interval of every named category is entirely below 1. Not supported: any is entirely above 1."""
    rows = _named(claim, results)
    shown = "; ".join(_shown(row) for row in rows)
    above = [row for row in rows if row["ci_low"] > 1]
    if above:
        return "not supported", shown, _lower_limit_falls_to_one(min(above, key=lambda row: row["ci_low"]))
    if all(row["ci_high"] < 1 for row in rows):
        nearest = max(rows, key=lambda row: row["ci_high"])
        return "supported", shown, _rises_to_one(nearest)
    open_ones = [row for row in rows if row["ci_high"] >= 1]
    return "unclear", shown, " and ".join(_falls_below_one(row) for row in open_ones)


def agrees(claim: Claim, results: pd.DataFrame) -> Evaluated:
    """The published value is within the interval, and the estimate is on the same side of 1."""
    (row,) = _named(claim, results)
    value = _needed(claim.value)
    shown = _shown(row)
    low, high, estimate = row["ci_low"], row["ci_high"], row["estimate"]
    if not low <= value <= high:
        limit = "lower" if value < low else "upper"
        nearest = low if value < low else high
        return "not supported", shown, f"the {limit} limit ({_r(nearest)}) passed {_r(value)}"
    if (estimate < 1) == (value < 1) and not low <= 1 <= high:
        return "supported", shown, f"a limit ({_r(low)} or {_r(high)}) passed {_r(value)}"
    return "unclear", shown, f"{_falls_below_one(row)} (now the interval includes both {_r(value)} and 1)"


def e_value(claim: Claim, results: pd.DataFrame) -> Evaluated:
    """The E-value of the limit is at least the stated value."""
    (row,) = _named(claim, results)
    limit, least = float(row["e_value_ci"]), _needed(claim.at_least)
    shown = f"E-value of the limit {_r(limit)}; {_shown(row)}"
    if math.isnan(limit):
        return "unclear", shown, "the estimate had an E-value"
    word, verdict = ("fell below", "supported") if limit >= least else ("reached", "not supported")
    bound = _ratio_of_e_value(least)
    turn = f"the E-value of the limit ({_r(limit)}) {word} {_r(least)}, with the limit nearest 1 at {_r(bound)}"
    return verdict, shown, turn  # type: ignore[return-value]


def lowest_of_all(claim: Claim, results: pd.DataFrame) -> Evaluated:
    """The named category has the lowest ratio, with an interval below 1. Not supported: another is clearly lower."""
    rows = [_published(row) for row in _ratios(claim, results, claim.populations[0])[1:]]
    place = claim.ranks[0] - 2
    if place >= len(rows):
        raise NotApplicableError("the category is not among the results")
    row, others = rows[place], [each for number, each in enumerate(rows) if number != place]
    rival = min(others, key=lambda each: each["estimate"])
    shown = f"{_shown(row)}; lowest of the others: {_shown(rival)} (same reference: decided by the point estimates)"
    turn = f"the ratio of {rival['level']} {{}} that of {row['level']} ({_r(row['estimate'])})"
    if row["estimate"] > rival["ci_high"]:
        return "not supported", shown, turn.format("rose above")
    if row["estimate"] > rival["estimate"]:
        return "unclear", shown, turn.format("rose above")
    if row["ci_high"] >= 1:
        return "unclear", shown, _falls_below_one(row)
    return "supported", shown, turn.format("fell below")


def flattens(claim: Claim, results: pd.DataFrame) -> Evaluated:
    """The curve is nonlinear (p below 0.05), and above a value its slope is at most a stated share of that below."""
    curve, p = _curve(claim, results)
    place = _needed(claim.value)
    values = sorted(curve)
    if not values[0] < place < values[-1]:
        raise NotApplicableError(f"the curve is not published on both sides of {place:g}")
    middle = min(values, key=lambda value: abs(value - place))
    before = math.log(curve[middle]["estimate"] / curve[values[0]]["estimate"]) / (middle - values[0])
    after = math.log(curve[values[-1]]["estimate"] / curve[middle]["estimate"]) / (values[-1] - middle)
    share, (step, unit) = _needed(claim.at_most), STEPS[claim.exposure]
    shown = (
        f"per {step:g} {unit} the ratio changes by {_change(before, step)} up to {middle:g} and by "
        f"{_change(after, step)} above; nonlinearity: {_p(p)}"
    )
    flat = before < 0 and after > share * before
    if p < NOMINAL:
        turn = f"the change above were {'more' if flat else 'less'} than {share:.0%} of that below"
        return ("supported" if flat else "not supported"), shown, turn
    return "unclear", shown, f"the test of nonlinearity ({_p(p)}) fell below {NOMINAL}"


def ratio_lower(claim: Claim, results: pd.DataFrame) -> Evaluated:
    """The ratio of the second group's risk ratio to the first's has an interval entirely below 1."""
    rows = _interaction(claim, results)
    row = _published(rows[claim.ranks[0] - 1]) if len(rows) >= claim.ranks[0] else None
    if row is None:
        raise NotApplicableError("the comparison of the groups is not among the results")
    shown = _shown(row, f"ratio of the risk ratios ({COMPARED[claim.modifier or 'older']})")
    if row["ci_high"] < 1:
        return "supported", shown, _rises_to_one(row)
    if row["ci_low"] > 1:
        return "not supported", shown, _lower_limit_falls_to_one(row)
    return "unclear", shown, _falls_below_one(row)


def more_categories_lower(claim: Claim, results: pd.DataFrame) -> Evaluated:
    """More categories have an interval entirely below 1 in the first subgroup than in the second."""
    counts, parts = [], []
    for population in claim.populations:
        rows = _at_ranks(claim, _ratios(claim, results, population, "stratified"))
        counts.append(sum(_published(row)["ci_high"] < 1 for row in rows))
        parts.append(f"{population}: {counts[-1]} of {len(rows)} lower")
    first, second = counts
    shown = "; ".join(parts)
    if first > second:
        return "supported", shown, "as many categories were lower in the other subgroup"
    if first < second:
        return "not supported", shown, "more categories were lower in this subgroup than in the other"
    return "unclear", shown, "the numbers of lower categories differed"


def no_difference(claim: Claim, results: pd.DataFrame) -> Evaluated:
    """The interval of every ratio of risk ratios is within the margin; none is entirely outside.

    Without a margin as before: the test finds no interaction, and the intervals are within stated bounds.
    """
    mine = results[
        (results["analysis"] == "interaction")
        & (results["exposure"] == claim.exposure)
        & (results["term"] == f"{claim.exposure}_category x {claim.modifier}")
    ]
    if mine.empty:
        raise NotApplicableError("the groups are not compared")
    tests = [row for row in _records(mine) if row["measure"] == "p_likelihood_ratio"]
    if not tests or tests[0]["status"] != "ok":
        raise UnknownError("the test of interaction is not available")
    p = float(tests[0]["p_value"])
    low, high = claim.within or (0.0, math.inf)
    rows = [_published(row) for row in _interaction(claim, results)[1:]]
    widest = (min(row["ci_low"] for row in rows), max(row["ci_high"] for row in rows))
    shown = f"interaction: {_p(p)}; ratios of the risk ratios between {_r(widest[0])} and {_r(widest[1])} (limits)"
    if claim.margin:
        return equivalent(rows, claim.margin, shown)
    shown += f"; {WITHOUT_MARGIN}"
    if p < NOMINAL:
        return "not supported", shown, f"the test ({_p(p)}) reached {NOMINAL}"
    if widest[0] >= low and widest[1] <= high:
        return (
            "supported",
            shown,
            f"the test fell below {NOMINAL}, or a limit passed {_r(low)} or {_r(high)}",
        )
    return "unclear", shown, f"all limits were between {_r(low)} and {_r(high)} (now the intervals are too wide)"


def weakened(claim: Claim, results: pd.DataFrame) -> Evaluated:
    """Adjusted for the other exposure, the ratios are nearer 1 than before."""
    before = _named(claim.model_copy(update={"analysis": "main"}), results)
    after = _named(claim, results)
    nearer = sum(
        abs(math.log(b["estimate"])) > abs(math.log(a["estimate"])) for b, a in zip(before, after, strict=True)
    )
    pairs = zip(before, after, strict=True)
    shown = "; ".join(f"{b['level']}: {_r(b['estimate'])} becomes {_r(a['estimate'])}" for b, a in pairs)
    shown += " (same participants: decided by the point estimates)"
    if nearer == len(after):
        return "supported", shown, "a ratio stayed as far from 1 as before"
    if nearer == 0:
        return "not supported", shown, "the ratios moved nearer 1"
    return "unclear", shown, f"all {len(after)} ratios moved nearer 1, or none did (now {nearer} do)"


def no_lower_than_middle(claim: Claim, results: pd.DataFrame) -> Evaluated:
    """The curve is no lower at its upper end than at a middle value."""
    curve, _ = _curve(claim, results)
    values = sorted(curve)
    place = _needed(claim.value)
    middle = min(values, key=lambda value: abs(value - place))
    end, there = curve[values[-1]], curve[middle]
    if values[-1] <= middle:
        raise NotApplicableError(f"the curve is not published above {place:g}")
    shown = (
        f"risk ratio {_r(end['estimate'])} ({_r(end['ci_low'])} to {_r(end['ci_high'])}) at {values[-1]:g} "
        f"{STEPS[claim.exposure][1]}, "
        f"{_r(there['estimate'])} at {middle:g}"
    )
    if end["estimate"] >= there["estimate"]:
        return "supported", shown, f"the curve at its upper end fell below {_r(there['estimate'])}"
    if end["ci_high"] < there["estimate"]:
        turn = f"the upper limit at the upper end ({_r(end['ci_high'])}) passed {_r(there['estimate'])}"
        return "not supported", shown, turn
    return (
        "unclear",
        shown,
        f"the curve at its upper end reached {_r(there['estimate'])}, or were clearly below it",
    )


def nothing_clear(claim: Claim, results: pd.DataFrame) -> Evaluated:
    """The interval of every named category is within the margin; without a margin: none excludes 1."""
    rows = _named(claim, results)
    shown = "; ".join(_shown(row) for row in rows)
    if claim.margin:
        return equivalent(rows, claim.margin, shown)
    shown += f"; {WITHOUT_MARGIN}"
    clear = [row for row in rows if not row["ci_low"] <= 1 <= row["ci_high"]]
    if clear:
        limits = ", ".join(f"{row['level']}: {_r(_nearest(row))}" for row in clear)
        return "not supported", shown, f"the limits nearest 1 passed it ({limits})"
    nearest = min(rows, key=lambda row: min(math.log(row["ci_high"]), -math.log(row["ci_low"])))
    turn = f"one interval excluded 1 (the closest is {nearest['level']}, {_limits(nearest)})"
    return "supported", shown, turn


def stronger_than_other(claim: Claim, results: pd.DataFrame) -> Evaluated:
    """The ratio of the highest category is lower than that of the other exposure, with an interval below 1."""
    other = "walking_met" if claim.exposure == "walking_minutes" else "walking_minutes"
    (mine,) = _named(claim, results)
    (theirs,) = _named(claim.model_copy(update={"exposure": other}), results)
    shown = f"volume: {_shown(mine)}; intensity: {_shown(theirs)} (same participants: decided by the point estimates)"
    if mine["estimate"] >= theirs["estimate"]:
        return "not supported", shown, f"the ratio of volume fell below {_r(theirs['estimate'])}"
    if mine["ci_high"] >= 1:
        return "unclear", shown, _falls_below_one(mine)
    return "supported", shown, f"the ratio of intensity fell below {_r(mine['estimate'])}"


RULES: dict[str, Callable[[Claim, Any], Evaluated]] = {
    rule.__name__: rule
    for rule in (
        lower, agrees, e_value, lowest_of_all, flattens, ratio_lower, more_categories_lower, no_difference, weakened,
        no_lower_than_middle, nothing_clear, stronger_than_other,
    )
}  # fmt: skip


def _named(claim: Claim, results: pd.DataFrame) -> list[Row]:
    """The rows of a claim's categories, all published."""
    return [_published(row) for row in _at_ranks(claim, _ratios(claim, results, _population(claim, results)))]


def _population(claim: Claim, results: pd.DataFrame) -> str:
    """The population of a claim; subgroups by volume are named after the label of its highest category."""
    population = claim.populations[0]
    if population not in ("highest", "below highest"):
        return population
    volume = claim.model_copy(update={"analysis": "main", "exposure": "walking_minutes"})
    rows = _ratios(volume, results, "all")
    label = str(rows[-1]["level"]) if rows else ""
    return f"walking_minutes {label if population == 'highest' else label.replace('>=', '<')}"


def _ratios(claim: Claim, results: pd.DataFrame, population: str, analysis: str = "") -> list[dict[str, Any]]:
    """The adjusted risk ratios of an exposure's categories in ascending order, the reference first."""
    rows = results[
        (results["analysis"] == (analysis or claim.analysis))
        & (results["population"] == population)
        & (results["model"] == "adjusted")
        & (results["exposure"] == claim.exposure)
        & (results["measure"] == "rr")
    ]
    return ranked(_records(rows))


def _interaction(claim: Claim, results: pd.DataFrame) -> list[dict[str, Any]]:
    rows = results[
        (results["analysis"] == "interaction")
        & (results["exposure"] == claim.exposure)
        & (results["term"] == f"{claim.exposure}_category x {claim.modifier}")
        & (results["measure"] == "ratio_of_rr")
    ]
    return ranked(_records(rows))


def _curve(claim: Claim, results: pd.DataFrame) -> tuple[dict[float, Row], float]:
    """The published points of a curve by value, and its p-value for nonlinearity."""
    mine = results[(results["analysis"] == "spline") & (results["exposure"] == claim.exposure)]
    if mine.empty:
        raise NotApplicableError("there is no curve of this exposure")
    points = [row for row in _records(mine[mine["measure"] == "rr"]) if row["status"] == "ok"]
    nonlinearity = [row for row in _records(mine[mine["measure"] == "p_nonlinearity"]) if row["status"] == "ok"]
    if len(points) < 3 or not nonlinearity:
        raise UnknownError("the curve is not published")
    return {float(row["level"]): row for row in points}, float(nonlinearity[0]["p_value"])


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _at_ranks(claim: Claim, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not rows:
        raise NotApplicableError("there are no such estimates of this exposure")
    if len(rows) < max(claim.ranks):
        raise NotApplicableError("the category is not among the results")
    return [rows[rank - 1] for rank in claim.ranks]


def _published(row: Row) -> Row:
    if row["status"] != "ok":
        raise UnknownError(f"the estimate is {str(row['status']).replace('_', ' ')}")
    if any(row[name] is None or math.isnan(row[name]) for name in ("estimate", "ci_low", "ci_high")):
        raise UnknownError("the estimate has no interval")
    return row


def _needed(value: float | None) -> float:
    if value is None:
        raise ValueError("a claim of this kind needs a value")
    return value


def _ratio_of_e_value(value: float) -> float:
    """The ratio below 1 whose E-value this is (VanderWeele and Ding 2017, solved for the ratio)."""
    return (2 * value - 1) / value**2


def _shown(row: Row, name: str = "RR") -> str:
    return f"{name} {_r(row['estimate'])} (95% CI {_limits(row)}), {row['level']} against {row['reference']}"


def _nearest(row: Row) -> float:
    return float(row["ci_high"] if row["ci_high"] < 1 else row["ci_low"])


def _rises_to_one(row: Row) -> str:
    return f"the upper limit ({_r(row['ci_high'])}, {row['level']}) rose to 1, by {_by(1 / row['ci_high'])}"


def _falls_below_one(row: Row) -> str:
    return f"the upper limit ({_r(row['ci_high'])}, {row['level']}) fell below 1, by {_by(row['ci_high'])}"


def _lower_limit_falls_to_one(row: Row) -> str:
    return f"the lower limit ({_r(row['ci_low'])}, {row['level']}) fell to 1, by {_by(row['ci_low'])}"


def _by(factor: float) -> str:
    percent = 100 * abs(factor - 1)
    return "less than 1%" if percent < 1 else f"{percent:.0f}%"


def _change(slope: float, per: float) -> str:
    return f"{100 * (math.exp(slope * per) - 1):+.1f}%"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
