"""Commands in Stata for the analyses beyond the published study.

Without access to Stata, the commands have not been run.
"""

from __future__ import annotations

from stegvis.analyses.time_use import PARTS
from stegvis.reproduction.models import EstimateRow, plain
from stegvis.reproduction.r_beyond import moved
from stegvis.reproduction.stata import chain, factors, poisson, ratio_of, use

# Who is known to have died or emigrated; without a registry the column is empty, and no text.
GONE = 'capture drop if inlist(state, "dead", "emigrated")'


def fit_quality(row: EstimateRow) -> str:
    """Events per coefficient, and fitted risks above 1."""
    fit = chain(use(), ratio_of(plain(row), row))
    if row.measure == "events_per_coefficient":
        return chain(fit, "summarize low_back_pain if e(sample)", "display r(sum) / (e(rank) - 1)")
    return chain(fit, "predict risk, n", "count if risk > 1 & e(sample)", "display r(N) / e(N)")


def additive(row: EstimateRow) -> str:
    """Cells of low volume and low intensity, and the measures of their interaction."""
    lowest = row.protocol.additive_interaction.low_categories
    low = [f"generate low_{name} = {name}_category <= {lowest}" for name in row.protocol.exposures.names]
    first, second = (f"1.low_{name}" for name in row.protocol.exposures.names)
    product = f"{first}#{second}"
    right = f"i.low_walking_minutes##i.low_walking_met {factors(row.covariates, row.levels)}"
    fit = chain(use(), *low, poisson(right, options="vce(robust)"))
    one, other = f"exp(_b[{first}])", f"exp(_b[{second}])"
    both = f"exp(_b[{first}] + _b[{second}] + _b[{product}])"
    if row.measure == "rr":
        cell = {"low volume": first, "low intensity": second, "both low": f"{first} + {second} + {product}"}
        terms = cell.get(row.key["level"])
        return chain(fit, f"lincom {terms}, eform") if terms else fit
    measure = {
        "ratio_of_rr": f"lincom {product}, eform",
        "reri": f"nlcom {both} - {one} - {other} + 1",
        "reri_mover": f"nlcom {both} - {one} - {other} + 1",
        "ap": f"nlcom ({both} - {one} - {other} + 1) / {both}",
        "synergy_index": f"nlcom log(({both} - 1) / ({one} + {other} - 2))",
    }
    return chain(fit, measure[row.measure])


def standardized_risk(row: EstimateRow) -> str:
    """Risks, differences, ratios and numbers needed."""
    place = row.place + (row.measure == "nnt")
    if row.measure == "rd":
        return chain(_margins(row, contrast=True), f"// {place} vs 1")
    if row.measure == "risk":
        return f"{_margins(row)} // {place}.{row.category}"
    at = [f"_b[{'1bn' if number == 1 else number}.{row.category}]" for number in (1, place)]
    contrast = f"nlcom {at[1]} / {at[0]}" if row.measure == "rr" else f"nlcom 1 / abs({at[1]} - {at[0]})"
    return chain(_margins(row), contrast)


def _margins(row: EstimateRow, contrast: bool = False) -> str:
    family = "poisson" if row.variant == "poisson" else "logit"
    fit = f"{family} low_back_pain ib1.{row.category} {factors(row.covariates, row.levels)}, vce(robust)"
    after = "" if contrast else " post"
    return chain(use(), fit, f"margins {'r.' if contrast else ''}{row.category}, vce(unconditional){after}")


def cross_estimator(row: EstimateRow) -> str:
    """Log-binomial, standardized logistic, and Cox."""
    right = f"ib1.{row.category} {factors(row.covariates, row.levels)}"
    if row.key["term"] == "log_binomial":
        fit = f"glm low_back_pain {right}, family(binomial) link(log) eform"
        return f"{chain(use(), fit)} // {row.place}.{row.category}"
    if row.key["term"] == "cox":
        steps = ("generate one = 1", "stset one, failure(low_back_pain)", f"stcox {right}, vce(robust) breslow")
        return f"{chain(use(), *steps)} // {row.place}.{row.category}"
    return standardized_risk(row)


def attrition_weighted(row: EstimateRow) -> str:
    """Models with inverse-probability weights."""
    fit = chain(_answering(row, row.variant or "stabilized"), ratio_of(plain(row), row, " [pweight = weight]"))
    return (
        chain(fit, f"testparm i.{row.category}") if row.measure == "p_joint" else f"{fit} // {row.place}.{row.category}"
    )


def attrition_weights(row: EstimateRow) -> str:
    """Distribution of the weights, and the smallest probabilities of responding."""
    if row.measure == "smallest_probabilities":
        return chain(_probabilities(row), "sort p", f"summarize p in 1/{row.protocol.disclosure.smallest_count}")
    made = _answering(row, row.key["term"])
    if row.measure == "mean_weight":
        return chain(made, "summarize weight")
    if row.measure == "largest_weights":
        few = row.protocol.disclosure.smallest_count
        return chain(made, "drop if missing(weight)", "gsort -weight", f"summarize weight in 1/{few}")
    return chain(
        made,
        "generate double square = weight^2",
        "summarize weight",
        "scalar total = r(sum)",
        "summarize square",
        "display total^2 / r(sum)",
    )


