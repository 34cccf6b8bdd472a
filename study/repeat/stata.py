"""The command in Stata that gives a row's estimate.

Belongs here: Stata's spelling. Does not belong here: what a model is (``models``).

Stata was not at hand: the commands say what the published code said, and were not run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from study.protocol import EXPOSURES, Protocol
from study.repeat.models import Model, Row, Sample, covariates_of, other, scale_of
from study.statistics.levels import Levels
from study.statistics.restricted_cubic_spline import PERCENTILES

# The age-adjusted model has no need of levels; every other categorical covariate is a factor variable.
_LINEAR = ("age", "bmi", "running_cycling_minutes", *EXPOSURES)


def preparation(levels: Levels) -> str:
    """A do-file that reads the exported table and gives every text covariate its codes, the reference first."""
    lines = ["* Repeats Stegvis estimates from an exported analysis table; then run any command of commands.csv.", ""]
    lines += ['import delimited "analysis_set.csv", clear', ""]
    for name, values in levels.items():
        codes = " ".join(f'{code} "{value}"' for code, value in enumerate(values))
        lines += [f"label define {name}_codes {codes}", f"encode {name}, generate({name}_c) label({name}_codes)"]
        lines += [f"drop {name}", f"rename {name}_c {name}"]
    lines += ['generate byte is_older = older == "True"', "drop older", "rename is_older older", ""]
    return "\n".join(lines)


def command(row: Row, place: int, model: Model | None, protocol: Protocol) -> str:
    """The command of a row; empty where none gives it. Arguments as in ``r.command``."""
    if row["analysis"] in _OF_ANALYSIS:
        return _OF_ANALYSIS[row["analysis"]](row, place, protocol)
    if model is None or row["measure"] not in ("rr", "p_joint"):
        return ""
    term, cut = f"ib1.{model.term}", ""
    if model.sample.recut or model.sample.fixed:
        term, cut = "ib1.cut", _cut(row["exposure"], model.sample, protocol)
    fit = f"{_poisson(model.outcome, (term, *map(_factor, model.covariates)))}{_if(model.sample)}, vce(robust) irr"
    what = f"; testparm i.{term.removeprefix('ib1.')}" if row["measure"] == "p_joint" else f" // {place}.{term[4:]}"
    return f"{cut}{fit}{what}"


def _poisson(outcome: str, right: tuple[str, ...]) -> str:
    return f"poisson {outcome} {' '.join(right)}"


def _factor(column: str) -> str:
    if column in _LINEAR:
        return f"c.{column}"
    return f"ib1.{column}" if column.endswith("_category") else f"i.{column}"


def _if(sample: Sample) -> str:
    return f" if {' & '.join(_condition(*each) for each in sample.where)}" if sample.where else ""


def _cut(exposure: str, sample: Sample, protocol: Protocol) -> str:
    if sample.fixed:
        bounds = protocol.exposures.walking_minutes if exposure == "walking_minutes" else protocol.exposures.walking_met
        inner = ", ".join(f"{bound:g}" for bound in bounds.published_lower_bounds)
        return f"generate cut = 1 + irecode({exposure}, {inner}); "
    return f"xtile cut = {exposure}{_if(sample)}, nq(4); "


def _right(row: Row, protocol: Protocol) -> str:
    return " ".join(map(_factor, covariates_of(row, protocol)))


def _trend(row: Row, place: int, protocol: Protocol) -> str:
    exposure = row["exposure"]
    scale = scale_of(row, protocol)
    category = f"{exposure}_category"
    made = {
        f"{exposure}_median": f"egen score = median({exposure}), by({category}); "
        f"replace score = score / {scale.trend_unit:g}",
        f"{exposure}_ordinal": f"generate score = {category}",
        f"{exposure}_linear": f"generate score = {exposure} / {scale.trend_unit:g}",
    }[row["term"]]
    return f"{made}; poisson low_back_pain score {_right(row, protocol)}, vce(robust) irr"


def _joint(row: Row, place: int, protocol: Protocol) -> str:
    if row["measure"] == "p_interaction":
        product = "ib1.walking_minutes_category##ib1.walking_met_category"
        fit = f"poisson low_back_pain {product} {_right(row, protocol)}, vce(robust)"
        return f"{fit}; testparm i.walking_minutes_category#i.walking_met_category"
    cell = "generate cell = 4 * (walking_minutes_category - 1) + walking_met_category"
    fit = f"{cell}; poisson low_back_pain ib1.cell {_right(row, protocol)}, vce(robust) irr"
    return f"{fit}; testparm i.cell" if row["measure"] == "p_joint" else f"{fit} // {place}.cell"


def _interaction(row: Row, place: int, protocol: Protocol) -> str:
    by = "older" if row["term"].endswith("older") else "sex"
    category = f"ib1.{row['exposure']}_category"
    rest = [c for c in protocol.models.adjusted if c != by]
    if row["measure"] == "p_likelihood_ratio":
        right = " ".join(_factor(c) for c in rest if not (by == "older" and c == "age"))
        full = f"poisson low_back_pain {category}##i.{by} {right}; estimates store full"
        return f"{full}; poisson low_back_pain {category} i.{by} {right}; lrtest full ."
    fit = f"poisson low_back_pain {category}##i.{by} {' '.join(map(_factor, rest))}, vce(robust) irr"
    if row["measure"] == "p_interaction":
        return f"{fit}; testparm {category.replace('ib1', 'i')}#i.{by}"
    return f"{fit} // {place}.{category[4:]}#1.{by}"


def _spline(row: Row, place: int, protocol: Protocol) -> str:
    exposure = row["exposure"]
    scale = protocol.spline.walking_minutes if exposure == "walking_minutes" else protocol.spline.walking_met
    if row["analysis"].endswith("fixed_knots"):
        made = f"mkspline s = {exposure}, cubic knots({' '.join(f'{knot:g}' for knot in scale.fixed_knots)})"
    else:
        percentiles = " ".join(f"{100 * share:g}" for share in PERCENTILES[protocol.spline.knots])
        made = f"_pctile {exposure}, percentiles({percentiles}); "
        count = len(PERCENTILES[protocol.spline.knots])
        knots = " ".join(f"`=r(r{number})'" for number in range(1, count + 1))
        if row["measure"] == "knot":
            return f"{made}display r(r{row['level']})"
        made += f"mkspline s = {exposure}, cubic knots({knots})"
    if row["measure"] == "knot":
        return ""
    terms = "s1 s2" if protocol.spline.knots == 3 else f"s1-s{protocol.spline.knots - 1}"
    beside = ""
    if row["analysis"] == "mutual_spline":
        made += f"; mkspline t = {other(exposure)}, cubic nknots({protocol.spline.knots})"
        beside = " t*"
    right = " ".join(map(_factor, protocol.models.adjusted))
    fit = f"{made}; poisson low_back_pain {terms}{beside} {right}, vce(robust)"
    if row["measure"] == "p_overall":
        return f"{fit}; testparm {terms}"
    if row["measure"] == "p_nonlinearity":
        return f"{fit}; testparm {terms.replace('s1-', 's2-').replace('s1 ', '')}"
    return f"{fit}; xblc s*, covname({exposure}) at({row['level']}) reference({row['reference']}) eform"


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
        return f"!missing({column})"
    if operator in ("in", "in or unknown"):
        assert isinstance(value, tuple)
        listed = ", ".join(f'"{each}"' for each in value)
        inside = f"inlist({column}, {listed})"
        return inside if operator == "in" else f'({inside} | {column} == "")'
    # A missing value is the largest number in Stata.
    missing = f" & !missing({column})" if operator == ">=" else ""
    if column == "sex":
        return f'{column} {operator} "{value}":sex_codes'
    return f'{column} {operator} "{value}"' if isinstance(value, str) else f"{column} {operator} {value}{missing}"
