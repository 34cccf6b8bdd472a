"""The command in Stata that gives a row's estimate: the analyses beyond the paper.

Belongs here: those in Stata's spelling. Does not belong here: Stata's words and the published analyses (``stata``).

Stata was not at hand: the commands were not run.
"""

from __future__ import annotations

from stegvis.analyses.time_use import PARTS
from stegvis.reproduction.models import Asked, plain
from stegvis.reproduction.r_beyond import moved
from stegvis.reproduction.stata import chain, factors, poisson, ratio_of, use
from stegvis.study.protocol import EXPOSURES


def fit_quality(asked: Asked) -> str:
    """Events per coefficient, and fitted risks above 1."""
    fit = chain(use(), ratio_of(plain(asked), asked))
    if asked.measure == "events_per_coefficient":
        return chain(fit, "summarize low_back_pain if e(sample)", "display r(sum) / (e(rank) - 1)")
    return chain(fit, "predict risk, n", "count if risk > 1 & e(sample)", "display r(N) / e(N)")


def additive(asked: Asked) -> str:
    """Cells of low volume and low intensity, and the measures of their interaction."""
    lowest = asked.protocol.additive_interaction.low_categories
    low = [f"generate low_{name} = {name}_category <= {lowest}" for name in EXPOSURES]
    first, second = (f"1.low_{name}" for name in EXPOSURES)
    product = f"{first}#{second}"
    right = f"i.low_walking_minutes##i.low_walking_met {factors(asked.covariates, asked.levels)}"
    fit = chain(use(), *low, poisson(right, options="vce(robust)"))
    one, other = f"exp(_b[{first}])", f"exp(_b[{second}])"
    both = f"exp(_b[{first}] + _b[{second}] + _b[{product}])"
    if asked.measure == "rr":
        cell = {"low volume": first, "low intensity": second, "both low": f"{first} + {second} + {product}"}
        told = cell.get(asked.row["level"])
        return chain(fit, f"lincom {told}, eform") if told else fit
    measure = {
        "ratio_of_rr": f"lincom {product}, eform",
        "reri": f"nlcom {both} - {one} - {other} + 1",
        "reri_mover": f"nlcom {both} - {one} - {other} + 1",
        "ap": f"nlcom ({both} - {one} - {other} + 1) / {both}",
        "synergy_index": f"nlcom log(({both} - 1) / ({one} + {other} - 2))",
    }
    return chain(fit, measure[asked.measure])


def standardized_risk(asked: Asked) -> str:
    """Risks, differences, ratios and numbers needed."""
    place = asked.place + (asked.measure == "nnt")
    if asked.measure == "rd":
        return chain(_margins(asked, contrast=True), f"// {place} vs 1")
    if asked.measure == "risk":
        return f"{_margins(asked)} // {place}.{asked.category}"
    at = [f"_b[{'1bn' if number == 1 else number}.{asked.category}]" for number in (1, place)]
    told = f"nlcom {at[1]} / {at[0]}" if asked.measure == "rr" else f"nlcom 1 / abs({at[1]} - {at[0]})"
    return chain(_margins(asked), told)


def _margins(asked: Asked, contrast: bool = False) -> str:
    family = "poisson" if asked.variant == "poisson" else "logit"
    fit = f"{family} low_back_pain ib1.{asked.category} {factors(asked.covariates, asked.levels)}, vce(robust)"
    after = "" if contrast else " post"
    return chain(use(), fit, f"margins {'r.' if contrast else ''}{asked.category}, vce(unconditional){after}")


def cross_estimator(asked: Asked) -> str:
    """Log-binomial, standardized logistic, and Cox."""
    right = f"ib1.{asked.category} {factors(asked.covariates, asked.levels)}"
    if asked.row["term"] == "log_binomial":
        fit = f"glm low_back_pain {right}, family(binomial) link(log) eform"
        return f"{chain(use(), fit)} // {asked.place}.{asked.category}"
    if asked.row["term"] == "cox":
        steps = ("generate one = 1", "stset one, failure(low_back_pain)", f"stcox {right}, vce(robust) breslow")
        return f"{chain(use(), *steps)} // {asked.place}.{asked.category}"
    return standardized_risk(asked)


def attrition_weighted(asked: Asked) -> str:
    """The published models with weights."""
    fit = chain(_answering(asked, asked.variant or "stabilized"), ratio_of(plain(asked), asked, " [pweight = weight]"))
    return (
        chain(fit, f"testparm i.{asked.category}")
        if asked.measure == "p_joint"
        else f"{fit} // {asked.place}.{asked.category}"
    )