def attrition_balance(row: EstimateRow) -> str:
    """Standardized differences between respondents and participants lost to follow-up."""
    column, level = row.key["term"], row.key["level"]
    value = f'{column} == "{level}":{column}_codes' if level else column
    weighted = row.measure == "smd_weighted"
    weight = "cond(answered, 1 / p, 1 / (1 - p))" if weighted else "1"
    return chain(
        _probabilities(row),
        f"generate double x = {value}",
        f"generate double w = {weight}",
        "summarize x if answered",
        "scalar spread = r(Var) * (r(N) - 1) / r(N)",
        "summarize x if !answered",
        "scalar spread = (spread + r(Var) * (r(N) - 1) / r(N)) / 2",
        "summarize x [aweight = w] if answered",
        "scalar mean = r(mean)",
        "summarize x [aweight = w] if !answered",
        "display (mean - r(mean)) / sqrt(spread)",
    )


def _probabilities(row: EstimateRow) -> str:
    """Everyone eligible with known covariates, and their probability of response."""
    adjusted = row.protocol.models.adjusted
    squares = " ".join(f"c.{name}#c.{name}" for name in row.protocol.attrition_weights.squared)
    exposures = " ".join(f"c.{name}" for name in row.protocol.exposures.names)
    right = f"{factors(adjusted, row.levels)} {squares} {exposures}"
    known = ", ".join((*adjusted, *row.protocol.exposures.names))
    return chain(
        use("eligible_people"), GONE, f"drop if missing({known})", f"logit answered {right}", "predict double p"
    )


def _answering(row: EstimateRow, kind: str) -> str:
    steps = [_probabilities(row)]
    if kind == "unstabilized":
        steps.append("generate double weight = 1 / p if answered")
    else:
        steps += [
            f"logit answered i.{row.category}",
            "predict double q",
            "generate double weight = q / p if answered",
        ]
    if kind.startswith("truncated_"):
        low, high = kind.removeprefix("truncated_").split("_")
        steps += [
            f"_pctile weight, percentiles({low} {high})",
            "replace weight = min(max(weight, r(r1)), r(r2)) if answered",
        ]
    return chain(*steps)


def tipping_point(row: EstimateRow) -> str:
    """Tipping points for loss to follow-up."""
    place = row.place + 1
    name = f"{place}.{row.category}"
    half = f"invnormal({0.5 + row.protocol.models.confidence / 2:g}) * _se[{name}]"
    low, high = f"exp(_b[{name}] - {half})", f"exp(_b[{name}] + {half})"
    limit = f"cond({low} <= 1 & {high} >= 1, 1, cond({high} < 1, {high}, {low}))"
    return chain(
        use(),
        ratio_of(plain(row), row),
        f"scalar ratio = {limit if row.measure == 'tipping_point_limit' else f'exp(_b[{name}])'}",
        use("eligible_people"),
        GONE,
        f"summarize answered if {row.category} == {place}",
        "display 1 + (1 / ratio - 1) / (1 - r(mean))",
    )


def imputed(row: EstimateRow) -> str:
    """Multiple imputation by chained equations, with Stata's own random draws."""
    rules, adjusted = row.protocol.imputation, row.protocol.models.adjusted
    kinds: dict[str, list[str]] = {"regress": [], "logit": [], "mlogit": []}
    for column in adjusted:
        levels = len(row.levels.get(column, ()))
        kinds["regress" if not levels else "logit" if levels == 2 else "mlogit"].append(column)
    how = " ".join(f"({kind}) {' '.join(columns)}" for kind, columns in kinds.items() if columns)
    known = f"low_back_pain {' '.join(f'i.{name}_category' for name in row.protocol.exposures.names)}"
    numbers = f"add({rules.imputations}) burnin({rules.iterations}) rseed({rules.seed})"
    option = "vartable" if row.measure == "fmi" else "irr"
    steps = chain(
        use("eligible_people"),
        f"keep if answered & !missing({', '.join(row.protocol.exposures.names)})",
        "mi set wide",
        f"mi register imputed {' '.join(adjusted)}",
        f"mi impute chained {how} = {known}, {numbers}",
        f"mi estimate, {option}: {ratio_of(plain(row), row, options='vce(robust)')}",
    )
    place = row.place + (row.measure == "fmi")
    return chain(steps, f"mi test i.{row.category}") if row.measure == "p_joint" else f"{steps} // {place}"


