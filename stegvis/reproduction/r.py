"""Commands in R for the analyses of the published study, with the functions of ``repeat.R``.

``r_beyond`` has the analyses beyond the published study.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from stegvis.analyses.combined_bias import priors_of
from stegvis.analyses.composition import MAY_BE_ZERO
from stegvis.analyses.condition import Condition
from stegvis.analyses.selection_steps import FREE, needed_columns, steps_of
from stegvis.analyses.time_use import PARTS
from stegvis.data_files import data_file
from stegvis.reproduction.models import EstimateRow, Model, Sample, curve_of, model_of
from stegvis.statistics.levels import Levels
from stegvis.statistics.restricted_cubic_spline import PERCENTILES
from stegvis.study.protocol import Protocol
from stegvis.study.protocol_bias import CombinedBias

PEOPLE = "people"


@cache
def functions() -> str:
    """The functions that the commands call."""
    return data_file("reproduction/repeat.R").read_text(encoding="utf-8")


def settings(protocol: Protocol, levels: Levels) -> str:
    """The values of the protocol that the functions use, as R assignments."""
    exposures = protocol.exposures.names
    bounds: dict[str, tuple[float, ...]] = {
        each: protocol.exposures.scale(each).published_lower_bounds for each in exposures
    }
    groups = [f"{each} = {len(protocol.exposures.scale(each).categories)}" for each in exposures]
    values = {
        "LEVELS": named(levels),
        "EXPOSURES": vector(exposures),
        "GROUPS": f"c({', '.join(groups)})",
        "BOUNDS": named(bounds),
        "VARIANCE": quoted(protocol.models.variance),
        "CONFIDENCE": quoted(protocol.models.confidence),
        "ADJUSTED": vector(protocol.models.adjusted),
        "MINIMUM_EVENTS": quoted(protocol.models.minimum_events),
        "SMALLEST_COUNT": quoted(protocol.disclosure.smallest_count),
        "KNOT_PERCENTILES": vector(PERCENTILES[protocol.spline.knots]),
        "KNOT_TYPE": "2" if protocol.spline.percentile_rule == "stata" else "7",
        "LOW_CATEGORIES": quoted(protocol.additive_interaction.low_categories),
        "SQUARED": vector(protocol.attrition_weights.squared),
        "EQUIPOISE": vector(protocol.overlap.equipoise),
        "SELECTION_STEPS": vector(steps_of(protocol)),
        "NEEDED": vector(needed_columns(protocol)),
        "FREE_AT_BASELINE": quoted(FREE in protocol.exclusions.order),
        "IMPUTATIONS": quoted(protocol.imputation.imputations),
        "IMPUTATION_ROUNDS": quoted(protocol.imputation.iterations),
        "DRAWS": quoted(protocol.misclassification.draws),
        "SEED": quoted(protocol.misclassification.seed),
        "BIASES": _biases(protocol.combined_bias),
        "PARTS": named(PARTS),
        "MAY_BE_ZERO": quoted(MAY_BE_ZERO),
        "MINUTES": quoted(protocol.days.seconds_per_day / 60),
        "EPOCH_SECONDS": quoted(protocol.epochs.seconds),
        "ANSWER_SHARE": quoted(protocol.projection.answer_share),
        "POWER": quoted(protocol.projection.power),
    }
    return "".join(f"{name} <- {value}\n" for name, value in values.items())


def _biases(rules: CombinedBias | None) -> str:
    """The priors of several biases at once, each a shape and its values, by the names of the results."""
    if rules is None:
        return "NULL"
    values = {name: quoted(getattr(rules, name)) for name in ("draws", "correlation", "seed")}
    for name, priors in priors_of(rules).items():
        parts = [f"{each} = list({quoted(shape)}, {vector(numbers)})" for each, (shape, numbers) in priors.items()]
        values[name] = f"list({', '.join(parts)})"
    return f"list({', '.join(f'{name} = {value}' for name, value in values.items())})"


# ---- expressions ----


def quoted(value: object) -> str:
    """A text or a number."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return f'"{value}"' if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


def vector(values: Sequence[object]) -> str:
    """Texts or numbers."""
    return f"c({', '.join(map(quoted, values))})"


def named(values: Mapping[str, Sequence[object]]) -> str:
    """A list of vectors by name."""
    return f"list({', '.join(f'`{name}` = {vector(each)}' for name, each in values.items())})"


def formula(model: Model) -> str:
    """The model as a formula."""
    covariates = [f"spline({name}, knots({name}))" if name in model.curved else name for name in model.covariates]
    return f"{model.outcome} ~ {' + '.join((model.term, *covariates))}"


def sample(of: Sample) -> str:
    """The sample as an expression."""
    people = PEOPLE
    if of.where:
        people = f"subset({PEOPLE}, {' & '.join(map(_condition, of.where))})"
    return {"": people, "quantiles": f"recut({people})", "published": f"fixed({people})"}[of.cut]


def estimate(text: str) -> str:
    """The estimate alone, of a result that also has limits."""
    return f'{text}["estimate"]'


