"""Commands in Stata for the analyses of the published study.

They follow the published code; without access to Stata they have not been run. ``stata_beyond`` has the analyses beyond
the published study.
"""

from __future__ import annotations

from stegvis.analyses.condition import Condition
from stegvis.reproduction.models import EstimateRow, Model, Sample, curve_of, model_of
from stegvis.statistics.levels import Levels
from stegvis.statistics.restricted_cubic_spline import PERCENTILES
from stegvis.study.protocol import Protocol

TABLES = ("eligible_people", "days", "cohort", "answers", "histories", "analysis_set")
# Columns with True or False in the exported tables.
_YES_NO = ("older", "answered", "weekend", "baseline_answered", "had_outcome", "recorded")


def preparation(levels: Levels) -> str:
    """A do-file that saves each exported table with numeric codes instead of texts, the reference first."""
    lines = [
        "* Reproduces Stegvis estimates from exported tables. Run this in their folder; then any row of commands.csv,",
        "* after #delimit ; since a row may have several commands. Each row starts by reading its table.",
        "",
    ]
    lines += [
        f"label define {name}_codes " + " ".join(f'{code} "{value}"' for code, value in enumerate(values))
        for name, values in levels.items()
    ]
    lines += [
        "label save using codes, replace",
        f"foreach table in {' '.join(TABLES)} {{",
        '    capture confirm file "`table\'.csv"',
        "    if _rc continue",
        '    import delimited "`table\'.csv", clear',
        "    run codes",
        f"    foreach name in {' '.join(levels)} {{",
        "        capture confirm variable `name'",
        "        if _rc continue",
        "        encode `name', generate(coded) label(`name'_codes)",
        "        drop `name'",
        "        rename coded `name'",
        "    }",
        f"    foreach name in {' '.join(_YES_NO)} {{",
        "        capture confirm string variable `name'",
        "        if _rc continue",
        '        generate byte coded = `name\' == "True" if `name\' != ""',
        "        drop `name'",
        "        rename coded `name'",
        "    }",
        "    capture encode wave, generate(number)",
        "    if !_rc {",
        "        drop wave",
        "        rename number wave",
        "    }",
        "    save `table', replace",
        "}",
        "",
    ]
    return "\n".join(lines)


# ---- expressions ----


def chain(*steps: str) -> str:
    """Commands in sequence, without empty ones."""
    return "; ".join(step for step in steps if step)


def use(table: str = "analysis_set") -> str:
    """Load a table."""
    return f"use {table}, clear"


def factor(column: str, levels: Levels) -> str:
    """A covariate as a term: categorical, with the categories of an exposure, or linear."""
    if column.endswith("_category"):
        return f"ib1.{column}"
    return f"i.{column}" if column in levels or column in ("older", "wave") else f"c.{column}"


def factors(columns: tuple[str, ...], levels: Levels) -> str:
    """Covariates as terms."""
    return " ".join(factor(column, levels) for column in columns)


def poisson(right: str, *, outcome: str = "low_back_pain", who: str = "", options: str = "vce(robust) irr") -> str:
    """A Poisson regression."""
    return f"poisson {outcome} {right}{who}, {options}"


def _if(row: EstimateRow, sample: Sample) -> str:
    return f" if {' & '.join(_condition(each, row.levels) for each in sample.where)}" if sample.where else ""


def _cut(row: EstimateRow, sample: Sample) -> str:
    if sample.cut == "published":
        inner = " + ".join(f"({row.exposure} >= {bound:g})" for bound in row.scale.published_lower_bounds)
        return f"generate cut = 1 + {inner}"
    return f"xtile cut = {row.exposure}{_if(row, sample)}, nq({len(row.scale.categories)})" if sample.cut else ""


def _condition(condition: Condition, levels: Levels) -> str:
    # Covariates have numbers with labels in Stata; other columns are texts.
    label = f":{condition.column}_codes" if condition.column in levels else ""
    column, operator, value = condition.column, condition.operator, condition.value
    if operator == "known":
        return f"!missing({column})"
    if operator in ("in", "in or unknown"):
        assert isinstance(value, tuple)
        listed = ", ".join(f'"{each}"{label}' for each in value)
        inside = f"inlist({column}, {listed})"
        unknown = f"missing({column})" if label else f'{column} == ""'
        return inside if operator == "in" else f"({inside} | {unknown})"
    # A missing value is the largest number in Stata.
    missing = f" & !missing({column})" if operator == ">=" else ""
    return (
        f'{column} {operator} "{value}"{label}' if isinstance(value, str) else f"{column} {operator} {value}{missing}"
    )


# ---- analyses ----


def categories(row: EstimateRow) -> str:
    """A ratio of a categorical analysis, or its joint test."""
    model = model_of(row)
    term = "cut" if model.sample.cut else model.term
    straight = tuple(name for name in model.covariates if name not in model.curved)
    right = " ".join([f"ib1.{term}", *(f"{name}_s*" for name in model.curved), factors(straight, row.levels)])
    curves = [_basis(f"{name}_s", name, None, row.protocol) for name in model.curved]
    fit = poisson(right, outcome=model.outcome, who=_if(row, model.sample))
    steps = chain(use(), _cut(row, model.sample), *curves, fit)
    return chain(steps, f"testparm i.{term}") if row.measure == "p_joint" else f"{steps} // {row.place}.{term}"