def regression_dilution(row: EstimateRow) -> str:
    """Reliability of a day and of a week, and the trend of usual walking."""
    exposure, covariates = row.exposure, factors(row.covariates, row.levels)
    mixed = chain(
        use(),
        f"keep person {' '.join(row.covariates)}",
        "save covariates, replace",
        use("days"),
        "merge m:1 person using covariates, keep(match) nogenerate",
        "replace weekend = 2 if missing(weekend)",
        f"drop if missing({exposure})",
        f"mixed {exposure} {covariates} i.weekend || person:, reml",
    )
    if row.measure == "icc":
        return chain(mixed, "estat icc")
    factor = chain(
        mixed,
        "scalar between = exp(2 * [lns1_1_1]_cons)",
        "scalar within = exp(2 * [lnsig_e]_cons)",
        "collapse (count) days = day, by(person)",
        "generate double inverse = 1 / days",
        "summarize inverse",
        "scalar factor = between / (between + within * r(mean))",
    )
    if row.measure == "reliability":
        return chain(factor, "display factor")
    if row.measure == "usual_mean":
        return chain(
            factor,
            use(),
            f"summarize {exposure}",
            "scalar grand = r(mean)",
            f"summarize {exposure} if {row.category} == {row.place}",
            "display grand + factor * (r(mean) - grand)",
        )
    score = f"generate score = {exposure} / {row.scale.trend_unit:g}"
    return chain(factor, use(), score, poisson(f"score {covariates}"), "display exp(_b[score] / factor)")


def misclassification(row: EstimateRow) -> str:
    """Standardized risks, corrected with fixed values; the sensitivity cancels in their ratio."""
    excess = f"{row.protocol.misclassification.specificity:g} - 1"
    at = [f"_b[{'1bn' if number == 1 else number}.{row.category}]" for number in (1, row.place)]
    return chain(_margins(row), f"nlcom ({at[1]} + {excess}) / ({at[0]} + {excess})")


def isotemporal(row: EstimateRow) -> str:
    """One activity in place of another; the first activity has no term."""
    names = {part: part.replace(" ", "_") for part in PARTS}
    minutes = row.protocol.days.seconds_per_day / 60
    made = [f"generate double {names[part]} = {' + '.join(columns)}" for part, columns in PARTS.items()]
    closed = [f"replace {name} = {minutes:g} * {name} / whole" for name in names.values()]
    first, *rest = names.values()
    fit = chain(
        use(),
        "keep if whole_days > 0",
        *made,
        f"generate double whole = {' + '.join(names.values())}",
        *closed,
        poisson(f"{' '.join(rest)} {factors(row.covariates, row.levels)}", options="vce(robust)"),
    )
    if row.measure == "p_joint":
        return chain(fit, f"test {' '.join(rest)}")
    amount, source, target = moved(row)
    parts = [f"{sign}{amount} * {names[part]}" for sign, part in (("", target), ("-", source)) if names[part] != first]
    return chain(fit, f"lincom {' '.join(parts)}, eform")


def pooled(row: EstimateRow) -> str:
    """All waves together, with clusters of persons."""
    return _clustered(row, use("answers"))


def pain_course(row: EstimateRow) -> str:
    """Incidence, persistence and recurrence."""
    at_risk = {
        "incidence": "previous_low_back_pain == 0",
        "persistence": "previous_low_back_pain == 1",
        "recurrence": "previous_low_back_pain == 0 & earlier_low_back_pain == 1",
    }
    return _clustered(row, chain(use("histories"), f"keep if {at_risk[row.analysis]}"))


def _clustered(row: EstimateRow, people: str) -> str:
    right = f"ib1.{row.category} {factors((*row.covariates, 'wave'), row.levels)}"
    fit = chain(people, poisson(right, options="vce(cluster person) irr"))
    if row.measure == "p_joint":
        return chain(fit, f"testparm i.{row.category}")
    return f"{fit} // {row.place}.{row.category}"


def wave_interaction(row: EstimateRow) -> str:
    """Each wave's ratios, and whether they differ."""
    covariates = factors(row.covariates, row.levels)
    if row.measure == "p_interaction":
        fit = poisson(f"ib1.{row.category}##i.wave {covariates}", options="vce(cluster person)")
        return chain(use("answers"), fit, f"testparm i.{row.category}#i.wave")
    fit = poisson(f"i.wave i.wave#ib1.{row.category} {covariates}", options="vce(cluster person) irr")
    return f"{chain(use('answers'), fit)} // {row.place}.{row.category} in {row.key['population']}"


def projection(row: EstimateRow) -> str:
    """What another wave would add."""
    place = row.place + (row.measure != "projected_rr")
    rules, name = row.protocol.projection, f"{place}.{row.category}"
    fit = _clustered(row, use("answers")).partition(" //")[0]
    distance = f"(invnormal({0.5 + row.protocol.models.confidence / 2:g}) + invnormal({rules.power:g}))"
    steps = chain(
        fit,
        f"scalar b = _b[{name}]",
        f"scalar se = _se[{name}]",
        "summarize low_back_pain",
        "scalar events = r(sum)",
        "summarize wave",
        "summarize low_back_pain if wave == r(max)",
        f"scalar more = {rules.answer_share:g} * r(sum)",
    )
    command = {
        "projected_rr": "display exp(b)",
        "detectable_rr": f"display exp(-{distance} * se * sqrt(events / (events + more)))",
        "waves_needed": f"display max(0, ceil((({distance} * se / b)^2 - 1) * events / more))",
    }
    return chain(steps, command[row.measure])