def _condition(condition: Condition) -> str:
    column, operator, value = condition.column, condition.operator, condition.value
    if operator == "known":
        return f"!is.na({column})"
    if operator in ("in", "in or unknown"):
        assert isinstance(value, tuple)
        inside = f"{column} %in% {vector(value)}"
        return inside if operator == "in" else f"({inside} | is.na({column}))"
    if column.endswith("_category"):
        column = f"as.integer({column})"
    return f"{column} {operator} {quoted(value)}"


# ---- analyses ----


def categories(row: EstimateRow) -> str:
    """A ratio of a categorical analysis, or its joint test."""
    model = model_of(row)
    if row.measure == "p_joint":
        return f'wald({formula(model)}, {sample(model.sample)}, "{model.term}")'
    return "1" if row.place == 1 else estimate(ratio_of(model, row.place))


def ratio_of(model: Model, place: int) -> str:
    """The ratio of a category with its limits."""
    return f'rr({formula(model)}, {sample(model.sample)}, "{model.term}{place}")'


def trend(row: EstimateRow) -> str:
    """The linear terms."""
    exposure, unit = row.exposure, row.scale.trend_unit
    column = {
        f"{exposure}_median": f"I(medians({exposure}, {row.category}) / {unit:g})",
        f"{exposure}_ordinal": f"as.numeric({row.category})",
        f"{exposure}_linear": f"I({exposure} / {unit:g})",
    }[row.key["term"]]
    # By position, the first after the constant: R makes its own name for such a column.
    return estimate(f"rr(low_back_pain ~ {' + '.join((column, *row.covariates))}, people, 2)")


def joint(row: EstimateRow) -> str:
    """The cells of volume and intensity."""
    covariates = " + ".join(row.covariates)
    many = len(row.protocol.exposures.scale(row.other).categories)
    if row.measure == "p_interaction":
        return f'wald(low_back_pain ~ walking_minutes_category * walking_met_category + {covariates}, people, ":")'
    cell = f"factor({many} * as.integer(walking_minutes_category) + as.integer(walking_met_category))"
    right, people = f"low_back_pain ~ cell + {covariates}", f"transform(people, cell = {cell})"
    if row.measure == "p_joint":
        return f'wald({right}, {people}, "cell")'
    number = many + row.place
    return "1" if row.place == 1 else estimate(f'rr({right}, {people}, "cell{number}")')


def interaction(row: EstimateRow) -> str:
    """Interaction with age or sex."""
    by = "older" if row.key["term"].endswith("older") else "sex"
    rest = [c for c in row.protocol.models.adjusted if c != by]
    if row.measure == "p_likelihood_ratio":
        rest = [c for c in rest if not (by == "older" and c == "age")]
        full, nested = (f"low_back_pain ~ {row.category} {sign} {by} + {' + '.join(rest)}" for sign in "*+")
        return f"likelihood_ratio({full}, {nested}, people)"
    right = f"low_back_pain ~ {row.category} * {by} + {' + '.join(rest)}"
    if row.measure == "p_interaction":
        return f'wald({right}, people, ":")'
    level = "TRUE" if by == "older" else row.levels[by][1]
    name = f"{row.category}{row.place}:{by}{level}"
    return "1" if row.place == 1 else estimate(f'rr({right}, people, "{name}")')


def shifted(row: EstimateRow) -> str:
    """The risk with more of an exposure against the risk as observed."""
    curve, rules = curve_of(row), row.protocol.shift
    assert rules is not None
    knots = f"knots(people${row.exposure})" if curve.knots is None else vector(curve.knots)
    amount, highest = f"{rules.amount(row.exposure):g}", f"{rules.highest_percentile:g}"
    covariates = vector(row.protocol.models.adjusted)
    return estimate(f'shifted(people, "{row.exposure}", {covariates}, {knots}, {amount}, {highest}, "{row.measure}")')


def spline(row: EstimateRow) -> str:
    """A value of a curve, a knot, or a test."""
    curve, exposure = curve_of(row), row.exposure
    knots = f"knots(people${exposure})" if curve.knots is None else vector(curve.knots)
    if row.measure == "knot":
        return f"{knots}[{row.key['level']}]"
    adjusted = ""
    if curve.mutual:
        other = row.other
        theirs = f"knots(people${other})" if curve.knots_of_other is None else vector(curve.knots_of_other)
        adjusted = f', "{other}", {theirs}'
    people, covariates = "people", row.protocol.models.adjusted
    if row.analysis == "pooled_spline":
        people, covariates, adjusted = "droplevels(answers)", (*covariates, "wave"), ', cluster = "person"'
    start = f'{people}, "{exposure}", {vector(covariates)}, {knots}'
    if row.measure in ("p_overall", "p_nonlinearity"):
        return f"curve_test({start}, {1 if row.measure == 'p_overall' else 2}{adjusted})"
    percentile = row.protocol.spline.reference_percentile
    reference = (
        f"quantile(people${exposure}, {percentile:g}, type = KNOT_TYPE)"
        if curve.reference is None
        else f"{curve.reference:g}"
    )
    return estimate(f"on_curve({start}, {row.key['level']}, {reference}{adjusted})")