def attrition_weights(asked: Asked) -> str:
    """How extreme the weights are."""
    made = _answering(asked, asked.row["term"])
    if asked.measure == "mean_weight":
        return chain(made, "summarize weight")
    if asked.measure == "largest_weights":
        few = asked.protocol.disclosure.smallest_count
        return chain(made, "drop if missing(weight)", "gsort -weight", f"summarize weight in 1/{few}")
    return chain(
        made,
        "generate double square = weight^2",
        "summarize weight",
        "scalar total = r(sum)",
        "summarize square",
        "display total^2 / r(sum)",
    )


def attrition_balance(asked: Asked) -> str:
    """Who answered against who did not."""
    column, level = asked.row["term"], asked.row["level"]
    value = f'{column} == "{level}":{column}_codes' if level else column
    weighted = asked.measure == "smd_weighted"
    weight = "cond(answered, 1 / p, 1 / (1 - p))" if weighted else "1"
    return chain(
        _probabilities(asked),
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


def _probabilities(asked: Asked) -> str:
    """Everyone eligible with known covariates, and the probability of an answer."""
    adjusted = asked.protocol.models.adjusted
    squares = " ".join(f"c.{name}#c.{name}" for name in asked.protocol.attrition_weights.squared)
    exposures = " ".join(f"c.{name}" for name in EXPOSURES)
    right = f"{factors(adjusted, asked.levels)} {squares} {exposures}"
    known = ", ".join((*adjusted, *EXPOSURES))
    return chain(use("eligible_people"), f"drop if missing({known})", f"logit answered {right}", "predict double p")


def _answering(asked: Asked, kind: str) -> str:
    steps = [_probabilities(asked)]
    if kind == "unstabilized":
        steps.append("generate double weight = 1 / p if answered")
    else:
        steps += [
            f"logit answered i.{asked.category}",
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


def tipping_point(asked: Asked) -> str:
    """How different those lost must be."""
    place = asked.place + 1
    name = f"{place}.{asked.category}"
    half = f"invnormal({0.5 + asked.protocol.models.confidence / 2:g}) * _se[{name}]"
    low, high = f"exp(_b[{name}] - {half})", f"exp(_b[{name}] + {half})"
    limit = f"cond({low} <= 1 & {high} >= 1, 1, cond({high} < 1, {high}, {low}))"
    return chain(
        use(),
        ratio_of(plain(asked), asked),
        f"scalar ratio = {limit if asked.measure == 'tipping_point_limit' else f'exp(_b[{name}])'}",
        use("eligible_people"),
        f"summarize answered if {asked.category} == {place}",
        "display 1 + (1 / ratio - 1) / (1 - r(mean))",
    )


def imputed(asked: Asked) -> str:
    """By chained equations, whose draws are Stata's own."""
    rules, adjusted = asked.protocol.imputation, asked.protocol.models.adjusted
    kinds: dict[str, list[str]] = {"regress": [], "logit": [], "mlogit": []}
    for column in adjusted:
        levels = len(asked.levels.get(column, ()))
        kinds["regress" if not levels else "logit" if levels == 2 else "mlogit"].append(column)
    how = " ".join(f"({kind}) {' '.join(columns)}" for kind, columns in kinds.items() if columns)
    known = f"low_back_pain {' '.join(f'i.{name}_category' for name in EXPOSURES)}"
    numbers = f"add({rules.imputations}) burnin({rules.iterations}) rseed({rules.seed})"
    option = "vartable" if asked.measure == "fmi" else "irr"
    steps = chain(
        use("eligible_people"),
        f"keep if answered & !missing({', '.join(EXPOSURES)})",
        "mi set wide",
        f"mi register imputed {' '.join(adjusted)}",
        f"mi impute chained {how} = {known}, {numbers}",
        f"mi estimate, {option}: {ratio_of(plain(asked), asked, options='vce(robust)')}",
    )
    place = asked.place + (asked.measure == "fmi")
    return chain(steps, f"mi test i.{asked.category}") if asked.measure == "p_joint" else f"{steps} // {place}"


def regression_dilution(asked: Asked) -> str:
    """Reliability of a day and of a week, and the trend of usual walking."""
    exposure, covariates = asked.exposure, factors(asked.covariates, asked.levels)
    mixed = chain(
        use(),
        f"keep person {' '.join(asked.covariates)}",
        "save covariates, replace",
        use("days"),
        "merge m:1 person using covariates, keep(match) nogenerate",
        "replace weekend = 2 if missing(weekend)",
        f"drop if missing({exposure})",
        f"mixed {exposure} {covariates} i.weekend || person:, reml",
    )
    if asked.measure == "icc":
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
    if asked.measure == "reliability":
        return chain(factor, "display factor")
    if asked.measure == "usual_mean":
        return chain(
            factor,
            use(),
            f"summarize {exposure}",
            "scalar grand = r(mean)",
            f"summarize {exposure} if {asked.category} == {asked.place}",
            "display grand + factor * (r(mean) - grand)",
        )
    score = f"generate score = {exposure} / {asked.scale.trend_unit:g}"
    return chain(factor, use(), score, poisson(f"score {covariates}"), "display exp(_b[score] / factor)")


def misclassification(asked: Asked) -> str:
    """Standardized risks, corrected once; the sensitivity cancels in their ratio."""
    excess = f"{asked.protocol.misclassification.specificity:g} - 1"
    at = [f"_b[{'1bn' if number == 1 else number}.{asked.category}]" for number in (1, asked.place)]
    return chain(_margins(asked), f"nlcom ({at[1]} + {excess}) / ({at[0]} + {excess})")


def isotemporal(asked: Asked) -> str:
    """One activity in place of another; the first part has no term."""
    names = {part: part.replace(" ", "_") for part in PARTS}
    minutes = asked.protocol.days.seconds_per_day / 60
    made = [f"generate double {names[part]} = {' + '.join(columns)}" for part, columns in PARTS.items()]
    closed = [f"replace {name} = {minutes:g} * {name} / whole" for name in names.values()]
    first, *rest = names.values()
    fit = chain(
        use(),
        "keep if whole_days > 0",
        *made,
        f"generate double whole = {' + '.join(names.values())}",
        *closed,
        poisson(f"{' '.join(rest)} {factors(asked.covariates, asked.levels)}", options="vce(robust)"),
    )
    if asked.measure == "p_joint":
        return chain(fit, f"test {' '.join(rest)}")
    amount, source, target = moved(asked)
    parts = [f"{sign}{amount} * {names[part]}" for sign, part in (("", target), ("-", source)) if names[part] != first]
    return chain(fit, f"lincom {' '.join(parts)}, eform")


def pooled(asked: Asked) -> str:
    """All waves together, each person a cluster."""
    return _clustered(asked, use("answers"))


def pain_course(asked: Asked) -> str:
    """Incidence, persistence and recurrence."""
    at_risk = {
        "incidence": "previous_low_back_pain == 0",
        "persistence": "previous_low_back_pain == 1",
        "recurrence": "previous_low_back_pain == 0 & earlier_low_back_pain == 1",
    }
    return _clustered(asked, chain(use("histories"), f"keep if {at_risk[asked.analysis]}"))


def _clustered(asked: Asked, people: str) -> str:
    right = f"ib1.{asked.category} {factors((*asked.covariates, 'wave'), asked.levels)}"
    fit = chain(people, poisson(right, options="vce(cluster person) irr"))
    if asked.measure == "p_joint":
        return chain(fit, f"testparm i.{asked.category}")
    return f"{fit} // {asked.place}.{asked.category}"


def wave_interaction(asked: Asked) -> str:
    """Each wave's ratios, and whether they differ."""
    covariates = factors(asked.covariates, asked.levels)
    if asked.measure == "p_interaction":
        fit = poisson(f"ib1.{asked.category}##i.wave {covariates}", options="vce(cluster person)")
        return chain(use("answers"), fit, f"testparm i.{asked.category}#i.wave")
    fit = poisson(f"i.wave i.wave#ib1.{asked.category} {covariates}", options="vce(cluster person) irr")
    return f"{chain(use('answers'), fit)} // {asked.place}.{asked.category} in {asked.row['population']}"


def projection(asked: Asked) -> str:
    """What one more wave would add."""
    place = asked.place + (asked.measure != "projected_rr")
    rules, name = asked.protocol.projection, f"{place}.{asked.category}"
    fit = _clustered(asked, use("answers")).partition(" //")[0]
    distance = f"(invnormal({0.5 + asked.protocol.models.confidence / 2:g}) + invnormal({rules.power:g}))"
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
    told = {
        "projected_rr": "display exp(b)",
        "detectable_rr": f"display exp(-{distance} * se * sqrt(events / (events + more)))",
        "waves_needed": f"display max(0, ceil((({distance} * se / b)^2 - 1) * events / more))",
    }
    return chain(steps, told[asked.measure])