def ratio_of(model: Model, row: EstimateRow, who: str = "", options: str = "vce(robust) irr") -> str:
    """The regression of a model in the whole sample."""
    return poisson(f"ib1.{model.term} {factors(model.covariates, row.levels)}", who=who, options=options)


def trend(row: EstimateRow) -> str:
    """The linear terms."""
    exposure, unit = row.exposure, f"{row.scale.trend_unit:g}"
    made = {
        f"{exposure}_median": f"egen score = median({exposure}), by({row.category}); replace score = score / {unit}",
        f"{exposure}_ordinal": f"generate score = {row.category}",
        f"{exposure}_linear": f"generate score = {exposure} / {unit}",
    }[row.key["term"]]
    return chain(use(), made, poisson(f"score {factors(row.covariates, row.levels)}"))


def joint(row: EstimateRow) -> str:
    """The cells of volume and intensity."""
    covariates = factors(row.covariates, row.levels)
    if row.measure == "p_interaction":
        fit = poisson(f"ib1.walking_minutes_category##ib1.walking_met_category {covariates}", options="vce(robust)")
        return chain(use(), fit, "testparm i.walking_minutes_category#i.walking_met_category")
    many = len(row.protocol.exposures.scale(row.other).categories)
    cell = f"generate cell = {many} * (walking_minutes_category - 1) + walking_met_category"
    fit = chain(use(), cell, poisson(f"ib1.cell {covariates}"))
    return chain(fit, "testparm i.cell") if row.measure == "p_joint" else f"{fit} // {row.place}.cell"


def interaction(row: EstimateRow) -> str:
    """Interaction with age or sex."""
    by = "older" if row.key["term"].endswith("older") else "sex"
    rest = tuple(c for c in row.protocol.models.adjusted if c != by)
    if row.measure == "p_likelihood_ratio":
        right = factors(tuple(c for c in rest if not (by == "older" and c == "age")), row.levels)
        full = f"poisson low_back_pain ib1.{row.category}##i.{by} {right}"
        nested = f"poisson low_back_pain ib1.{row.category} i.{by} {right}"
        return chain(use(), full, "estimates store full", nested, "lrtest full .")
    fit = chain(use(), poisson(f"ib1.{row.category}##i.{by} {factors(rest, row.levels)}"))
    if row.measure == "p_interaction":
        return chain(fit, f"testparm i.{row.category}#i.{by}")
    return f"{fit} // {row.place}.{row.category}#1.{by}"


def spline(row: EstimateRow) -> str:
    """A value of a curve, a knot, or a test."""
    curve, exposure = curve_of(row), row.exposure
    if row.measure == "knot":
        if curve.knots is not None:
            return f"display {curve.knots[int(row.key['level']) - 1]:g}"
        return chain(use(), _percentiles(exposure, row.protocol), f"display r(r{row.key['level']})")
    count = len(curve.knots or PERCENTILES[row.protocol.spline.knots])
    terms = [f"s{number}" for number in range(1, count)]
    basis, adjusted = _basis("s", exposure, curve.knots, row.protocol), ""
    if curve.mutual:
        basis = chain(basis, _basis("t", row.other, curve.knots_of_other, row.protocol))
        adjusted = " t*"
    pooled = row.analysis == "pooled_spline"
    covariates = (*row.protocol.models.adjusted, *(["wave"] if pooled else []))
    right = f"{' '.join(terms)}{adjusted} {factors(covariates, row.levels)}"
    people, variance = (use("answers"), "vce(cluster person)") if pooled else (use(), "vce(robust)")
    fit = chain(people, basis, poisson(right, options=variance))
    if row.measure == "p_overall":
        return chain(fit, f"testparm {' '.join(terms)}")
    if row.measure == "p_nonlinearity":
        return chain(fit, f"testparm {' '.join(terms[1:])}")
    value = f"xblc s*, covname({exposure}) at({row.key['level']}) reference({row.key['reference']}) eform"
    return chain(fit, value)


def _percentiles(exposure: str, protocol: Protocol) -> str:
    shares = " ".join(f"{100 * share:g}" for share in PERCENTILES[protocol.spline.knots])
    return f"_pctile {exposure}, percentiles({shares})"


def _basis(name: str, exposure: str, knots: tuple[float, ...] | None, protocol: Protocol) -> str:
    if knots is not None:
        return f"mkspline {name} = {exposure}, cubic knots({' '.join(f'{knot:g}' for knot in knots)})"
    places = " ".join(f"`=r(r{number})'" for number in range(1, protocol.spline.knots + 1))
    return chain(_percentiles(exposure, protocol), f"mkspline {name} = {exposure}, cubic knots({places})")
