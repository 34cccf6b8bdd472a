"""The command in R that gives a row's estimate, with the functions of ``repeat.R``.

Belongs here: R's spelling. Does not belong here: what a model is (``models``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from study.protocol import EXPOSURES, Protocol
from study.repeat.models import Model, Row, Sample, covariates_of, other, scale_of
from study.statistics.levels import Levels
from study.statistics.restricted_cubic_spline import PERCENTILES

FUNCTIONS = Path(__file__).with_name("repeat.R")


@cache
def functions() -> str:
    """The functions that the commands call."""
    return FUNCTIONS.read_text(encoding="utf-8")


def settings(protocol: Protocol, levels: Levels) -> str:
    """What the functions read of the protocol."""
    named = ", ".join(f"{name} = {_vector(values)}" for name, values in levels.items())
    bounds = ", ".join(
        f"{each} = {_vector(protocol.exposures.scale(each).published_lower_bounds)}" for each in EXPOSURES
    )
    return "\n".join(
        (
            f"LEVELS <- list({named})",
            f"BOUNDS <- list({bounds})",
            f'VARIANCE <- "{protocol.models.variance}"',
            f"KNOT_PERCENTILES <- {_vector(PERCENTILES[protocol.spline.knots])}",
            f"KNOT_TYPE <- {2 if protocol.spline.percentile_rule == 'stata' else 7}",
            "",
        )
    )


def formula(model: Model) -> str:
    """The model as a formula."""
    return f"{model.outcome} ~ {' + '.join((model.term, *model.covariates))}"


def sample(of: Sample) -> str:
    """The people as an expression."""
    if of.fixed:
        return "fixed(people)"
    people = "people"
    if of.where:
        people = f"subset(people, {' & '.join(_condition(*each) for each in of.where)})"
    return f"recut({people})" if of.recut else people


def command(row: Row, place: int, model: Model | None, protocol: Protocol) -> str:
    """The command of a row; empty where none gives it.

    Args:
        row: the key columns and ``reference`` of a row of the results.
        place: which of its block's levels the row is, from 1.
        model: of ``models.model_of``.
        protocol: the protocol the results were made under.
    """
    if row["analysis"] in _OF_ANALYSIS:
        return _OF_ANALYSIS[row["analysis"]](row, place, protocol)
    if model is None:
        return ""
    if row["measure"] == "p_joint":
        return f'wald({formula(model)}, {sample(model.sample)}, "{model.term}")'
    if row["measure"] == "rr":
        return _contrast(f'rr({formula(model)}, {sample(model.sample)}, "{model.term}{place}")["estimate"]', place)
    return ""


def _contrast(text: str, place: int) -> str:
    return "1" if place == 1 else text


def _trend(row: Row, place: int, protocol: Protocol) -> str:
    exposure = row["exposure"]
    unit = scale_of(row, protocol).trend_unit
    column = {
        f"{exposure}_median": f"I(medians({exposure}, {exposure}_category) / {unit:g})",
        f"{exposure}_ordinal": f"as.numeric({exposure}_category)",
        f"{exposure}_linear": f"I({exposure} / {unit:g})",
    }[row["term"]]
    right = " + ".join((column, *covariates_of(row, protocol)))
    # By its place, the first after the constant: R spells the name of such a column its own way.
    return f'rr(low_back_pain ~ {right}, people, 2)["estimate"]'


def _joint(row: Row, place: int, protocol: Protocol) -> str:
    covariates = " + ".join(covariates_of(row, protocol))
    if row["measure"] == "p_interaction":
        return f'wald(low_back_pain ~ walking_minutes_category * walking_met_category + {covariates}, people, ":")'
    people = (
        "transform(people, cell = factor(4 * as.integer(walking_minutes_category) + as.integer(walking_met_category)))"
    )
    right = f"low_back_pain ~ cell + {covariates}"
    if row["measure"] == "p_joint":
        return f'wald({right}, {people}, "cell")'
    volume, intensity = divmod(place - 1, 4)
    return _contrast(f'rr({right}, {people}, "cell{4 * (volume + 1) + intensity + 1}")["estimate"]', place)


def _interaction(row: Row, place: int, protocol: Protocol) -> str:
    by = "older" if row["term"].endswith("older") else "sex"
    category = f"{row['exposure']}_category"
    rest = [c for c in protocol.models.adjusted if c != by]
    if row["measure"] == "p_likelihood_ratio":
        rest = [c for c in rest if not (by == "older" and c == "age")]
        covariates = " + ".join(rest)
        full, nested = f"{category} * {by} + {covariates}", f"{category} + {by} + {covariates}"
        return f"likelihood_ratio(low_back_pain ~ {full}, low_back_pain ~ {nested}, people)"
    right = f"low_back_pain ~ {category} * {by} + {' + '.join(rest)}"
    if row["measure"] == "p_interaction":
        return f'wald({right}, people, ":")'
    level = "TRUE" if by == "older" else "male"
    return _contrast(f'rr({right}, people, "{category}{place}:{by}{level}")["estimate"]', place)


def _spline(row: Row, place: int, protocol: Protocol) -> str:
    exposure = row["exposure"]
    if row["analysis"].endswith("fixed_knots"):
        t = _vector(protocol.spline.scale(exposure).fixed_knots)  # type: ignore[arg-type]
        reference = f"{protocol.spline.scale(exposure).fixed_reference:g}"  # type: ignore[arg-type]
    else:
        t = f"knots(people${exposure})"
        reference = f"quantile(people${exposure}, {protocol.spline.reference_percentile:g}, type = KNOT_TYPE)"
    extra = ""
    if row["analysis"] == "mutual_spline":
        extra = f', "{other(exposure)}", knots(people${other(exposure)})'
    covariates = _vector(protocol.models.adjusted)
    start = f'people, "{exposure}", {covariates}, {t}'
    if row["measure"] == "knot":
        return f"{t}[{row['level']}]"
    if row["measure"] in ("p_overall", "p_nonlinearity"):
        return f"curve_test({start}, {1 if row['measure'] == 'p_overall' else 2}{extra})"
    return f"on_curve({start}, {row['level']}, {reference}{extra})"


_OF_ANALYSIS: Mapping[str, Callable[[Row, int, Protocol], str]] = {
    "trend": _trend,
    "joint": _joint,
    "interaction": _interaction,
    "spline": _spline,
    "spline_fixed_knots": _spline,
    "mutual_spline": _spline,
}


def _condition(column: str, operator: str, value: object) -> str:
    if operator == "known":
        return f"!is.na({column})"
    if operator == "in":
        return f"{column} %in% {_vector(value)}"
    if operator == "in or unknown":
        return f"({column} %in% {_vector(value)} | is.na({column}))"
    if column.endswith("_category"):
        column = f"as.integer({column})"
    return f"{column} {operator} {_quoted(value)}"


def _vector(values: object) -> str:
    assert isinstance(values, tuple | list)
    return f"c({', '.join(_quoted(value) for value in values)})"


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
